"""The three rule sets for changing a task: people, workers, leads; and what the board's rules forbid."""

from collections.abc import Set
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.agents.work_state import refuse_when_paused, refuse_when_used_up
from mission_control.approvals.queries import has_pending, is_finish_approved
from mission_control.boards.hand_in_counts import missing_for_done
from mission_control.boards.models import Board
from mission_control.boards.parking import IS_PARKED
from mission_control.boards.statuses import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Forbidden, Invalid, NotFound
from mission_control.core.field_tables import UNSET, sent
from mission_control.core.values import JsonObject
from mission_control.database.sql import as_json, is_postgres, rows
from mission_control.people.organizations.work_state import lock_work_state_shared
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.fields import Role, changeable_by
from mission_control.tasks.models import Task

LEAD_FIELDS, WORKER_FIELDS = changeable_by(Role.LEAD), changeable_by(Role.WORKER)


def top_position() -> float:
    return -times.epoch_seconds()


def refuse_fields(actor: Actor, task: Task, names: Set[str]) -> None:
    """Refuse fields that an agent's role never changes, and a status that a worker sends for another's task."""
    if not actor.is_agent:
        return
    if actor.is_lead and "comment" in names:
        raise Forbidden("A lead comments with the comments operation.")
    if actor.is_lead and (strange := sorted(names - LEAD_FIELDS)):
        raise Forbidden(f"A lead may not change {', '.join(strange)}; it may change {', '.join(sorted(LEAD_FIELDS))}.")
    if not actor.is_lead and "status" in names and _is_others(actor, task):
        raise Forbidden(ErrorCode.TASK_ASSIGNEE_MISMATCH.detail())
    if not actor.is_lead and names - WORKER_FIELDS:
        raise Forbidden(
            ErrorCode.TASK_UPDATE_FIELD_FORBIDDEN.detail("A worker changes status, comment and custom fields only.")
        )


def _is_others(actor: Actor, task: Task) -> bool:
    return task.assigned_user_id is not None or task.assigned_agent_id not in (None, actor.id)


async def apply(actor: Actor, task: Task, before: Task, change: TaskChange) -> None:
    """Change the task in memory as the actor's rule set and the board's rules allow. Raise what they forbid."""
    board = task.board
    if not actor.is_agent:
        await _apply_user_rules(board, task, change)
    elif actor.is_lead:
        await _apply_lead_rules(board, task, change)
    else:
        await _apply_worker_rules(actor, board, task, change)
    task.parent_id = sent(change.parent_id, task.parent_id)
    task.blocks_parent = sent(change.blocks_parent, task.blocks_parent)
    if task.status != before.status:
        await _pass_gates(actor, task, before, change)
    if task.status != "done":
        task.archived_at = None


async def _pass_gates(actor: Actor, task: Task, before: Task, change: TaskChange) -> None:
    board = task.board
    is_held = change.status is not UNSET and board.block_status_changes_with_pending_approval
    if is_held and await has_pending(task.id):
        raise _refusal(ErrorCode.TASK_HAS_PENDING_APPROVAL)
    if task.status == "done":
        await pass_done_gates(board, task.id, before.status)
    if actor.is_agent and task.status in ("review", "done"):
        await _pass_done_needs(actor, board, before, sent(change.comment, ""))
    if task.status == "review" and not (actor.is_agent and actor.is_lead):
        if board.comment_required_for_review and not sent(change.comment, ""):
            await _require_comment(actor, before)
        await assign_to_lead(task)


async def _apply_user_rules(board: Board, task: Task, change: TaskChange) -> None:
    status = sent(change.status, task.status)
    agent_id, user_id = sent(change.assigned_agent_id, None), sent(change.assigned_user_id, None)
    assigns = agent_id not in (None, task.assigned_agent_id) or user_id not in (None, task.assigned_user_id)
    if assigns or status not in (task.status, "inbox"):
        await _refuse_blocked(task, status)
    if status != task.status:
        enter(task, status)
    for name, value in change.plain.items():
        setattr(task, name, value)
    await assign(board, task, change)


