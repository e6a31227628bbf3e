"""Leases: runs with an expiry. The agent extends its lease or releases the task."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.claims.schemas import LEASE_SECONDS, LONGEST_LEASE_SECONDS
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.runs.fence import lease_lost
from mission_control.runs.models import Run
from mission_control.runs.tracking import end_run, running
from mission_control.tasks import notices
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.dependents import return_to_inbox
from mission_control.tasks.locks import held_task
from mission_control.tasks.models import Task

# Longer before its end than the timer sleeps at most, so that no write of the agent meets a lease that is over.
RENEWED_AHEAD = timedelta(seconds=30)
# A condition on `r`, a run: its agent is in a turn on a gateway that is connected. Its value: see `longest_turn_ago`.
IN_TURN = "EXISTS (SELECT 1 FROM agents a WHERE a.id = r.agent_id AND a.gateway_away_at IS NULL AND a.run_began_at > ?)"


class Lease(NamedTuple):
    """An assignment of a task that expires."""

    task_id: UUID
    fence: int
    expires_at: datetime

    def serialize(self) -> dict[str, object]:
        """Return the lease as it is answered."""
        return {"fence": self.fence, "expires_at": self.expires_at}


def is_over(run: Run) -> bool:
    """Return whether a run's lease has expired, even if the sweep has not seen it yet."""
    return run.lease_expires_at is not None and run.lease_expires_at <= clock.now()


async def hold_until(task: Task, seconds: int) -> Lease:
    """Set the expiry of a running run to some seconds from now. The calling command holds the task."""
    expires_at = clock.now() + timedelta(seconds=seconds)
    await rows(
        "UPDATE task_runs SET lease_expires_at = ? WHERE task_id = ? AND fence = ? AND ended_at IS NULL",
        expires_at,
        task.id,
        task.fence,
    )
    return Lease(task.id, task.fence, expires_at)


@command("task.extend_lease")
async def extend_lease(actor: Actor, task: Task, fence: int, seconds: int) -> Lease:
    """Set a new expiry for the caller's lease, later or earlier.

    No event is recorded; pages get a signal.
    """
    task = await _held_task(actor, task, fence)
    lease = await hold_until(task, seconds)
    notify_pages(actor, task)
    return lease


@command("task.release_lease")
async def release_lease(actor: Actor, task: Task, fence: int, reason: str | None) -> None:
    """Return a task to the inbox, whatever the board's rules are. It does not count as a failed attempt."""
    task = await _held_task(actor, task, fence)
    before = TaskSnapshot(task)
    await end_run(task.id, "released", reason or f"By {actor.name}.")
    await return_to_inbox(actor, task, f"Task released: {task.title}.{f' {reason}' if reason else ''}")
    await notices.notify_after_change(actor, task.board, task, before)


def longest_turn_ago() -> datetime:
    """Return since when a turn may go on and still renew leases: as long as the longest lease that one can ask for."""
    return clock.now() - timedelta(seconds=LONGEST_LEASE_SECONDS)


async def renew_in_turn(actor: Actor, run_id: UUID) -> bool:
    """Renew the lease of a run that is about to end, if its agent is in a turn. The calling command holds the task."""
    renewed = await rows(
        "UPDATE task_runs AS r SET lease_expires_at = ? WHERE id = ? AND ended_at IS NULL AND lease_expires_at <= ?"
        f" AND {IN_TURN} RETURNING agent_id, board_id, task_id",
        clock.now() + timedelta(seconds=LEASE_SECONDS),
        run_id,
        clock.now() + RENEWED_AHEAD,
        longest_turn_ago(),
    )
    for run in renewed:
        signal(actor.organization_id, **{name: str(value) for name, value in run.items()})
    return bool(renewed)


async def _held_task(actor: Actor, task: Task, fence: int) -> Task:
    """Lock the task and return it. Raise 409 `lease_lost` unless the fence is that of the caller's live lease."""
    task = await held_task(task)
    run = await running(task.id)
    if run is None or run.agent_id != actor.id or run.fence != fence or is_over(run):
        raise await lease_lost(task.id, fence, task.fence)
    return task


def notify_pages(actor: Actor, task: Task) -> None:
    """Signal to open pages that a lease has a new expiry."""
    signal(task.board.organization_id, agent_id=str(actor.id), board_id=str(task.board_id), task_id=str(task.id))
