"""Rules for approvals."""

from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("approval.request")
def may_request_approval(actor: Actor, board: Board) -> bool:
    """People with write access and every agent of the board."""
    return actor.writes(board)


@rules.rule("approval.decide")
def may_decide_approval(actor: Actor, approval: Approval) -> bool:
    """People with write access; agents never decide."""
    return actor.is_user and actor.writes(approval.board)


@rules.rule("approval.apply_deadline")
def only_the_system(actor: Actor, approval: Approval) -> bool:
    """Only the system itself."""
    return False