async def _apply_worker_rules(actor: Actor, board: Board, task: Task, change: TaskChange) -> None:
    status = change.status
    if status is UNSET:
        return
    if _is_others(actor, task):
        raise Conflict(ErrorCode.TASK_ALREADY_CLAIMED.detail("Somebody else took this task a moment ago."))
    if board.only_lead_can_change_status:
        raise Forbidden("On this board only the lead changes a task's status.")
    if status == task.status and (status != "in_progress" or task.assigned_agent_id is not None):
        return
    if status != "inbox":
        await _refuse_blocked(task, status)
    if task.status == "inbox":
        refuse_early(task)
    enter(task, status)
    if status in ("in_progress", "done"):
        task.assigned_agent_id = actor.id
    if status == "review":
        task.review_agent_id = actor.id


async def _apply_lead_rules(board: Board, task: Task, change: TaskChange) -> None:
    agent_id, status = sent(change.assigned_agent_id, task.assigned_agent_id), sent(change.status, task.status)
    if (agent_id, status) != (task.assigned_agent_id, task.status):
        await _refuse_blocked(task, status)
    if change.assigned_agent_id is not UNSET:
        await check_agent(board, agent_id, may_be_lead=False)
        task.assigned_agent_id = agent_id
        task.assigned_user_id = None if agent_id else task.assigned_user_id
    if status == task.status:
        return
    if task.status == "review" and status in ("done", "inbox"):
        enter(task, status)
        if status == "inbox":
            task.assigned_agent_id = await last_worker(task)
            task.rework_at = times.clock_now() if task.assigned_agent_id else None
    elif task.status == "inbox" and status == "in_progress" and sent(change.assigned_agent_id, None) is not None:
        refuse_early(task)
        enter(task, "in_progress")
    else:
        raise Forbidden("A lead takes a task from review to done or inbox, or assigns and starts one from the inbox.")


def enter(task: Task, status: str) -> None:
    """Move a task to another column and set its clocks, assignee and position. Every step back begins a new attempt."""
    if STATUSES.index(status) < STATUSES.index(task.status):
        task.attempt += 1
    task.rework_at = None
    if status == "review" and task.status == "in_progress":
        task.review_agent_id = task.assigned_agent_id
    if status in ("inbox", "review"):
        task.previous_in_progress_at = task.in_progress_at
        task.in_progress_at = task.assigned_agent_id = task.assigned_user_id = None
    if status == "in_progress":
        task.in_progress_at = times.clock_now()
    task.status = status
    task.position = top_position()


async def assign(board: Board, task: Task, change: TaskChange) -> None:
    """Apply the assignee that was sent: an agent or a person, never both."""
    agent_id, user_id = change.assigned_agent_id, change.assigned_user_id
    if sent(agent_id, None) is not None and sent(user_id, None) is not None:
        raise Invalid("A task has one assignee: an agent or a person.")
    if agent_id is not UNSET:
        await check_agent(board, agent_id)
        task.assigned_agent_id = agent_id
        task.assigned_user_id = None if agent_id else task.assigned_user_id
    if user_id is not UNSET:
        if user_id is not None and not await reaches(board, user_id):
            raise NotFound("This person cannot read the board.")
        task.assigned_user_id = user_id
        task.assigned_agent_id = None if user_id else task.assigned_agent_id


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


async def reaches(board: Board, user_id: UUID) -> bool:
    """Lock a person's access until the running command ends."""
    hold = " FOR SHARE OF m" if is_postgres() else ""
    readers = await rows(
        "SELECT 1 AS one FROM organization_members m WHERE m.user_id = ? AND m.organization_id = ?"
        " AND (m.all_boards_read OR m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x"
        f" WHERE x.organization_member_id = m.id AND x.board_id = ? AND (x.can_read OR x.can_write))){hold}",
        user_id,
        board.organization_id,
        board.id,
    )
    return bool(readers)


async def last_worker(task: Task) -> UUID | None:
    return task.review_agent_id if await is_worker(task.board, task.review_agent_id) else None


async def is_worker(board: Board, agent_id: UUID | None) -> bool:
    return agent_id is not None and await Agent.filter(id=agent_id, board_id=board.id, is_board_lead=False).exists()


async def assign_to_lead(task: Task) -> None:
    if lead_id := await lead_id_of(task.board_id):
        task.assigned_agent_id, task.assigned_user_id = lead_id, None


