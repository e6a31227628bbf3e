"""Pausing and stopping the agents of a board over HTTP."""

from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.boards.work_state import set_board_state
from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.organizations.work_state import WorkStateChange

api = Api(__name__, "boards")


@api.put("/boards/<board_id>/work-state", rule="board.set_work_state")
async def set_board_work_state(actor: Actor, board: Board, data: WorkStateChange) -> BoardRead:
    """Pause, stop or resume the agents of a board.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return BoardRead.of(await set_board_state(actor, board, data))
