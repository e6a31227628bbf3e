"""What happens to tasks when something else changed."""

from mission_control.core.actor import Actor
from mission_control.core.command import reacts_to
from mission_control.live.log import NewEvent
from mission_control.tasks.commands import release_task
from mission_control.tasks.models import Task


@reacts_to("agent.deleted")
async def give_tasks_back(actor: Actor, event: NewEvent) -> None:
    """The tasks of a deleted agent return to its board."""
    held = Task.filter(assigned_agent_id=event.agent_id, deleted_at=None).order_by("id")
    for task in await held.select_related("board"):
        await release_task(actor, task)
