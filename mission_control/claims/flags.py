"""Clear the flag of a task that waits for a person after several failed attempts."""

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.runs.tracking import forgive
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Task


@command("task.unflag")
async def clear_flag(actor: Actor, task: Task) -> None:
    """Make a task claimable at once and reset its failed attempts. Without a flag or a pause it is a no-op."""
    task = await locked_task(task)
    before = TaskSnapshot(task)
    forgive(task)
    changed = before.changed(task)
    if not changed:
        return
    task.updated_at = clock.now()
    await task.save(update_fields=[*changed, "updated_at"])
    record(
        "task.unflagged",
        task,
        f"Flag cleared: {task.title}.",
        before={name: pair[0] for name, pair in changed.items()},
        after={name: pair[1] for name, pair in changed.items()},
    )