async def blockers_of(task_id: UUID) -> list[str]:
    blockers = await rows(
        "SELECT d.depends_on_task_id AS id FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.task_id = ? AND p.deleted_at IS NULL AND p.status <> 'done' ORDER BY d.created_at, d.id",
        task_id,
    )
    return [str(row["id"]) for row in blockers]


async def _refuse_blocked(task: Task, status: str) -> None:
    """Refuse to move or assign a blocked task, and to hand in one that its parts hold up.

    A done one that stays done waits for nothing.
    """
    if task.status == status == "done":
        return
    approvals = await rows(
        "SELECT d.depends_on_task_id AS id, 0 AS is_part, d.created_at FROM task_dependencies d"
        " JOIN tasks p ON p.id = d.depends_on_task_id WHERE d.task_id = ? AND p.deleted_at IS NULL"
        " AND p.status <> 'done' UNION ALL SELECT c.id, 1, c.created_at FROM tasks c WHERE c.parent_id = ?"
        " AND c.blocks_parent AND c.deleted_at IS NULL AND c.status <> 'done' ORDER BY 3, 1",
        task.id,
        task.id,
    )
    blockers, parts = (
        [str(row["id"]) for row in approvals if bool(row["is_part"]) is is_part] for is_part in (False, True)
    )
    if blockers:
        raise blocked_error(blockers)
    if parts and status != task.status and status in ("review", "done"):
        raise Conflict(ErrorCode.TASK_PARTS_OPEN.detail(blocked_by_task_ids=parts))


def refuse_early(task: Task) -> None:
    """Refuse that an agent begins a task before its moment; people may at any time."""
    if task.not_before is not None and task.not_before > times.clock_now():
        message = f"No agent begins this task before {times.iso(task.not_before)}; a person may start it earlier."
        raise Conflict({"message": message, "code": ErrorCode.TASK_NOT_CLAIMABLE})


def blocked_error(blockers: list[str]) -> Conflict:
    return Conflict(ErrorCode.TASK_BLOCKED.detail(blocked_by_task_ids=blockers))


def _refusal(code: ErrorCode) -> Conflict:
    return Conflict(code.detail(blocked_by_task_ids=[]))


async def pass_done_gates(board: Board, task_id: UUID | None, before: str | None) -> None:
    """Check rules R and A, also for a task that is created as done (no id, no status before)."""
    if board.require_review_before_done and before != "review":
        raise _refusal(ErrorCode.TASK_REVIEW_REQUIRED)
    if board.require_approval_for_done and (task_id is None or not await is_finish_approved(task_id)):
        raise _refusal(ErrorCode.TASK_APPROVAL_REQUIRED)


async def _pass_done_needs(actor: Actor, board: Board, before: Task, words: str) -> None:
    """Check what the board's done needs of agents; people may finish a task without."""
    missing = await missing_for_done(board.done_needs, before.id, words) if board.done_needs else {}
    if "result" in missing and await _has_comment(actor, before):
        del missing["result"]
    if missing:
        message = f"On this board done needs {' and '.join(missing.values())}."
        raise Conflict(ErrorCode.TASK_DONE_NEEDS.detail(message, missing=[*missing], blocked_by_task_ids=[]))


async def _require_comment(actor: Actor, before: Task) -> None:
    """Check rule C: a move to review needs a comment, or one since the work began."""
    if not await _has_comment(actor, before):
        raise Invalid("A comment is required to send a task to review on this board.")


async def _has_comment(actor: Actor, before: Task) -> bool:
    """Whether the worker or the actor commented since the work began."""
    since = before.previous_in_progress_at or before.in_progress_at
    comments = since and await rows(
        "SELECT 1 AS one FROM task_comments WHERE task_id = ? AND created_at >= ? AND deleted_at IS NULL"
        " AND (agent_id = ? OR user_id = ?) LIMIT 1",
        before.id,
        since,
        before.assigned_agent_id,
        actor.user_id,
    )
    return bool(comments)


FULL = {
    "own": "The agent has as much in progress as its limit allows: {n} of {limit}.",
    "in_progress": "The column In progress is full: {n} of {limit}.",
    "review": "The column Review is full: {n} of {limit}. Nothing is started until some of it is reviewed.",
}


