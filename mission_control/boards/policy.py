"""Rules for boards."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("board.create")
def may_create_board(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rules.rule("board.read")
def may_read_board(actor: Actor, board: Board) -> bool:
    """Everybody who can read the board."""
    return actor.reads(board)


@rules.rule("board.update")
def may_update_board(actor: Actor, board: Board) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(board)


@rules.rule("board.delete")
@rules.rule("board.restore")
@rules.rule("board.erase")
def may_delete_board(actor: Actor, board: Board) -> bool:
    """Owners and admins who can write on the board."""
    return actor.is_user and actor.writes(board) and actor.administers(board.organization_id)


@rules.rule("board.set_work_state")
def may_set_work_state(actor: Actor, board: Board) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(board) and (actor.is_user or actor.is_lead)
