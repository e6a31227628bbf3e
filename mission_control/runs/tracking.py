"""Begin a run when a task is assigned to an agent, and end it when the agent no longer holds the task."""

from typing import Any, Protocol
from uuid import UUID

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.records import find, insert
from mission_control.database.sql import rows
from mission_control.runs.models import Run


class HeldTask(Protocol):
    """The fields that decide whether an agent holds a task."""

    status: str
    assigned_agent_id: Any
    assigned_user_id: Any


class AssignedTask(HeldTask, Protocol):
    """The fields of a task that an assignment changes."""

    id: Any
    board_id: Any
    fence: Any
    attempt: Any
    rework_at: Any
    failed_attempts: Any
    retry_at: Any
    flagged_at: Any
    flag_reason: Any


def held_by(task: HeldTask) -> UUID | None:
    """Return the agent that holds a task."""
    return task.assigned_agent_id if task.status == "in_progress" else None


async def track_run(actor: Actor, task: AssignedTask, before: HeldTask) -> None:
    """Begin or end the run of a changed task. The calling command holds the task and saves it afterwards.

    An assignment raises `fence` and `attempt` and clears the flag and the pause. Work that is taken away begins a new
    attempt too. Finished work, and a person who moves or assigns the task, also reset the number of failed attempts.
    """
    was, is_now = held_by(before), held_by(task)
    if was == is_now:
        if actor.is_user and _is_moved_or_assigned(task, before):
            forgive(task)
        return
    if was is not None:
        finished = is_now is None and task.status in ("review", "done")
        state = "superseded" if is_now is not None else "completed" if finished else "released"
        await end_run(task.id, state, None if finished else f"By {actor.name}.")
        if finished:
            task.failed_attempts = 0
        elif is_now is None:
            task.attempt += 1
    if is_now is not None:
        if actor.is_user:
            task.failed_attempts = 0
        task.retry_at = task.flagged_at = task.flag_reason = task.rework_at = None
        task.fence += 1
        task.attempt += 1
        await begin_run(task, is_now)


def _is_moved_or_assigned(task: HeldTask, before: HeldTask) -> bool:
    names = ("status", "assigned_agent_id", "assigned_user_id")
    return any(getattr(task, name) != getattr(before, name) for name in names)


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
        started_at=clock.now(),
    )
    await insert(run)
    return run


async def end_run(task_id: UUID, state: str, reason: str | None) -> bool:
    """End the running run of a task. Return whether there was one."""
    ended = await rows(
        "UPDATE task_runs SET state = ?, ended_at = ?, end_reason = ? WHERE task_id = ? AND ended_at IS NULL"
        " RETURNING id",
        state,
        clock.now(),
        reason,
        task_id,
    )
    return bool(ended)


async def running(task_id: UUID) -> Run | None:
    """Return the running run of a task."""
    return await find(Run, "task_id = ? AND ended_at IS NULL", task_id)
