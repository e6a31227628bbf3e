"""How many SQL statements the operations that are called most cost; who adds one changes the number here, knowingly.

BEGIN and COMMIT are not counted, nor that somebody called, nor what PostgreSQL is told to pass on to other processes.
"""

from collections.abc import Awaitable, Callable

import pytest

from mission_control.database.sql import is_postgres
from mission_control.tasks.models import Task
from tests.cast import Answer, Cast
from tests.claiming import claim, taken
from tests.statements import counted

pytestmark = pytest.mark.dialect

Call = Callable[[Cast], Awaitable[Callable[[], Awaitable[Answer]]]]


def reads(path: str) -> tuple[Call, Call, Call]:
    """Read something on the board for the first time, again, and after a change of one task."""

    async def first(cast: Cast) -> Callable[[], Awaitable[Answer]]:
        await cast.add_task()
        return lambda: cast.ada.get(f"{cast.home}{path}")

    async def again(cast: Cast) -> Callable[[], Awaitable[Answer]]:
        (await (call := await first(cast))()).ok()
        return call

    async def changed(cast: Cast) -> Callable[[], Awaitable[Answer]]:
        task = await cast.add_task()
        (await (call := await first(cast))()).ok()
        (await cast.ada.patch(cast.task(task), {"title": "Another"})).ok()
        return call

    for call in (first, again, changed):
        call.__name__ = f"{path}-{call.__name__}"
    return first, again, changed


list_tasks, list_tasks_again, list_tasks_changed = reads("/tasks")
snapshot, snapshot_again, snapshot_changed = reads("/snapshot")


async def create(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """A task; the board's lead is told."""
    return lambda: cast.ada.post(cast.tasks, {"title": "T"})


async def move(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """Another column."""
    task = await cast.add_task()
    return lambda: cast.ada.patch(cast.task(task), {"status": "review"})


async def rename(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """Another title."""
    task = await cast.add_task()
    return lambda: cast.ada.patch(cast.task(task), {"title": "Another"})


async def comment(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """A comment that nobody is told of."""
    task = await cast.add_task()
    await Task.filter(id=task["id"]).update(assigned_agent_id=None)
    return lambda: cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "So far."})


async def comment_with_notice(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """A comment of which an agent is told."""
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    return lambda: cast.ada.post(f"{cast.task(task)}/comments", {"message": "How far?"})


async def ask(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """An approval that is about no task."""
    wanted = {"action_type": "deploy", "confidence": 80, "lead_reasoning": "It is ready."}
    return lambda: cast.ada.post(f"{cast.home}/approvals", wanted)


async def heartbeat(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """A sign of life."""
    return lambda: cast.vega.post("/agent/heartbeat", None)


async def empty_inbox(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """Nothing new."""
    return lambda: cast.vega.get("/agent/inbox")


async def claim_best(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """The best task."""
    await cast.add_task()
    return lambda: claim(cast)


async def claim_nothing(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """When there is none."""
    return lambda: claim(cast)


async def extend(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """A lease."""
    await cast.add_task()
    task = await taken(cast)
    wanted = {"fence": task["lease"]["fence"], "lease_seconds": 600}
    return lambda: cast.vega.post(f"/agent{cast.task(task)}/lease", wanted)


async def hand_in(cast: Cast) -> Callable[[], Awaitable[Answer]]:
    """What was done."""
    await cast.add_task()
    task = await taken(cast)
    wanted = {"fence": task["lease"]["fence"], "summary": "Done.", "input_tokens": 5}
    return lambda: cast.vega.post(f"/agent{cast.task(task)}/completions", wanted)


# On SQLite and on PostgreSQL, which locks rows that SQLite need not.
COSTS: dict[Call, tuple[int, int]] = {
    list_tasks: (9, 9),
    list_tasks_again: (3, 3),
    list_tasks_changed: (11, 11),
    snapshot: (15, 15),
    snapshot_again: (5, 5),
    snapshot_changed: (15, 15),
    create: (11, 11),
    move: (17, 17),
    rename: (8, 7),
    comment: (7, 6),
    comment_with_notice: (8, 8),
    ask: (8, 7),  # the last one because a new ask makes a run wait again that was ready
    heartbeat: (5, 5),
    empty_inbox: (2, 2),
    claim_best: (20, 22),  # the last one for the brief, which saves six calls
    claim_nothing: (6, 7),
    extend: (5, 5),
    hand_in: (30, 30),
}


@pytest.mark.parametrize("operation", COSTS, ids=lambda one: one.__name__)
async def test_operations_stay_within_their_statement_counts(cast: Cast, operation: Call) -> None:
    (await cast.ada.get(cast.home)).ok()
    (await cast.vega.get("/agent/healthz")).ok()
    call = await operation(cast)
    with counted() as found:
        (await call()).ok()
    assert len(found) <= COSTS[operation][is_postgres()], "\n".join(found)
