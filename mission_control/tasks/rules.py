"""The three rule sets for changing a task: people, workers, leads."""

import time
from collections.abc import Set
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.boards.models import Board
from mission_control.boards.statuses import STATUSES
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.declared import UNSET, sent
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.database.sql import is_postgres, rows
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.dependencies import blocked_error, blockers_of
from mission_control.tasks.fields import Role, changeable_by
from mission_control.tasks.models import Task

LEAD_FIELDS = changeable_by(Role.LEAD)
WORKER_FIELDS = changeable_by(Role.WORKER)


def top_position() -> float:
    """Return the position above everything that was put into a column earlier."""
    return -time.time()


# Fields that an agent may not send


def refuse_fields(actor: Actor, task: Task, names: Set[str]) -> None:
    """Refuse fields that an agent's role never changes, and a status that a worker sends for another's task."""
    if not actor.is_agent:
        return
    if actor.is_lead:
        _refuse_lead_fields(names)
        return
    if "status" in names and _is_others(actor, task):
        raise Forbidden(ErrorCode.TASK_ASSIGNEE_MISMATCH.detail())
    if names - WORKER_FIELDS:
        raise Forbidden(
            ErrorCode.TASK_UPDATE_FIELD_FORBIDDEN.detail("A worker changes status, comment and custom fields only.")
        )


def _refuse_lead_fields(names: Set[str]) -> None:
    if "comment" in names:
        raise Forbidden("A lead comments with the comments operation.")
    if strange := sorted(names - LEAD_FIELDS):
        raise Forbidden(f"A lead may not change {', '.join(strange)}; it may change {', '.join(sorted(LEAD_FIELDS))}.")


# People


async def apply_user_rules(actor: Actor, board: Board, task: Task, change: TaskChange) -> None:
    """Change the task in memory as a person may. Raise 409 when it is blocked, 404 or 409 for a wrong assignee."""
    await _refuse_blocked_change(task, change)
    status = sent(change.status, task.status)
    if status != task.status:
        enter(task, status)
    for name, value in change.plain.items():
        setattr(task, name, value)
    await assign(board, task, change)


async def _refuse_blocked_change(task: Task, change: TaskChange) -> None:
    if _stays_done(task, change):
        return
    moves = sent(change.status, task.status) not in (task.status, "inbox")
    assigns = sent(change.assigned_agent_id, None) not in (None, task.assigned_agent_id) or (
        sent(change.assigned_user_id, None) not in (None, task.assigned_user_id)
    )
    if (moves or assigns) and (blockers := await blockers_of(task.id)):
        raise blocked_error(blockers)


def _stays_done(task: Task, change: TaskChange) -> bool:
    """Return whether a done task stays done: it waits for nothing, whatever its dependencies are."""
    return task.status == "done" and sent(change.status, "done") == "done"


def enter(task: Task, status: str) -> None:
    """Move a task to another column and set its clocks, assignee and position. Every step back begins a new attempt."""
    if STATUSES.index(status) < STATUSES.index(task.status):
        task.attempt += 1
    task.rework_at = None
    if status == "review" and task.status == "in_progress":
        task.review_agent_id = task.assigned_agent_id
    if status in ("inbox", "review"):
        leave_work(task)
    if status == "in_progress":
        task.in_progress_at = clock.now()
    task.status = status
    task.position = top_position()


def leave_work(task: Task) -> None:
    """Unassign the task and stop its clock, remembering when the work began."""
    task.previous_in_progress_at = task.in_progress_at
    task.in_progress_at = task.assigned_agent_id = task.assigned_user_id = None


async def assign(board: Board, task: Task, change: TaskChange) -> None:
    """Apply the assignee that was sent: an agent or a person, never both."""
    agent_id, user_id = change.assigned_agent_id, change.assigned_user_id
    if sent(agent_id, None) is not None and sent(user_id, None) is not None:
        raise Invalid("A task has one assignee: an agent or a person.")
    if agent_id is not UNSET:
        await check_agent(board, agent_id)
        task.assigned_agent_id = agent_id
        if agent_id is not None:
            task.assigned_user_id = None
    if user_id is not UNSET:
        await check_user(board, user_id)
        task.assigned_user_id = user_id
        if user_id is not None:
            task.assigned_agent_id = None


async def check_agent(board: Board, agent_id: UUID | None, *, may_be_lead: bool = True) -> None:
    """Raise 404 for an unknown agent, 403 for a lead where none is allowed, 409 for an agent of another board."""
    if agent_id is None:
        return
    agent = await Agent.get_or_none(id=agent_id)
    if agent is None or agent.organization_id != board.organization_id:
        raise NotFound()
    if agent.is_board_lead and not may_be_lead:
        raise Forbidden("A lead gives tasks to workers, not to a lead.")
    if agent.board_id is not None and agent.board_id != board.id:
        raise Conflict()


