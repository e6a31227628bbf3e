"""Rules for saved views of boards."""

from mission_control.boards.models import Board, SavedView
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("view.create")
@rules.rule("view.list")
def may_save_view(actor: Actor, board: Board) -> bool:
    """Every person who can read the board; only those who can change it share views."""
    return actor.is_user and actor.reads(board)


@rules.rule("view.read")
def may_read_view(actor: Actor, view: SavedView) -> bool:
    """Every person who can read the board and sees the view there."""
    return actor.is_user and actor.reads(view.board) and (view.is_shared or view.user_id == actor.user_id)


@rules.rule("view.update")
@rules.rule("view.delete")
def may_change_view(actor: Actor, view: SavedView) -> bool:
    """Whose it is; a shared one everybody who can change the board."""
    if not (actor.is_user and actor.reads(view.board)):
        return False
    return actor.writes(view.board) if view.is_shared else view.user_id == actor.user_id
