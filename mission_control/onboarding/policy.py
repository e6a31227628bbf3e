"""Who may do what when a board is set up."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("onboarding.hold")
@rules.rule("onboarding.confirm")
def may_set_up(actor: Actor, board: Board) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(board)


@rules.rule("onboarding.report")
def may_report(actor: Actor, board: Board) -> bool:
    """The main agent of the board's gateway, which belongs to no board itself."""
    return actor.is_main and board.gateway_id is not None and actor.gateway_id == board.gateway_id


@rules.rule("onboarding.watch")
def may_watch(actor: Actor, board: Board) -> bool:
    """Only the system itself."""
    return False