class Limits(NamedTuple):
    """How many tasks an agent may have in progress, and how many a board's columns take; None is any number."""

    own: int | None = None
    in_progress: int | None = None
    review: int | None = None

    @classmethod
    def of(cls, wip_limit: int | None, wip_limits: JsonObject | None) -> "Limits":
        return cls(wip_limit, *((wip_limits or {}).get(name) for name in ("in_progress", "review")))


async def lock_limits_for(actor: Actor, task: Task, change: TaskChange) -> Limits:
    """Lock and return the limits that an agent's change may reach. Call it before the task is locked."""
    agent_id = change.assigned_agent_id
    if change.status != "in_progress" and (task.status != "in_progress" or agent_id is UNSET):
        return Limits()
    worker = sent(agent_id, None) or (task.assigned_agent_id if actor.is_lead else actor.id)
    return await lock_limits(worker, task.board_id)


async def lock_limits(agent_id: UUID | None, board_id: UUID) -> Limits:
    """Lock and return the limits of an assignment, so that no other assignment under them runs until the command ends.

    Rows are locked in this order everywhere: agent, board, task. Raise NotFound when the board was deleted.
    """
    await lock_work_state_shared(board_id)
    boards = await rows(
        "SELECT a.wip_limit, b.wip_limits FROM boards b LEFT JOIN agents a ON a.id = ? WHERE b.id = ?",
        agent_id,
        board_id,
    )
    if not boards:
        raise NotFound()
    limits = Limits.of(boards[0]["wip_limit"], as_json(boards[0]["wip_limits"]))
    if is_postgres() and limits.own is not None:
        await rows("SELECT 1 AS one FROM agents WHERE id = ? FOR NO KEY UPDATE", agent_id)
    if is_postgres() and (limits.in_progress is not None or limits.review is not None):
        await rows("SELECT 1 AS one FROM boards WHERE id = ? FOR NO KEY UPDATE", board_id)
    return limits


async def refuse_assignment(limits: Limits, task: Task, before: Task | None = None) -> None:
    """Raise 409 when a task cannot be assigned to its agent: it is paused, has used up a budget or as much as it may.

    The calling command holds the limits and the task.
    """
    await refuse_when_paused(task.assigned_agent_id, task.board_id)
    await refuse_when_used_up(task.assigned_agent_id, task.board)
    if before is not None and before.flagged_at is not None:
        message = (
            f"This task waits for a person: {before.flag_reason} A person moves it, assigns it or clears the flag."
        )
        raise Conflict({"message": message, "code": ErrorCode.TASK_NOT_CLAIMABLE})
    if (reason := await full(limits, task.assigned_agent_id, task.board_id, excluding=task.id)) is not None:
        raise Conflict({"message": reason, "code": ErrorCode.WIP_LIMIT_REACHED})


async def full(limits: Limits, agent_id: UUID | None, board_id: UUID, *, excluding: UUID | None = None) -> str | None:
    """Name the first limit that is reached. The task `excluding` does not count."""
    if limits == Limits():
        return None
    [row] = await rows(
        "SELECT (SELECT COUNT(*) FROM tasks t WHERE t.assigned_agent_id = ? AND t.status = 'in_progress'"
        f"  AND t.deleted_at IS NULL AND t.id <> ? AND NOT {IS_PARKED}) AS own,"
        " COALESCE(SUM(CASE WHEN c.status = 'in_progress' THEN 1 ELSE 0 END), 0) AS in_progress,"
        " COALESCE(SUM(CASE WHEN c.status = 'review' THEN 1 ELSE 0 END), 0) AS review"
        " FROM tasks c WHERE c.board_id = ? AND c.status IN ('in_progress', 'review') AND c.deleted_at IS NULL"
        " AND c.archived_at IS NULL AND c.id <> ?",
        agent_id,
        excluding or UUID(int=0),
        board_id,
        excluding or UUID(int=0),
    )
    for name, limit in limits._asdict().items():
        if limit is not None and int(row[name]) >= limit:
            return FULL[name].format(n=int(row[name]), limit=limit)
    return None
