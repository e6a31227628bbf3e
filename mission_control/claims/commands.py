"""Claims: assign tasks to workers under a lease."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from mission_control.agents.work_state import PAUSED_CODES, refuse_when_paused, refuse_when_used_up
from mission_control.boards.models import Board
from mission_control.claims import selection
from mission_control.claims.leases import Lease, hold_until, is_over, notify_pages
from mission_control.claims.schemas import ClaimCreate
from mission_control.commands.command import command
from mission_control.core import clock, times
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.database.records import find
from mission_control.organizations.work_state import lock_work_state_shared
from mission_control.runs.tracking import running
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task
from mission_control.tasks.limits import Limits, lock_limits
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read

NO_WORK_CODES = (*PAUSED_CODES.values(), ErrorCode.BUDGET_EXHAUSTED)


class Worker(NamedTuple):
    """A worker, its limits and what it accepts, read before a claim."""

    id: UUID | None
    board_id: UUID
    limits: Limits
    capabilities: Sequence[str] | None
    token_id: UUID | None

    def search(self, wanted: ClaimCreate) -> selection.Search:
        """Return the search for tasks that this worker can take."""
        return selection.Search(self.id, self.board_id, self.capabilities, wanted.tags or None, self.token_id)


class Missed(Exception):
    """Every task found is locked by another command, or changed at the last moment. Try again."""


@command("task.claim")
async def claim_best(
    actor: Actor, board: Board, worker: Worker, wanted: ClaimCreate, seen: Sequence[UUID]
) -> dict[str, Any]:
    """Assign the best of some tasks to a worker."""
    await lock_work_state_shared(board.id)
    if worker.limits != Limits():
        await lock_limits(actor.id, board.id)
    chosen = await selection.hold_best(worker.search(wanted), seen)
    if chosen is None:
        raise Missed
    task = Task(id=chosen, board_id=board.id, status="inbox")
    task.board = board
    try:
        task = await change_task(actor, task, TaskChange(status="in_progress"))
    except (Conflict, Forbidden, NotFound) as error:
        if isinstance(error.detail, dict) and error.detail.get("code") in NO_WORK_CODES:
            raise
        raise Missed from error
    return await _answer(await hold_until(task, wanted.lease_seconds))


@command("task.claim")
async def claim_named(actor: Actor, board: Board, worker: Worker, wanted: ClaimCreate) -> dict[str, Any]:
    """Assign one task to a worker, or renew the lease that it has. Raise 409 when a rule forbids it."""
    await lock_limits(actor.id, board.id)
    task = await find(Task, "id = ? AND board_id = ? AND deleted_at IS NULL", wanted.task_id, board.id, lock=True)
    if task is None:
        raise NotFound()
    task.board = board
    if await _is_held_by_caller(actor, task):
        notify_pages(actor, task)
        return await _answer(await hold_until(task, wanted.lease_seconds))
    refuse_closed(board)
    await refuse_when_used_up(actor.agent_id, board)
    await refuse_when_paused(actor.agent_id, board.id)
    await _refuse_unclaimable(actor, task, worker, wanted)
    task = await change_task(actor, task, TaskChange(status="in_progress"))
    return await _answer(await hold_until(task, wanted.lease_seconds))


async def _answer(lease: Lease) -> dict[str, Any]:
    return {"task": await task_read(lease.task_id), "lease": lease.serialize(), "reason": None}


async def _is_held_by_caller(actor: Actor, task: Task) -> bool:
    run = await running(task.id)
    return run is not None and run.agent_id == actor.id and not is_over(run)


# What stands against a claim


def refuse_closed(board: Board) -> None:
    """Raise 409 on a board on which only the lead changes the status of tasks."""
    if board.only_lead_can_change_status:
        raise Conflict(ErrorCode.CLAIMS_DISABLED.detail())


async def _refuse_unclaimable(actor: Actor, task: Task, worker: Worker, wanted: ClaimCreate) -> None:
    """Raise 409 for reasons other than the board's rules: the assignee, the status, a flag or a pause."""
    if task.assigned_agent_id not in (None, actor.id):
        raise Conflict({"message": "Another agent has this task.", "code": ErrorCode.TASK_ALREADY_CLAIMED})
    if reason := await _reason(task, worker, wanted):
        raise Conflict({"message": reason, "code": ErrorCode.TASK_NOT_CLAIMABLE})


async def _reason(task: Task, worker: Worker, wanted: ClaimCreate) -> str | None:
    if task.assigned_user_id is not None:
        return "This task belongs to a person."
    if task.status != "inbox":
        return f"This task is in {task.status}; tasks are claimed from the inbox."
    if task.flagged_at is not None:
        return f"This task waits for a person. {task.flag_reason}"
    if task.retry_at is not None and task.retry_at > clock.now():
        return f"A lease of this task ran out; it rests until {times.iso(task.retry_at)}."
    if task.assigned_agent_id is None and not await selection.carries(task.id, worker.capabilities):
        return f"This task has none of the tags that you take: {', '.join(worker.capabilities or ())}."
    if not await selection.carries(task.id, wanted.tags or None):
        return "This task has none of the tags that you ask for."
    return None
