"""Tasks of people who no longer have access to the board."""

from typing import Any

import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, events, head

pytestmark = pytest.mark.dialect


async def access(cast: Cast, **wanted: Any) -> Any:
    """What Cleo reaches is changed."""
    member = (await cast.cleo.get("/organizations/me/member")).ok()["id"]
    return (await cast.ada.call("PUT", f"/organizations/me/members/{member}/access", wanted)).ok()


async def test_tasks_out_of_reach_are_unassigned(cast: Cast) -> None:
    mine: dict[str, Any] = {"assigned_user_id": cast.cleo.id}
    working, waiting = await cast.add_task(status="in_progress", **mine), await cast.add_task(**mine)
    reviewed, done = await cast.add_task(status="review", **mine), await cast.add_task(status="done", **mine)
    before = await head(cast)
    await access(cast, board_access=[{"board_id": str(cast.other_board.id), "can_read": True, "can_write": True}])
    found = {str(task.id): (task.status, task.assigned_user_id) for task in await Task.all()}
    assert found == {
        working["id"]: ("inbox", None), waiting["id"]: ("inbox", None), reviewed["id"]: ("review", None),
        done["id"]: ("done", cast.cleo.id),
    }  # fmt: skip
    recorded = await events(before, organization_id=cast.organization.id)
    assert [one.kind for one in recorded] == [
        "member.access_changed", "task.status_changed", "task.updated", "task.updated",
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", [{"all_boards_read": True}, {"can_read": True}])
async def test_reader_of_the_board_keeps_assigned_tasks(cast: Cast, wanted: dict[str, bool]) -> None:
    task = await cast.add_task(assigned_user_id=cast.cleo.id)
    board = {"board_id": str(cast.board.id), "can_read": True, "can_write": False}
    await access(cast, **(wanted if "all_boards_read" in wanted else {"board_access": [board]}))
    assert (await Task.get(id=task["id"])).assigned_user_id == cast.cleo.id
