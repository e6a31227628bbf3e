"""The attempt of an agent at a task: its beginning, its end, its fence, and what it asked people."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, NotFound
from mission_control.core.values import Schema
from mission_control.database.records import find, insert
from mission_control.database.sql import as_id, as_moment, is_postgres, placeholders, rows
from mission_control.events.unit_of_work import unit_of_work


class AssignedTask(Protocol):
    """The fields of a task that decide whether an agent holds it, and those that an assignment changes."""

    id: Any
    board_id: Any
    status: str
    assigned_agent_id: Any
    assigned_user_id: Any
    fence: Any
    attempt: Any
    rework_at: Any
    failed_attempts: Any
    retry_at: Any
    flagged_at: Any
    flag_reason: Any


def held_by(task: AssignedTask) -> UUID | None:
    return task.assigned_agent_id if task.status == "in_progress" else None


async def track_run(actor: Actor, task: AssignedTask, before: AssignedTask, why: str | None = None) -> None:
    """Begin or end the run of a changed task. The calling command holds the task and saves it afterwards.

    `why` is told of a run that ends without being finished; otherwise it says by whom.

    An assignment raises `fence` and `attempt` and clears the flag and the pause. Work that is taken away begins a new
    attempt too. Finished work, and a person who moves or assigns the task, also reset the number of failed attempts.
    """
    was, is_now = held_by(before), held_by(task)
    if was == is_now:
        names = ("status", "assigned_agent_id", "assigned_user_id")
        if actor.is_user and any(getattr(task, name) != getattr(before, name) for name in names):
            forgive(task)
        return
    if was is not None:
        await _end_assignment(actor, task, is_now, why)
    if is_now is not None:
        task.failed_attempts = 0 if actor.is_user else task.failed_attempts
        task.retry_at = task.flagged_at = task.flag_reason = task.rework_at = None
        task.fence += 1
        task.attempt += 1
        await begin_run(task, is_now)


async def _end_assignment(actor: Actor, task: AssignedTask, is_now: UUID | None, why: str | None) -> None:
    finished = is_now is None and task.status in ("review", "done")
    state = "superseded" if is_now is not None else "completed" if finished else "released"
    await end_run(task.id, state, None if finished else why or f"By {actor.name}.")
    if finished:
        task.failed_attempts = 0
    elif is_now is None:
        task.attempt += 1


def forgive(task: AssignedTask) -> None:
    """Clear the flag, the pause and the failed attempts of a task."""
    task.failed_attempts, task.retry_at, task.flagged_at, task.flag_reason = 0, None, None, None


async def begin_run(task: AssignedTask, agent_id: UUID) -> Run:
    """Store a run without an expiry, with `task.fence` as its fence. Raise NotFound when the agent was deleted."""
    agents = await rows("SELECT name FROM agents WHERE id = ?", agent_id)
    if not agents:
        raise NotFound()
    run = Run(
        board_id=task.board_id,
        task_id=task.id,
        agent_id=agent_id,
        agent_name=agents[0]["name"],
        fence=task.fence,
        started_at=times.clock_now(),
    )
    await insert(run)
    return run


async def end_run(task_id: UUID, state: str, reason: str | None) -> bool:
    ended = await rows(
        "UPDATE task_runs SET state = ?, ended_at = ?, end_reason = ? WHERE task_id = ? AND ended_at IS NULL"
        " RETURNING id",
        state,
        times.clock_now(),
        reason,
        task_id,
    )
    return bool(ended)


async def running(task_id: UUID) -> Run | None:
    return await find(Run, "task_id = ? AND ended_at IS NULL", task_id)


LIVE = ("running", "completed")


async def refuse_lost_lease(task_ids: Sequence[UUID]) -> None:
    """Raise 409 `lease_lost` when the caller sends a stale fence. Call it in a command that holds the tasks.

    A caller that sends no fence is not checked. The fence of a finished run stays valid until the next assignment, so
    that its agent can still add to the task.
    """
    fence = unit_of_work().actor.fence
    if fence is None or not task_ids:
        return
    tasks = await rows(
        "SELECT t.id, t.fence, r.state, r.lease_expires_at, r.agent_id FROM tasks t"
        " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
        f" WHERE t.id IN ({placeholders(len(task_ids))})",
        *task_ids,
    )
    for row in tasks:
        expires_at = as_moment(row["lease_expires_at"])
        is_over = row["state"] == "running" and expires_at is not None and expires_at <= times.clock_now()
        is_mine = str(row["agent_id"]) == str(unit_of_work().actor.id)
        if row["fence"] != fence or row["state"] not in LIVE or is_over or not is_mine:
            raise await lease_lost(row["id"], fence, int(row["fence"]))


async def hold_lease(task_id: UUID) -> None:
    """Lock a task against a new assignment until the running command ends, and refuse a stale fence."""
    if unit_of_work().actor.fence is not None:
        await lock_task(task_id)
        await refuse_lost_lease([task_id])


async def lock_task(task_id: UUID | None) -> None:
    """Lock a task, and thereby the state of its run, until the running command ends. None locks nothing."""
    if task_id is not None and is_postgres():
        await rows("SELECT 1 AS one FROM tasks WHERE id = ? FOR NO KEY UPDATE", task_id)


class LeaseLostDetail(Schema):
    """The run for which it was asked is over."""

    message: str
    code: Literal["lease_lost"]
    fence: Annotated[int | None, Field(description="The fence that was named")]
    current_fence: Annotated[int | None, Field(description="The fence of the latest assignment")]


async def lease_lost(task_id: UUID, fence: int, current: int) -> Conflict:
    """Advise against a new claim while the work is paused or stopped."""
    is_halted = await rows(
        "SELECT 1 AS one FROM tasks t JOIN boards b ON b.id = t.board_id"
        " JOIN organizations o ON o.id = b.organization_id LEFT JOIN agents a ON a.id = ? WHERE t.id = ?"
        " AND (a.work_state <> 'running' OR b.work_state <> 'running' OR o.work_state <> 'running')",
        unit_of_work().actor.id,
        task_id,
    )
    then = "and claim nothing until your heartbeat says continue" if is_halted else "and call next or claim again"
    message = f"Your lease of this task is over. Stop working on it, {then}."
    return Conflict({"message": message, "code": ErrorCode.LEASE_LOST, "fence": fence, "current_fence": current})


# SQL on `t`, a task, and `r`, one of its runs: the run has the task, or handed it in.
IS_CURRENT = (
    "(r.fence = t.fence AND t.deleted_at IS NULL AND ((t.status = 'in_progress' AND r.ended_at IS NULL)"
    " OR (t.status = 'review' AND r.state = 'completed')))"
)


async def current_runs(task_ids: list[UUID]) -> dict[UUID, UUID]:
    if not task_ids:
        return {}
    runs = await rows(
        "SELECT t.id, r.id AS run_id FROM tasks t JOIN task_runs r ON r.task_id = t.id"
        f" WHERE {IS_CURRENT} AND t.id IN ({placeholders(len(task_ids))})",
        *task_ids,
    )
    return {UUID(str(row["id"])): UUID(str(row["run_id"])) for row in runs}


async def only_run_of(agent_id: UUID | None, fence: int | None = None) -> UUID | None:
    """Return the run in which an agent works, None when it works on no task or on several; of several, the one with
    this fence. An agent that works on nothing may have one run that waits.

    Lock the task of the run, so that what is asked in its name now cannot outlive it.
    """
    if agent_id is None:
        return None
    runs = await rows(
        "SELECT id, task_id, fence, parked_at FROM task_runs WHERE agent_id = ? AND ended_at IS NULL LIMIT 100",
        agent_id,
    )
    runs = [row for row in runs if row["parked_at"] is None] or runs
    if len(runs) > 1:
        runs = [row for row in runs if row["fence"] == fence]
    if len(runs) != 1:
        return None
    await lock_task(as_id(runs[0]["task_id"]))
    present = await rows("SELECT id FROM task_runs WHERE id = ? AND ended_at IS NULL", runs[0]["id"])
    return as_id(present[0]["id"]) if present else None


async def hold_run(run_id: UUID | None) -> None:
    if run_id is not None and is_postgres():
        await rows(
            "SELECT 1 AS one FROM tasks WHERE id = (SELECT task_id FROM task_runs WHERE id = ?) FOR NO KEY UPDATE",
            run_id,
        )
