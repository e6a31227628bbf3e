"""Chat messages that follow from other changes."""

from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.memory.commands import note_order
from mission_control.organizations.work_state import RUNNING

reactions = Reactions()


@reactions.to("board.work_state_changed")
async def write_order(actor: Actor, event: NewEvent) -> None:
    """Write `/pause` or `/resume` into the chat: clients of the predecessor read the state from the last order there.

    A change that was ordered in the chat is there already. Agents are notified elsewhere.
    """
    before, after = (event.data[name]["work_state"] for name in ("before", "after"))
    if event.data["is_told"] or (before == RUNNING) == (after == RUNNING):
        return
    board = await Board.get(id=event.scope.board_id)
    await note_order(actor, board, "/resume" if after == RUNNING else "/pause")
