"""Delete, restore and release tasks."""

from copy import copy
from datetime import datetime
from typing import Final
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.work_state import standing_of
from mission_control.boards.attempts import begin_run, end_run, held_by, track_run
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, existing
from mission_control.core.values import Body, Moment, Schema
from mission_control.database.sql import is_postgres, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import react, reacts_to, record
from mission_control.people.organizations.work_state import STOPPED, lock_work_state_shared
from mission_control.tasks.changes import locked_task, present_task, save
from mission_control.tasks.dependencies import dependency_ids, refuse_cycle
from mission_control.tasks.models import Task, TaskDependency
from mission_control.tasks.notices import notify_assignee, notify_former_assignee, notify_unblocked
from mission_control.tasks.parts import Happened, tell_parent
from mission_control.tasks.rules import blockers_of, enter, reaches

EVENTS = (
    Kind("task.deleted", "A task was taken off its board; it can be restored.", "deleted"),
    Kind.named("task.erased", "A task of the trash was deleted for good.", "erased"),
    Kind("task.restored", "A deleted task was put back.", "restored"),
    Kind("task.archived", "A done task was put out of sight.", "archived"),
    Kind("task.unarchived", "A task was taken out of the archive.", "took out of the archive"),
)

REOPENED: Final = "was opened again"
RESTORED: Final = "was restored"
DELETED = "The task was deleted."


async def update_dependents(actor: Actor, task: Task, what: Happened) -> None:
    """Record on the parent and the dependents of a task what happened to it.

    When it is open again, dependents that were started return to the inbox.

    Notify the agents of tasks that were taken from them, and of unblocked ones.
    """
    await tell_parent(task, task.parent_id, what)
    waits_again = what in (REOPENED, RESTORED)
    waiting = (
        await TaskDependency.filter(depends_on_task_id=task.id).order_by("created_at").values_list("task_id", flat=True)
    )
    for waiting_task in await Task.filter(id__in=list(waiting), deleted_at=None).exclude(status="done").order_by("id"):
        waiting_task.board = task.board
        dependent = await present_task(waiting_task)
        if dependent is None or dependent.status == "done":
            continue
        is_idle = dependent.status == "inbox" and not dependent.assigned_agent_id and not dependent.assigned_user_id
        if waits_again and not is_idle:
            had_it = dependent.assigned_agent_id
            await return_to_inbox(actor, dependent, f"Task returned to inbox: {dependent.title}. A dependency {what}.")
            notify_former_assignee(actor, dependent, had_it, f"A task that it waits for {what}.")
        else:
            record("task.updated", dependent, f"A dependency {what}: {dependent.title}.", dependency_id=task.id)
        if not waits_again and not await blockers_of(dependent.id):
            await notify_unblocked(dependent)


async def return_to_inbox(actor: Actor, task: Task, message: str, why: str | None = None) -> None:
    """Unassign a task, end its run (`why`), and return it to the inbox. The calling command holds the task."""
    before = copy(task)
    enter(task, "inbox")
    await track_run(actor, task, before, why)
    await save(task, before, message)


@command("task.delete")
async def delete_task(actor: Actor, task: Task) -> None:
    """Delete a task. It can be restored."""
    task = await locked_task(task)
    await end_run(task.id, "released", DELETED)
    await _set(task, deleted_at=times.clock_now())
    record("task.deleted", task, f"Task deleted: {task.title}.", title=task.title, status=task.status)
    if task.status != "done":
        notify_former_assignee(actor, task, task.assigned_agent_id, "It was deleted.")
        await update_dependents(actor, task, "was deleted")
    else:
        await tell_parent(task, task.parent_id, "was deleted")


@command("task.restore")
async def restore_task(actor: Actor, task: Task) -> Task:
    """Restore a deleted task in its column. Started work that cannot go on returns to the inbox.

    Tasks that wait for it wait again: those that were started return to the inbox. Raise Conflict when tasks
    would wait for each other in a circle.
    """
    await lock_work_state_shared(task.board_id)
    task = await _locked_with_board(task)
    if task.deleted_at is None:
        return task
    await _set(task, deleted_at=None)
    await refuse_cycle(task.board_id, task.id, await dependency_ids(task.id))
    record("task.restored", task, f"Task restored: {task.title}.", title=task.title, status=task.status)
    if task.status != "done":
        await _go_on(actor, task)
        await update_dependents(actor, task, RESTORED)
    else:
        await tell_parent(task, task.parent_id, RESTORED)
    return task


@command("task.erase")
async def erase_task(actor: Actor, task: Task) -> None:
    """Delete a task of the trash for good, with its comments, files and runs. Raise Conflict for any other task."""
    task = await _locked_with_board(task, for_good=True)
    if task.deleted_at is None:
        raise Conflict("Delete the task first. Only tasks in the trash are deleted for good.")
    record("task.erased", task, f"Task deleted for good: {task.title}.", title=task.title, number=task.number)
    await react()  # its runs say what else was about it
    await task.delete()


async def _locked_with_board(task: Task, *, for_good: bool = False) -> Task:
    """Lock the board, and a task that may be deleted; with `for_good` also against rows that refer to it."""
    await locked_board(task.board)
    locked = await existing(Task.select_for_update(no_key=not for_good).get_or_none(id=task.id))
    locked.board = task.board
    return locked


async def _set(task: Task, **columns: datetime | UUID | None) -> None:
    task.update_from_dict({**columns, "updated_at": times.clock_now()})
    await task.save(update_fields=[*columns, "updated_at"])


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
        await notify_assignee(actor, task, None)


