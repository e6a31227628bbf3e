"""The trash: tasks and boards that are gone, hidden everywhere, restored, or erased for good."""

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.queries import online_count
from mission_control.boards.models import Board
from mission_control.http import lookups
from mission_control.tasks.models import Task
from mission_control.tasks.snapshots.streams import still_reads
from tests.cast import Cast, events, head, ids, kinds
from tests.statements import cost

pytestmark = pytest.mark.dialect


async def test_deleted_tasks_are_in_the_trash(cast: Cast) -> None:
    gone, before, kept = [await cast.add_task(title=title) for title in ("Gone", "Gone before", "Kept")]
    for task in (before, gone):
        (await cast.cleo.delete(cast.task(task))).ok()
    listed = (await cast.dan.get(f"{cast.tasks}?deleted=true")).ok()
    assert ([one["title"] for one in listed["items"]], listed["total"]) == (["Gone", "Gone before"], 2)
    assert listed["items"][0]["deleted_at"] is not None
    assert ids((await cast.dan.get(cast.tasks)).ok()["items"]) == [kept["id"]]
    assert (await cast.cleo.post(f"{cast.task(gone)}/restorations")).ok()["deleted_at"] is None
    assert ids((await cast.dan.get(f"{cast.tasks}?deleted=true")).ok()["items"]) == [before["id"]]


async def test_deleted_board_is_gone_at_once(cast: Cast) -> None:
    task = await cast.add_task()
    approval = await cast.ask(None, task)
    (await cast.vega.get("/agent/healthz")).ok()
    reader = await cast.vega.actor()
    before = await head(cast)
    assert (await cast.ben.delete(cast.home)).ok() == {"ok": True}
    found = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_id, one.board_id) for one in found] == [("board.deleted", cast.ben.id, cast.board.id)]
    paths = [
        cast.home, cast.tasks, cast.task(task), f"{cast.task(task)}/comments", f"{cast.home}/snapshot",
        cast.tasks, cast.approvals, f"{cast.approvals}/{approval['id']}", f"/agents/{cast.vega.id}",
    ]  # fmt: skip
    for path in paths:
        (await cast.ada.get(path)).refused(404)
    for caller, path in ((cast.vega, "/agent/healthz"), (cast.atlas, "/agent/boards"), (cast.vega, cast.tasks)):
        (await caller.get(path)).refused(401)
    assert [one["name"] for one in (await cast.ada.get("/boards")).ok()["items"]] == ["Dome"]
    assert [one["name"] for one in (await cast.ada.get("/agents")).ok()["items"]] == ["Mira"]
    assert await online_count(cast.organization.id) == 0
    assert await lookups.fresh(reader) is None
    assert not await still_reads(await cast.ada.actor(), cast.board)
    (await cast.ada.delete(cast.home)).refused(404)
    (await cast.ada.patch(cast.home, {"name": "Back"})).refused(404)
    assert await Task.all().count() == 1 and await Agent.filter(board_id=cast.board.id).count() == 3


async def test_restored_board_keeps_its_contents(cast: Cast) -> None:
    task = await cast.add_task()
    whole = (await cast.ada.get(f"{cast.home}/snapshot")).ok()
    (await cast.ada.delete(cast.home)).ok()
    [deleted] = (await cast.ben.get("/boards/trash")).ok()["items"]
    assert (deleted["id"], deleted["name"]) == (str(cast.board.id), "Telescope") and deleted["deleted_at"] is not None
    before = await head(cast)
    restored = (await cast.ben.post(f"{cast.home}/restorations")).ok()
    assert restored["id"] == str(cast.board.id) and "deleted_at" not in restored
    assert (await cast.ben.post(f"{cast.home}/restorations")).ok() == restored
    assert await kinds(cast, before) == [("board.restored", None)]
    assert (await cast.ada.get(f"{cast.home}/snapshot")).ok()["tasks"] == whole["tasks"]
    assert (await cast.vega.get(cast.task(task))).ok()["id"] == task["id"]
    assert (await cast.ada.get("/boards/trash")).ok()["items"] == []


@pytest.mark.parametrize("first", ["live", "in the trash"])
async def test_erasing_removes_rows_and_keeps_the_log(cast: Cast, first: str) -> None:
    await cast.ask(None, await cast.add_task())
    if first == "in the trash":
        (await cast.ada.delete(cast.home)).ok()
    written = await head(cast)
    await cast.erase(cast.board.id)
    told = [kind for kind, _ in await kinds(cast, written)]
    assert told == (["board.erased"] if first == "in the trash" else ["board.deleted", "board.erased"])
    assert not await Board.filter(id=cast.board.id).exists()
    assert await Task.all().count() == await Agent.filter(board_id=cast.board.id).count() == 0
    assert len(await events(organization_id=cast.organization.id)) == written + len(told)
    (await cast.ada.post(f"{cast.home}/erasures")).refused(404)


async def test_trash_uses_the_same_statements_for_any_length(cast: Cast) -> None:
    costs = []
    for more in (1, 19):
        for _ in range(more):
            (await cast.ada.delete(cast.task(await cast.add_task()))).ok()
        costs.append(await cost(cast.ada, f"{cast.tasks}?deleted=true"))
    assert costs[0] == costs[1]
