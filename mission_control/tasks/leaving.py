"""Delete, restore and release tasks."""

from mission_control.agents.models import Agent
from mission_control.agents.work_state import standing_of
from mission_control.boards.commands import locked_board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.organizations.work_state import STOPPED, lock_work_state_shared
from mission_control.runs.attempts import begin_run, end_run, held_by
from mission_control.runs.models import Run
from mission_control.tasks.dependencies import blockers_of, dependency_ids, refuse_cycle
from mission_control.tasks.dependents import RESTORED, return_to_inbox, update_dependents
from mission_control.tasks.locks import locked_task, present_task
from mission_control.tasks.models import Task
from mission_control.tasks.notices import notify_assignee, notify_former_assignee
from mission_control.tasks.rules import reaches

DELETED = "The task was deleted."


@command("task.delete")
async def delete_task(actor: Actor, task: Task) -> None:
    """Delete a task. It can be restored."""
    task = await locked_task(task)
    await end_run(task.id, "released", DELETED)
    task.deleted_at = task.updated_at = clock.now()
    await task.save(update_fields=["deleted_at", "updated_at"])
    record("task.deleted", task, f"Task deleted: {task.title}.", title=task.title, status=task.status)
    if task.status != "done":
        notify_former_assignee(actor, task.board, task, task.assigned_agent_id, "It was deleted.")
        await update_dependents(actor, task, "was deleted")


@command("task.restore")
async def restore_task(actor: Actor, task: Task) -> Task:
    """Restore a deleted task in its column. Started work that cannot go on returns to the inbox.

    Tasks that wait for it wait again: those that were started return to the inbox. Raise Conflict when tasks
    would wait for each other in a circle.
    """
    await lock_work_state_shared(task.board_id)
    await locked_board(task.board)
    found = await Task.select_for_update(no_key=True).get_or_none(id=task.id)
    if found is None:
        raise NotFound()
    found.board = task.board
    if found.deleted_at is None:
        return found
    found.deleted_at, found.updated_at = None, clock.now()
    await found.save(update_fields=["deleted_at", "updated_at"])
    await refuse_cycle(found.board_id, found.id, await dependency_ids(found.id))
    record("task.restored", found, f"Task restored: {found.title}.", title=found.title, status=found.status)
    if found.status != "done":
        await _go_on(actor, found)
        await update_dependents(actor, found, RESTORED)
    return found


@command("task.erase")
async def erase_task(actor: Actor, task: Task) -> None:
    """Delete a task of the trash for good, with its comments, files and runs. Raise Conflict for any other task."""
    await locked_board(task.board)
    found = await Task.select_for_update().get_or_none(id=task.id)
    if found is None:
        raise NotFound()
    if found.deleted_at is None:
        raise Conflict("Delete the task first. Only tasks in the trash are deleted for good.")
    found.board = task.board
    record("task.erased", found, f"Task deleted for good: {found.title}.", title=found.title, number=found.number)
    await found.delete()


async def _go_on(actor: Actor, task: Task) -> None:
    is_started = task.status != "inbox" or task.assigned_agent_id or task.assigned_user_id
    if is_started and await blockers_of(task.id):
        await return_to_inbox(actor, task, f"Task returned to inbox: {task.title}. It waits for unfinished tasks.")
        return
    if (why := await _why_not(task)) is not None:
        await release_task(actor, task, why)
        return
    if (agent_id := held_by(task)) is not None:
        task.fence += 1
        task.attempt += 1
        await begin_run(task, agent_id)
        await task.save(update_fields=["fence", "attempt"])
    if task.assigned_agent_id is not None:  # it was notified to stop
        await notify_assignee(actor, task.board, task, None)


async def _why_not(task: Task) -> str | None:
    """Return the reason that the assignee of a deleted task cannot have it now, as a sentence."""
    if task.assigned_user_id is not None:
        return None if await reaches(task.board, task.assigned_user_id) else "Its assignee left the board."
    run = await Run.get_or_none(task_id=task.id, fence=task.fence, end_reason=DELETED)
    if task.assigned_agent_id is None:
        return "Its agent was deleted." if task.status == "in_progress" and run is not None else None
    if await Agent.filter(id=task.assigned_agent_id).exclude(board_id=task.board_id).exists():
        return "Its agent went to another board."
    if task.status != "in_progress":
        return None
    standing = await standing_of(task.assigned_agent_id, task.board_id)
    if standing.state == STOPPED:
        return str(standing)
    return "The lease of its agent is over." if run is not None and run.lease_expires_at is not None else None


@command("task.release")
async def release_task(actor: Actor, task: Task, why: str, *, only_started: bool = False) -> None:
    """Release a task whose assignee leaves: return it to the inbox when it is in progress, else unassign it.

    It is a no-op for a task that was reassigned and, with `only_started`, for one that is not in progress.
    """
    assignees = (task.assigned_agent_id, task.assigned_user_id)
    found = await present_task(task)
    if found is None or (found.assigned_agent_id, found.assigned_user_id) != assignees:
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