async def _why_not(task: Task) -> str | None:
    """Say why the assignee of a deleted task cannot have it now."""
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
    if run is not None and run.parked_at is not None:
        return "Its agent waited for an answer, and nothing is asked any more."
    return "The lease of its agent is over." if run is not None and run.lease_expires_at is not None else None


@command("task.release")
async def release_task(actor: Actor, task: Task, why: str, *, only_started: bool = False) -> None:
    """Release a task whose assignee leaves: return it to the inbox when it is in progress, else unassign it.

    It is a no-op for a task that was reassigned and, with `only_started`, for one that is not in progress.
    """
    assignees = (task.assigned_agent_id, task.assigned_user_id)
    present = await present_task(task)
    if present is None or (present.assigned_agent_id, present.assigned_user_id) != assignees:
        return
    if present.status == "in_progress":
        await end_run(present.id, "released", why)
        await return_to_inbox(actor, present, f"Task returned to inbox: {present.title}. {why}")
    elif not only_started:
        before = copy(present)
        present.assigned_agent_id = present.assigned_user_id = None
        await save(present, before, f"Task unassigned: {present.title}. {why}")


class ArchiveRequest(Body):
    """Tasks that were done before this moment."""

    done_before: Moment


class ArchiveRead(Schema):
    """Which tasks were archived."""

    archived_task_ids: list[UUID]


@command("task.archive_old")
async def archive_old_tasks(actor: Actor, board: Board, done_before: datetime) -> list[UUID]:
    """Archive the tasks of a board that were done before a moment. Return them, oldest first."""
    hold = " FOR NO KEY UPDATE OF t" if is_postgres() else ""
    tasks = await rows(
        "SELECT t.id FROM tasks t WHERE t.board_id = ? AND t.status = 'done' AND t.deleted_at IS NULL"
        " AND t.archived_at IS NULL AND COALESCE((SELECT MAX(e.created_at) FROM events e WHERE e.task_id = t.id"
        f" AND e.kind = 'task.status_changed'), t.created_at) < ? ORDER BY t.created_at, t.id{hold}",
        board.id,
        done_before,
    )
    archived = await Task.filter(id__in=[row["id"] for row in tasks]).order_by("created_at", "id")
    for task in archived:
        task.board = board
        await _archive(task)
    return [task.id for task in archived]


async def _archive(task: Task) -> None:
    await _set(task, archived_at=times.clock_now())
    record("task.archived", task, f"Task archived: {task.title}.", title=task.title)


@command("task.archive")
async def archive_task(actor: Actor, task: Task) -> Task:
    """Archive a done task. Raise Conflict when it is not done."""
    task = await locked_task(task)
    if task.status != "done":
        raise Conflict("Only done tasks can be archived.")
    if task.archived_at is None:
        await _archive(task)
    return task


@command("task.archive")
async def unarchive_task(actor: Actor, task: Task) -> Task:
    task = await locked_task(task)
    if task.archived_at is not None:
        await _set(task, archived_at=None)
        record("task.unarchived", task, f"Task taken out of the archive: {task.title}.", title=task.title)
    return task


async def _release_all(actor: Actor, why: str, *, only_started: bool = False, **conditions: object) -> None:
    for task in await Task.filter(**conditions, deleted_at=None).order_by("id").select_related("board"):
        await release_task(actor, task, why, only_started=only_started)


@reacts_to("agent.deleted")
async def unassign_tasks_of_deleted_agent(actor: Actor, event: NewEvent) -> None:
    await _release_all(actor, "Its agent was deleted.", assigned_agent_id=event.agent_id)


@reacts_to("agent.updated")
async def unassign_tasks_of_moved_agent(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of an agent that moved to another board; they stay on their board."""
    if "board_id" in event.data.get("after", {}):
        conditions = {"assigned_agent_id": event.scope.agent_id, "board_id": event.data["before"]["board_id"]}
        await _release_all(actor, "Its agent went to another board.", status__not="done", **conditions)


@reacts_to("member.left", "member.removed")
async def unassign_tasks_of_former_member(actor: Actor, event: NewEvent) -> None:
    conditions = {"assigned_user_id": event.data["user_id"], "board__organization_id": event.scope.organization_id}
    await _release_all(actor, "Its assignee left the organization.", **conditions)


@reacts_to("member.access_changed")
async def unassign_tasks_out_of_reach(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of a person on boards that the person can no longer read."""
    conditions = {"assigned_user_id": event.data["user_id"], "board__organization_id": event.scope.organization_id}
    tasks = await Task.filter(**conditions, deleted_at=None, status__not="done").order_by("id").select_related("board")
    boards = {task.board_id: task.board for task in tasks}
    left = {board_id for board_id, board in boards.items() if not await reaches(board, event.data["user_id"])}
    for task in tasks:
        if task.board_id in left:
            await release_task(actor, task, "Its assignee can no longer read the board.")


@reacts_to("agent.work_state_changed", "board.work_state_changed", "organization.work_state_changed")
async def release_stopped_work(actor: Actor, event: NewEvent) -> None:
    """Return the tasks in progress of stopped agents to the inbox, and end their runs."""
    if event.data["after"]["work_state"] != STOPPED:
        return
    scope = event.scope
    conditions = {"board__organization_id": scope.organization_id, "board__deleted_at": None}
    if scope.agent_id is not None:
        conditions["assigned_agent_id"] = scope.agent_id
    elif scope.board_id is not None:
        conditions["board_id"] = scope.board_id
    in_hand = {"status": "in_progress", "assigned_agent_id__isnull": False}
    await _release_all(actor, event.message, only_started=True, **in_hand, **conditions)
