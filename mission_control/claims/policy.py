"""Who may take up work, and hand it in."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.tasks.models import Task

rules = Rules()


@rules.rule("task.claim")
def may_claim(actor: Actor, board: Board) -> bool:
    """The board's workers; a lead hands out work and takes none."""
    return actor.is_agent and not actor.is_lead and actor.writes(board)


@rules.rule("task.extend_lease")
@rules.rule("task.release_lease")
def may_hold(actor: Actor, task: Task) -> bool:
    """The board's agents; whether the task is in their hands is asked under its lock."""
    return actor.is_agent and actor.writes(task.board)


@rules.rule("task.expire_lease")
def may_expire(actor: Actor, task_id: UUID) -> bool:
    """Only the system itself."""
    return False


@rules.rule("task.unflag")
def may_unflag(actor: Actor, task: Task) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(task.board)


@rules.rule("task.complete")
def may_complete(actor: Actor, task: Task) -> bool:
    """The board's workers; whether the task is in their hands is asked under its lock."""
    return actor.is_agent and not actor.is_lead and actor.writes(task.board)
