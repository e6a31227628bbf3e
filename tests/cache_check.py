"""Whether the cache of responses ever shows what no longer is: each answer is compared with one that is made anew."""

from collections.abc import Iterator
from contextlib import contextmanager

from mission_control.http.response_cache import ResponseCache, cache
from tests.cast import Caller

READS = (
    "tasks", "tasks?deleted=true", "tasks?archived=true&sort=position", "tasks?query=assignee:me",
    "tasks?status=inbox&sort=-priority&limit=3", "tasks?blocked=true", "snapshot", "snapshot?archived=true",
)  # fmt: skip
EVERYWHERE = ("/activity", "/activity?kind=approval&limit=5", "/activity/task-comments")
NEWEST = 3  # tasks of each board


@contextmanager
def empty_cache() -> Iterator[None]:
    """Answer from a cache of its own inside of the block, as another process does."""
    before = {**vars(cache)}
    vars(cache).update(vars(ResponseCache()))
    try:
        yield
    finally:
        vars(cache).update(before)


async def paths_of(caller: Caller) -> list[str]:
    """Return what a caller can read whose answers are kept."""
    with empty_cache():
        boards = [one["id"] for one in (await caller.get("/boards")).ok()["items"]]
        found = [*EVERYWHERE, *(f"/boards/{board}/{read}" for board in boards for read in READS)]
        groups = [one["id"] for one in (await caller.get("/board-groups")).ok()["items"]]
        found += [f"/board-groups/{group}/snapshot" for group in groups]
        for board in boards:
            tasks = (await caller.get(f"/boards/{board}/tasks?limit={NEWEST}")).ok()["items"]
            found += [f"/boards/{board}/tasks/{task['id']}" for task in tasks]
    return found


async def read_all(caller: Caller, paths: list[str]) -> None:
    for path in paths:
        await caller.get(path)


async def compare(caller: Caller, paths: list[str]) -> None:
    """Read the same again, from what is kept as far as it counts, and made anew: both must be equal."""
    for path in paths:
        kept = await caller.get(path)
        with empty_cache():
            anew = await caller.get(path)
        assert kept.status == anew.status, path
        assert kept.status >= 400 or kept.body == anew.body, path