async def check_user(board: Board, user_id: UUID | None) -> None:
    """Raise 404 for a person who cannot read the board."""
    if user_id is not None and not await reaches(board, user_id):
        raise NotFound("This person cannot read the board.")


async def reaches(board: Board, user_id: UUID) -> bool:
    """Return whether a person can read the board, and lock that until the running command ends."""
    hold = " FOR SHARE OF m" if is_postgres() else ""
    found = await rows(
        "SELECT 1 AS one FROM organization_members m WHERE m.user_id = ? AND m.organization_id = ?"
        " AND (m.all_boards_read OR m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x"
        f" WHERE x.organization_member_id = m.id AND x.board_id = ? AND (x.can_read OR x.can_write))){hold}",
        user_id,
        board.organization_id,
        board.id,
    )
    return bool(found)


# Workers


async def apply_worker_rules(actor: Actor, board: Board, task: Task, change: TaskChange) -> None:
    """Change the task in memory as a worker may. Raise Conflict when another agent took it."""
    status = change.status
    if status is UNSET:
        return
    if _is_others(actor, task):
        raise Conflict(ErrorCode.TASK_ALREADY_CLAIMED.detail("Somebody else took this task a moment ago."))
    if board.only_lead_can_change_status:
        raise Forbidden("On this board only the lead changes a task's status.")
    if status != "inbox" and (status != task.status or _is_claim(task, status)):
        if blockers := await blockers_of(task.id):
            raise blocked_error(blockers)
    _work(actor, task, status)


def _is_others(actor: Actor, task: Task) -> bool:
    return task.assigned_user_id is not None or task.assigned_agent_id not in (None, actor.id)


def _is_claim(task: Task, status: str) -> bool:
    return status == "in_progress" and task.assigned_agent_id is None


def _work(actor: Actor, task: Task, status: str) -> None:
    if status == task.status and not _is_claim(task, status):
        return
    enter(task, status)
    if status in ("in_progress", "done"):
        task.assigned_agent_id = actor.id
    if status == "review":
        task.review_agent_id = actor.id


# Leads


async def apply_lead_rules(actor: Actor, board: Board, task: Task, change: TaskChange) -> None:
    """Change the task in memory as the board's lead may."""
    if {"assigned_agent_id", "status"} & change.names and (blockers := await blockers_of(task.id)):
        if _changes_something(task, change) and not _stays_done(task, change):
            raise blocked_error(blockers)
    if change.assigned_agent_id is not UNSET:
        await check_agent(board, change.assigned_agent_id, may_be_lead=False)
        task.assigned_agent_id = change.assigned_agent_id
        task.assigned_user_id = None if task.assigned_agent_id else task.assigned_user_id
    if sent(change.status, task.status) != task.status:
        await _lead_moves(board, task, change)


def _changes_something(task: Task, change: TaskChange) -> bool:
    agent_id = sent(change.assigned_agent_id, task.assigned_agent_id)
    return agent_id != task.assigned_agent_id or sent(change.status, task.status) != task.status


async def _lead_moves(board: Board, task: Task, change: TaskChange) -> None:
    before, after = task.status, sent(change.status, task.status)
    if before == "review" and after in ("done", "inbox"):
        enter(task, after)
        if after == "inbox":
            task.assigned_agent_id = await last_worker(board, task)
            task.rework_at = clock.now() if task.assigned_agent_id else None
    elif before == "inbox" and after == "in_progress" and sent(change.assigned_agent_id, None) is not None:
        enter(task, "in_progress")
    else:
        raise Forbidden("A lead takes a task from review to done or inbox, or assigns and starts one from the inbox.")


async def last_worker(board: Board, task: Task) -> UUID | None:
    """Return the worker of the board that moved a task to review."""
    return task.review_agent_id if await is_worker(board, task.review_agent_id) else None


async def is_worker(board: Board, agent_id: UUID | None) -> bool:
    """Return whether an agent is a worker of the board."""
    return agent_id is not None and await Agent.filter(id=agent_id, board_id=board.id, is_board_lead=False).exists()


async def assign_to_lead(board: Board, task: Task, before_status: str) -> None:
    """Assign a task that enters review to the board's lead, if there is one."""
    if task.status == "review" and before_status != "review":
        if lead_id := await lead_id_of(board.id):
            task.assigned_agent_id, task.assigned_user_id = lead_id, None
