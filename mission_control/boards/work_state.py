"""Pause, stop and resume the work of a board's agents."""

from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.reactions import react
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import can
from mission_control.core.token_scopes import require_scope
from mission_control.organizations.work_state import (
    FIELDS,
    HAPPENED,
    PAUSED,
    RUNNING,
    STOPPED,
    State,
    WorkStateChange,
    apply,
    change_of,
    lock_work_state,
    reason_of,
)

ORDERS: dict[str, State] = {"/pause": PAUSED, "/resume": RUNNING}


@command("board.set_work_state")
async def set_board_state(actor: Actor, board: Board, wanted: WorkStateChange, *, is_notified: bool = False) -> Board:
    """Pause, stop or resume the agents of a board. Setting the current state is a no-op.

    `is_notified`: the agents are notified in another way.
    """
    await lock_work_state(board.organization_id)
    found = await Board.get_or_none(id=board.id, deleted_at=None)
    if found is None:
        raise NotFound()
    if (change := change_of(found, wanted)) is None:
        return found
    message = f"The board {found.name} {HAPPENED[wanted.state]}{reason_of(wanted.reason)}."
    record("board.work_state_changed", found, message, is_told=is_notified, **change)
    await react()
    apply(found, wanted)
    await found.save(update_fields=[*FIELDS, "updated_at"])
    return found


async def apply_order(actor: Actor, board: Board, order: str) -> None:
    """Set a board's state as `/pause` or `/resume` in its chat says. The agents are notified of the message anyway.

    Only people and the board's lead change the state. A pause does not replace a stop, and only people end a stop.
    Raise Forbidden for a person's token that is made for less.
    """
    if not can(actor, "board.set_work_state", board):
        return
    if actor.is_user:
        require_scope(actor, "admin")
    if board.work_state == STOPPED and (order == "/pause" or not actor.is_user):
        return
    await set_board_state(actor, board, WorkStateChange(state=ORDERS[order]), is_notified=True)
