"""What a command is about may be erased between the look-up and the command."""

import pytest

from mission_control.approvals.commands import request_approval
from mission_control.approvals.schemas import ApprovalCreate
from mission_control.boards.models import Board
from mission_control.core.errors import NotFound
from mission_control.tasks.commands import create_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.models import Task
from mission_control.tasks.schemas import TaskCreate
from tests.cast import Cast

pytestmark = pytest.mark.dialect


@pytest.mark.parametrize("how", ["erased with its board", "deleted"])
async def test_comment_on_a_task_that_goes_concurrently_is_not_found(cast: Cast, how: str) -> None:
    task = await Task.get(id=(await cast.add_task())["id"])
    task.board = cast.board
    if how == "deleted":
        (await cast.ada.delete(cast.task(task))).ok()
    else:
        await cast.erase(cast.board.id)
    with pytest.raises(NotFound):
        await add_comment(await cast.ada.actor(), task, "Odd.")


async def test_approval_on_a_board_erased_concurrently_is_not_found(cast: Cast) -> None:
    board, vega = await Board.get(id=cast.board.id), await cast.vega.actor()
    await cast.erase(cast.board.id)
    with pytest.raises(NotFound):
        await request_approval(vega, board, ApprovalCreate(action_type="go", confidence=1, lead_reasoning="So."))


async def test_task_for_an_agent_of_an_erased_board_is_refused(cast: Cast) -> None:
    board = await Board.get(id=cast.board.id)
    lead = await cast.atlas.actor()
    await cast.erase(cast.board.id)
    wanted = TaskCreate(title="For nobody", status="in_progress", assigned_agent_id=cast.vega.id)
    with pytest.raises(NotFound):
        await create_task(lead, board, wanted)
