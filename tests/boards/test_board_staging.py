"""Boards are brought in and erased in pieces: others get their turn in between, and nobody sees half of one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tortoise.models import Model
from tortoise.transactions import in_transaction

from mission_control.approvals.models import Approval
from mission_control.boards import staging
from mission_control.boards.models import Board
from mission_control.core import times as clock
from mission_control.core.errors import Conflict, NotFound
from mission_control.memory.models import BoardMemory
from mission_control.people.jobs import commands as jobs
from mission_control.tasks.models import Comment, Tag, Task
from mission_control.transfer import importing
from tests.cast import Cast
from tests.things import bring

pytestmark = pytest.mark.dialect

MOMENT = "2026-11-01T10:00:00"
KINDS: tuple[type[Model], ...] = (Board, Task, Comment, Approval, BoardMemory, Tag)


def the_file(name: str = "Brought") -> dict[str, Any]:
    """A board with five tasks, each with a comment and a tag, two approvals and an entry."""
    said = {"author": {"kind": "other", "name": "Somebody"}, "created_at": MOMENT}
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    tasks = [
        {"number": n, "title": f"T{n}", "position": n, "tags": ["new"], "comments": [{**said, "message": "M"}], **times}
        for n in range(1, 6)
    ]
    asked = {"action_type": "deploy", "confidence": 70, "requested_by": {"kind": "other"}, "status": "pending", **times}
    return {
        "format": "mission-control/board",
        "version": 1,
        "board": {"name": name, "slug": "brought", "description": "From elsewhere"},
        "tags": [{"slug": "new", "name": "New"}],
        "tasks": tasks,
        "approvals": [{**asked, "tasks": [1]}, {**asked, "tasks": [2]}],
        "memory": [{**said, "content": "The sky is clear"}],
    }


async def held() -> list[int]:
    """How much there is of everything."""
    return [await one.all().count() for one in KINDS]


@pytest.fixture
def before_pieces(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Awaitable[None]]]:
    """What happens before each piece of two rows is written."""
    acts: list[Callable[[], Awaitable[None]]] = []

    @asynccontextmanager
    async def piece() -> AsyncIterator[None]:
        for act in acts:
            await act()
        async with in_transaction():
            yield

    monkeypatch.setattr(staging, "PIECE", 2)
    monkeypatch.setattr(staging, "in_transaction", piece)
    return acts


async def test_import_yields_to_other_writes_and_hides_the_partial_board(
    cast: Cast, before_pieces: list[Callable[[], Awaitable[None]]]
) -> None:
    seen = []

    async def look() -> None:
        boards = (await cast.ada.get("/boards")).ok()["items"]
        trash = (await cast.ada.get("/boards/trash")).ok()["items"]
        seen.append({one["name"] for one in boards + trash} | {one["slug"] for one in await Tag.all().values("slug")})
        [absent_board] = await Board.exclude(absent_since=None).values("id")
        (await cast.ada.get(f"/boards/{absent_board['id']}")).refused(404)
        (await cast.ada.post(f"/boards/{absent_board['id']}/erasures")).refused(404)
        await cast.add_task()

    before_pieces.append(look)
    brought = await bring(cast.ada, the_file())
    assert len(seen) == 9 and not any({"Brought", "new"} & one for one in seen)
    assert brought["counts"] == {"tasks": 5, "comments": 5, "approvals": 2, "memory": 1, "runs": 0, "sessions": 0}
    assert (await cast.ada.get(f"/boards/{brought['board']['id']}/tasks")).ok()["total"] == 5
    assert (await cast.ada.get("/boards/trash")).ok()["total"] == 0


async def test_failed_import_leaves_nothing(cast: Cast, before_pieces: list[Callable[[], Awaitable[None]]]) -> None:
    before, pieces = await held(), iter(range(100))

    async def fail_late() -> None:
        if next(pieces) == 8:
            raise Conflict("Too late.")

    before_pieces.append(fail_late)
    with pytest.raises(Conflict):
        await bring(cast.ada, the_file())
    assert next(pieces) == 9 and await held() == before


async def test_import_failing_at_its_last_step_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any) -> None:
        raise Conflict("Not this one.")

    before = await held()
    monkeypatch.setattr(importing, "store_values", refuse)
    with pytest.raises(Conflict):
        await bring(cast.ada, the_file())
    assert await held() == before


async def test_staged_rows_of_a_killed_server_are_removed(cast: Cast) -> None:
    before = await held()
    board = Board(organization_id=cast.organization.id, name="Half", slug="half")
    await staging.begin(board)
    await staging.store(board.id, [Task(board_id=board.id, number=n, title="T", position=n) for n in range(1, 4)])
    await bring(cast.ada, the_file("Young"))
    assert await Task.filter(board_id=board.id).count() == 3
    await staging.clear_abandoned(clock.clock_now() - staging.LEASE)
    assert await Task.filter(board_id=board.id).count() == 3
    with clock.travelled(staging.LEASE * 2):
        await staging.clear_abandoned(clock.clock_now() - staging.LEASE)
    assert not await Board.exists(id=board.id)
    assert (await held())[:2] == [before[0] + 1, before[1] + 5]


async def test_erasure_in_progress_is_left_to_its_process(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = (await bring(cast.ada, the_file()))["board"]
    seen = []

    async def look(_done: int) -> None:
        seen.append((await Board.get(id=brought["id"])).absent_since)

    monkeypatch.setattr(jobs, "advance", look)
    await cast.erase(brought["id"])
    assert len(seen) == 4 and seen == sorted(set(seen))


async def test_import_whose_rows_were_removed_is_not_published(
    cast: Cast, before_pieces: list[Callable[[], Awaitable[None]]]
) -> None:
    before, pieces = await held(), iter(range(100))

    async def sweep() -> None:
        if next(pieces) == 3:
            await staging.clear_abandoned(clock.clock_now() + timedelta(seconds=1))

    before_pieces.append(sweep)
    with pytest.raises(NotFound):
        await bring(cast.ada, the_file())
    assert await held() == before


async def test_erased_board_disappears_before_its_contents(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = (await bring(cast.ada, the_file()))["board"]
    before = await held()

    async def killed(_board_id: Any) -> None:
        raise Conflict("Killed.")

    clear = staging.clear
    monkeypatch.setattr(staging, "clear", killed)
    with pytest.raises(AssertionError, match="Killed"):
        await cast.erase(brought["id"])
    assert await held() == before
    (await cast.ada.get(f"/boards/{brought['id']}")).refused(404)
    (await cast.ada.post(f"/boards/{brought['id']}/restorations")).refused(404)
    assert (await cast.ada.get("/boards/trash")).ok()["total"] == 0
    monkeypatch.setattr(staging, "clear", clear)
    with clock.travelled(staging.LEASE * 2):
        await staging.clear_abandoned(clock.clock_now() - staging.LEASE)
    assert [old - new for old, new in zip(before, await held(), strict=True)] == [1, 5, 5, 2, 1, 0]
