"""Who may do what to boards and their saved views."""

from uuid import UUID

from mission_control.boards.models import Board, SavedView
from mission_control.core.actor import Actor, rule


@rule("board.create")
def may_create_board(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rule("board.read")
def may_read_board(actor: Actor, board: Board) -> bool:
    """Everybody who can read the board."""
    return actor.reads(board)


@rule("board.update")
def may_update_board(actor: Actor, board: Board) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(board)


@rule("board.delete", "board.restore", "board.erase")
def may_delete_board(actor: Actor, board: Board) -> bool:
    """Owners and admins who can write on the board."""
    return actor.is_user and actor.writes(board) and actor.administers(board.organization_id)


@rule("board.set_work_state")
def may_set_work_state(actor: Actor, board: Board) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(board) and (actor.is_user or actor.is_lead)


@rule("view.create", "view.list")
def may_save_view(actor: Actor, board: Board) -> bool:
    """Every person who can read the board; only those who can change it share views."""
    return actor.is_user and actor.reads(board)


@rule("view.read")
def may_read_view(actor: Actor, view: SavedView) -> bool:
    """Every person who can read the board and sees the view there."""
    return actor.is_user and actor.reads(view.board) and (view.is_shared or view.user_id == actor.user_id)


@rule("view.update", "view.delete")
def may_change_view(actor: Actor, view: SavedView) -> bool:
    """Whose it is; a shared one everybody who can change the board."""
    if not (actor.is_user and actor.reads(view.board)):
        return False
    return actor.writes(view.board) if view.is_shared else view.user_id == actor.user_id
