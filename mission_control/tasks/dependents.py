"""Update the tasks that wait for a changed task, and return tasks to the inbox."""

from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.runs.attempts import track_run
from mission_control.tasks import rules
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.dependencies import blockers_of
from mission_control.tasks.locks import present_task
from mission_control.tasks.models import Task, TaskDependency
from mission_control.tasks.notices import notify_former_assignee, notify_unblocked

REOPENED = "was opened again"
RESTORED = "was restored"
OPEN_AGAIN = (REOPENED, RESTORED)


async def update_dependents(actor: Actor, task: Task, what: str) -> None:
    """Record on the dependents of a task what happened to it. When it is open again, started ones return to the inbox.

    Notify the agents of tasks that were taken from them, and of unblocked ones.
    """
    waiting = (
        await TaskDependency.filter(depends_on_task_id=task.id).order_by("created_at").values_list("task_id", flat=True)
    )
    for found in await Task.filter(id__in=list(waiting), deleted_at=None).exclude(status="done").order_by("id"):
        found.board = task.board
        dependent = await present_task(found)
        if dependent is None or dependent.status == "done":
            continue
        idle = dependent.status == "inbox" and not dependent.assigned_agent_id and not dependent.assigned_user_id
        if idle or what not in OPEN_AGAIN:
            record("task.updated", dependent, f"A dependency {what}: {dependent.title}.", dependency_id=task.id)
        else:
            had_it = dependent.assigned_agent_id
            await return_to_inbox(actor, dependent, f"Task returned to inbox: {dependent.title}. A dependency {what}.")
            notify_former_assignee(actor, task.board, dependent, had_it, f"A task that it waits for {what}.")
        if what not in OPEN_AGAIN and not await blockers_of(dependent.id):
            await notify_unblocked(task.board, dependent)


async def return_to_inbox(actor: Actor, task: Task, message: str) -> None:
    """Unassign a task and return it to the inbox. The calling command holds the task."""
    before = TaskSnapshot(task)
    rules.enter(task, "inbox")
    await track_run(actor, task, before)
    changed = before.changed(task)
    task.updated_at = clock.now()
    await task.save(update_fields=[*changed, "updated_at"])
    data = {name: pair for name, pair in changed.items() if name != "position"}
    record(
        "task.status_changed" if task.status != before.status else "task.updated",
        task,
        message,
        before={name: pair[0] for name, pair in data.items()},
        after={name: pair[1] for name, pair in data.items()},
    )
