"""Who may take up work, and hand it in."""

from mission_control.core.actor import Actor
from mission_control.core.policy import rule
from mission_control.tasks.models import Task


@rule("task.complete")
def may_complete(actor: Actor, task: Task) -> bool:
    """The board's workers; whether the task is in their hands is asked under its lock."""
    return actor.is_agent and not actor.is_lead and actor.writes(task.board)
