"""What the palette offers on a board."""

from mission_control.core.actor import Actor
from mission_control.web.shell import NamedBoard, PaletteEntry


def _writes(actor: Actor, board: NamedBoard | None) -> bool:
    return board is not None and actor.writes(board)


NEW_TASK = PaletteEntry(
    "New task on {board}", "/boards/{board_id}#new-task-inbox", "plus", position=10, group="Do", may=_writes
)
RESTORE_TASK = PaletteEntry(
    "Restore a deleted or archived task of {board}",
    "/boards/{board_id}/trash",
    "trash-2",
    position=20,
    group="Do",
    may=_writes,
)
