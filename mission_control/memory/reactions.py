"""What a board's chat says when something else changed."""

from mission_control.boards.models import Board
from mission_control.commands.reactions import reacts_to
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.memory.commands import note_order
from mission_control.organizations.work_state import RUNNING


@reacts_to("board.work_state_changed")
async def write_order(actor: Actor, event: NewEvent) -> None:
    """Write `/pause` or `/resume` into the chat, from whose last order clients of the predecessor read the state.

    A change that the chat itself asked for stands there already. The agents are told in another way.
    """
    before, after = (event.data[name]["work_state"] for name in ("before", "after"))
    if event.data["is_told"] or (before == RUNNING) == (after == RUNNING):
        return
    board = await Board.get(id=event.scope.board_id)
    await note_order(actor, board, "/resume" if after == RUNNING else "/pause")
