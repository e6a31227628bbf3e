"""Tasks that leave their board or their owner, and come back."""

from mission_control.approvals.commands import close_approvals_of
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.command import command, record
from mission_control.runs.follow import begin_run, end_run, holder
from mission_control.tasks import policy as policy
from mission_control.tasks.dependents import return_to_inbox, settle_dependents
from mission_control.tasks.locks import locked_task, present_task
from mission_control.tasks.models import Task


@command("task.delete")
async def delete_task(actor: Actor, task: Task) -> None:
    """Take a task off its board. It can be restored; approvals that concern nothing else are closed."""
    task = await locked_task(task)
    await end_run(task.id, "released", "The task was deleted.")
    task.deleted_at = task.updated_at = clock.now()
    await task.save(update_fields=["deleted_at", "updated_at"])
    record("task.deleted", task, f"Task deleted: {task.title}.", title=task.title, status=task.status)
    await close_approvals_of(actor, task.board, task.id)
    if task.status != "done":
        await settle_dependents(actor, task, "was deleted")


@command("task.restore")
async def restore_task(actor: Actor, task: Task) -> Task:
    """Put a deleted task back where it was."""
    found = await Task.select_for_update().get(id=task.id)
    found.board = task.board
    if found.deleted_at is None:
        return found
    found.deleted_at, found.updated_at = None, clock.now()
    if (agent_id := holder(found)) is not None:
        found.fence += 1
        await begin_run(found, agent_id)
    await found.save(update_fields=["deleted_at", "fence", "updated_at"])
    record("task.restored", found, f"Task restored: {found.title}.", title=found.title, status=found.status)
    return found


@command("task.release")
async def release_task(actor: Actor, task: Task, why: str, *, only_started: bool = False) -> None:
    """Give back a task whose assignee is going away: from progress to the inbox, else only unassigned.

    One that has gone to somebody else since it was found stays there; with `only_started` also one whose work ended.
    """
    holders = (task.assigned_agent_id, task.assigned_user_id)
    found = await present_task(task)
    if found is None or (found.assigned_agent_id, found.assigned_user_id) != holders:
        return
    task = found
    if task.status == "in_progress":
        await end_run(task.id, "released", why)
        await return_to_inbox(actor, task, f"Task returned to inbox: {task.title}. {why}")
    elif not only_started:
        await _unassign(task, why)


async def _unassign(task: Task, why: str) -> None:
    name = "assigned_agent_id" if task.assigned_agent_id else "assigned_user_id"
    before = {name: getattr(task, name)}
    task.assigned_agent_id = task.assigned_user_id = None
    task.updated_at = clock.now()
    await task.save(update_fields=["assigned_agent_id", "assigned_user_id", "updated_at"])
    record("task.updated", task, f"Task unassigned: {task.title}. {why}", before=before, after={name: None})
