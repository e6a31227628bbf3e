"""Pausing and stopping the agents of a board over HTTP."""

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import BoardRead
from mission_control.boards.work_state import set_board_state
from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.organizations.work_state import WorkStateChange

api = Api("boards_work_state_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "PUT",
    "/boards/<board_id>/work-state",
    operation_id="set_board_work_state",
    tags=("boards",),
    who="user",
    find=visible_board,
    verb="board.set_work_state",
    body=WorkStateChange,
    returns=BoardRead,
)
async def set_work_state(actor: Actor, board: Board, data: WorkStateChange) -> BoardRead:
    """Pause, stop or resume the agents of a board.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return BoardRead.of(await set_board_state(actor, board, data))
