"""Rules for claiming tasks and completing runs."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.tasks.models import Task

rules = Rules()


@rules.rule("task.claim")
def may_claim(actor: Actor, board: Board) -> bool:
    """The board's workers. A lead assigns tasks and claims none."""
    return actor.is_agent and not actor.is_lead and actor.writes(board)


@rules.rule("task.extend_lease")
@rules.rule("task.release_lease")
def may_hold(actor: Actor, task: Task) -> bool:
    """The board's agents. The command checks under the task's lock that the agent holds it."""
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
    """The board's workers. The command checks under the task's lock that the worker holds it."""
    return actor.is_agent and not actor.is_lead and actor.writes(task.board)
