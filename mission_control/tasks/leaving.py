"""Delete, restore and release tasks."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from mission_control.agents.models import Agent
from mission_control.agents.work_state import standing_of
from mission_control.boards.attempts import begin_run, end_run, held_by, track_run
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.values import Body, Moment
from mission_control.database.sql import is_postgres, rows
from mission_control.log.commands import command
from mission_control.log.event_log import Kind, NewEvent
from mission_control.log.unit_of_work import Reactions, record
from mission_control.people.work_state import STOPPED, lock_work_state_shared
from mission_control.tasks import rules
from mission_control.tasks.changes import TaskSnapshot, locked_task, present_task
from mission_control.tasks.dependencies import blockers_of, dependency_ids, refuse_cycle
from mission_control.tasks.models import Task, TaskDependency
from mission_control.tasks.notices import notify_assignee, notify_former_assignee, notify_unblocked
from mission_control.tasks.rules import reaches

EVENTS = (
    Kind("task.deleted", "A task was taken off its board; it can be restored.", "deleted"),
    Kind.named("task.erased", "A task of the trash was deleted for good.", "erased"),
    Kind("task.restored", "A deleted task was put back.", "restored"),
    Kind("task.archived", "A done task was put out of sight.", "archived"),
    Kind("task.unarchived", "A task was taken out of the archive.", "took out of the archive"),
)

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
    task.updated_at = times.clock_now()
    await task.save(update_fields=[*changed, "updated_at"])
    data = {name: pair for name, pair in changed.items() if name != "position"}
    record(
        "task.status_changed" if task.status != before.status else "task.updated",
        task,
        message,
        before={name: pair[0] for name, pair in data.items()},
        after={name: pair[1] for name, pair in data.items()},
    )


DELETED = "The task was deleted."


@command("task.delete")
async def delete_task(actor: Actor, task: Task) -> None:
    """Delete a task. It can be restored."""
    task = await locked_task(task)
    await end_run(task.id, "released", DELETED)
    task.deleted_at = task.updated_at = times.clock_now()
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
    found.deleted_at, found.updated_at = None, times.clock_now()
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
    task.updated_at = times.clock_now()
    await task.save(update_fields=["assigned_agent_id", "assigned_user_id", "updated_at"])
    record("task.updated", task, f"Task unassigned: {task.title}. {why}", before=before, after={name: None})


class ArchiveRequest(Body):
    """Tasks that were done before this moment."""

    done_before: Moment


class ArchiveRead(BaseModel):
    """Which tasks were archived."""

    archived_task_ids: list[UUID]


@command("task.archive_old")
async def archive_old_tasks(actor: Actor, board: Board, done_before: datetime) -> list[UUID]:
    """Archive the tasks of a board that were done before a moment. Return them, oldest first."""
    hold = " FOR NO KEY UPDATE OF t" if is_postgres() else ""
    found = await rows(
        "SELECT t.id FROM tasks t WHERE t.board_id = ? AND t.status = 'done' AND t.deleted_at IS NULL"
        " AND t.archived_at IS NULL AND COALESCE((SELECT MAX(e.created_at) FROM events e WHERE e.task_id = t.id"
        f" AND e.kind = 'task.status_changed'), t.created_at) < ? ORDER BY t.created_at, t.id{hold}",
        board.id,
        done_before,
    )
    archived = []
    for task in await Task.filter(id__in=[row["id"] for row in found]).order_by("created_at", "id"):
        task.board = board
        await _archive(task)
        archived.append(task.id)
    return archived


@command("task.archive")
async def archive_task(actor: Actor, task: Task) -> Task:
    """Archive a done task. Raise Conflict when it is not done."""
    task = await locked_task(task)
    if task.status != "done":
        raise Conflict("Only done tasks can be archived.")
    if task.archived_at is None:
        await _archive(task)
    return task


async def _archive(task: Task) -> None:
    task.archived_at = task.updated_at = times.clock_now()
    await task.save(update_fields=["archived_at", "updated_at"])
    record("task.archived", task, f"Task archived: {task.title}.", title=task.title)


@command("task.archive")
async def unarchive_task(actor: Actor, task: Task) -> Task:
    """Return an archived task to its board."""
    task = await locked_task(task)
    if task.archived_at is not None:
        task.archived_at, task.updated_at = None, times.clock_now()
        await task.save(update_fields=["archived_at", "updated_at"])
        record("task.unarchived", task, f"Task taken out of the archive: {task.title}.", title=task.title)
    return task


reactions = Reactions()


@reactions.to("agent.deleted")
async def unassign_tasks_of_deleted_agent(actor: Actor, event: NewEvent) -> None:
    held = Task.filter(assigned_agent_id=event.agent_id, deleted_at=None).order_by("id")
    for task in await held.select_related("board"):
        await release_task(actor, task, "Its agent was deleted.")


@reactions.to("agent.updated")
async def unassign_tasks_of_moved_agent(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of an agent that moved to another board; they stay on their board."""
    if "board_id" not in event.data.get("after", {}):
        return
    left = Task.filter(assigned_agent_id=event.scope.agent_id, board_id=event.data["before"]["board_id"])
    for task in await left.filter(deleted_at=None).exclude(status="done").order_by("id").select_related("board"):
        await release_task(actor, task, "Its agent went to another board.")


@reactions.to("member.left", "member.removed")
async def unassign_tasks_of_former_member(actor: Actor, event: NewEvent) -> None:
    """Unassign the tasks of a person who left the organization."""
    held = Task.filter(assigned_user_id=event.data["user_id"], deleted_at=None).order_by("id")
    for task in await held.filter(board__organization_id=event.scope.organization_id).select_related("board"):
        await release_task(actor, task, "Its assignee left the organization.")


@reactions.to("member.access_changed")
async def unassign_tasks_out_of_reach(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of a person on boards that the person can no longer read."""
    user_id = event.data["user_id"]
    held = Task.filter(assigned_user_id=user_id, deleted_at=None, board__organization_id=event.scope.organization_id)
    tasks = await held.exclude(status="done").order_by("id").select_related("board")
    boards = {task.board_id: task.board for task in tasks}
    left = {board_id for board_id, board in boards.items() if not await reaches(board, user_id)}
    for task in tasks:
        if task.board_id in left:
            await release_task(actor, task, "Its assignee can no longer read the board.")


@reactions.to("agent.work_state_changed", "board.work_state_changed", "organization.work_state_changed")
async def release_stopped_work(actor: Actor, event: NewEvent) -> None:
    """Return the tasks in progress of stopped agents to the inbox, and end their runs."""
    if event.data["after"]["work_state"] != STOPPED:
        return
    scope = event.scope
    held = Task.filter(status="in_progress", assigned_agent_id__isnull=False, deleted_at=None, board__deleted_at=None)
    if scope.agent_id is not None:
        held = held.filter(assigned_agent_id=scope.agent_id)
    elif scope.board_id is not None:
        held = held.filter(board_id=scope.board_id)
    else:
        held = held.filter(board__organization_id=scope.organization_id)
    for task in await held.order_by("id").select_related("board"):
        await release_task(actor, task, event.message, only_started=True)
