"""Leases: runs with an expiry, extended or released by the agent, and ended by the timer."""

import logging
from copy import copy
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.agents.notices import Notices
from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.boards.attempts import lease_lost, running
from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_id, as_moment, rows
from mission_control.log import channels
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import deliver, record, signal
from mission_control.runs.queries import LEASE_SECONDS, LONGEST_LEASE_SECONDS, LeaseRead
from mission_control.tasks import notices
from mission_control.tasks.changes import held_task, save
from mission_control.tasks.leaving import return_to_inbox
from mission_control.tasks.models import Task
from mission_control.tasks.rules import enter
from mission_control.work.loops import Loop

WORDS = Notices({"TASK FLAGGED": "task_flagged"})

EVENTS = (
    Kind("task.lease_expired", "A lease ran out; the task is back in the inbox and rests before it is assigned again."),
    Kind("task.flagged", "A task waits for a person after several failed attempts."),
)

# Longer before its end than the timer sleeps at most, so that no write of the agent meets a lease that is over.
RENEWED_AHEAD = timedelta(seconds=30)
# A condition on `r`, a run: its agent is in a turn on a gateway that is connected. Its value: see `longest_turn_ago`.
IN_TURN = "EXISTS (SELECT 1 FROM agents a WHERE a.id = r.agent_id AND a.gateway_away_at IS NULL AND a.run_began_at > ?)"


def is_over(run: Run) -> bool:
    return run.lease_expires_at is not None and run.lease_expires_at <= times.clock_now()


async def hold_until(task: Task, seconds: int) -> LeaseRead:
    """Set the expiry of a running run to some seconds from now. The calling command holds the task."""
    expires_at = times.clock_now() + timedelta(seconds=seconds)
    await rows(
        "UPDATE task_runs SET lease_expires_at = ? WHERE task_id = ? AND fence = ? AND ended_at IS NULL",
        expires_at,
        task.id,
        task.fence,
    )
    return LeaseRead(fence=task.fence, expires_at=expires_at)


@command("task.extend_lease")
async def extend_lease(actor: Actor, task: Task, fence: int, seconds: int) -> LeaseRead:
    """Set a new expiry for the caller's lease, later or earlier. No event is recorded; pages get a signal."""
    task = await _held_task(actor, task, fence)
    lease = await hold_until(task, seconds)
    notify_pages(actor, task)
    return lease


@command("task.release_lease")
async def release_lease(actor: Actor, task: Task, fence: int, reason: str | None) -> None:
    """Return a task to the inbox, whatever the board's rules are. It does not count as a failed attempt."""
    task = await _held_task(actor, task, fence)
    before = copy(task)
    await return_to_inbox(actor, task, f"Task released: {task.title}.{f' {reason}' if reason else ''}", reason)
    await notices.notify_after_change(actor, task, before)


def longest_turn_ago() -> datetime:
    """Return since when a turn may go on and still renew leases: as long as the longest lease that one can ask for."""
    return times.clock_now() - timedelta(seconds=LONGEST_LEASE_SECONDS)


async def renew_in_turn(actor: Actor, run_id: UUID) -> bool:
    """Renew the lease of a run that is about to end, if its agent is in a turn. The calling command holds the task."""
    renewed = await rows(
        "UPDATE task_runs AS r SET lease_expires_at = ? WHERE id = ? AND ended_at IS NULL AND lease_expires_at <= ?"
        f" AND {IN_TURN} RETURNING agent_id, board_id, task_id",
        times.clock_now() + timedelta(seconds=LEASE_SECONDS),
        run_id,
        times.clock_now() + RENEWED_AHEAD,
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
    signal(task.board.organization_id, agent_id=str(actor.id), board_id=str(task.board_id), task_id=str(task.id))


MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE = 100
NOWHERE = UUID(int=0)
WAITED = "was waiting for a decision, so the attempt does not count."

_log = logging.getLogger(__name__)


async def expire_due(board_id: UUID | None = None) -> int:
    """Expire the leases that have ended, on one board or everywhere. Return their number.

    Those of agents in a turn are renewed a moment before they end.
    """
    here, values = ("", []) if board_id is None else (" AND r.board_id = ?", [board_id])
    found = await rows(
        "SELECT r.id, r.task_id, b.organization_id FROM task_runs r JOIN boards b ON b.id = r.board_id"
        f" WHERE r.ended_at IS NULL AND r.lease_expires_at <= ? AND (r.lease_expires_at <= ? OR {IN_TURN}){here}"
        f" ORDER BY r.lease_expires_at LIMIT {AT_ONCE}",
        times.clock_now() + RENEWED_AHEAD,
        times.clock_now(),
        longest_turn_ago(),
        *values,
    )
    expired = 0
    for run in found:
        try:
            actor = system(as_id(run["organization_id"]) or NOWHERE)
            expired += await expire_lease(actor, as_id(run["task_id"]) or NOWHERE, as_id(run["id"]) or NOWHERE)
        except Exception:
            _log.exception("taking back a task failed", extra={"task": str(run["task_id"])})
    return expired


@command("task.expire_lease")
async def expire_lease(actor: Actor, task_id: UUID, run_id: UUID) -> bool:
    """Expire one lease. Return False when another command holds the task, or the lease was or is extended."""
    task = await Task.select_for_update(skip_locked=True, no_key=True).get_or_none(id=task_id)
    if task is None or await renew_in_turn(actor, run_id):
        return False
    ended = await rows(
        "UPDATE task_runs SET state = 'expired', ended_at = ?, end_reason = 'The lease ran out.' WHERE id = ?"
        " AND ended_at IS NULL AND lease_expires_at <= ? RETURNING id, agent_id, agent_name, fence",
        times.clock_now(),
        run_id,
        times.clock_now(),
    )
    if ended:
        task.board = await Board.get(id=task.board_id)
        await _take_back(task, ended[0])
    return bool(ended)


async def _take_back(task: Task, run: dict[str, object]) -> None:
    before = copy(task)
    # People have not answered a request about the task, or one of its run.
    waited = bool(
        await rows(
            "SELECT 1 AS one FROM approval_task_links WHERE task_id = ? AND is_pending"
            " UNION ALL SELECT 1 FROM approvals WHERE run_id = ? AND status = 'pending'"
            " UNION ALL SELECT 1 FROM agent_questions WHERE run_id = ? AND state = 'open' LIMIT 1",
            task.id,
            run["id"],
            run["id"],
        )
    )
    enter(task, "inbox")
    if waited:
        task.assigned_agent_id = before.assigned_agent_id
    else:
        task.failed_attempts += 1
        task.retry_at = times.clock_now() + pause_after(task.failed_attempts)
    if not waited and task.failed_attempts >= MOST_ATTEMPTS:
        task.flagged_at = times.clock_now()
        task.flag_reason = f"{task.failed_attempts} leases ran out in a row, the last one of {run['agent_name']}."
    message = f"Lease ran out: {task.title}. {run['agent_name']} {WAITED if waited else 'did not report in time.'}"
    await save(task, before, message, "task.lease_expired", agent_id=as_id(run["agent_id"]), fence=run["fence"])
    if task.flagged_at is None:
        return
    message = f"Flagged for a person: {task.title}. {task.flag_reason}"
    record("task.flagged", task, message, reason=task.flag_reason, failed_attempts=task.failed_attempts)
    if lead_id := await lead_id_of(task.board_id):
        lines = [f"Board: {task.board.name}", f"Task: {task.title}", f"Task ID: {task.id}", str(task.flag_reason)]
        advice = "Nobody is given it until a person has moved it, assigned it, or cleared the flag."
        text = "\n".join([*lines, "", f"{advice} Find out what is wrong."])
        deliver(NOTICE, task.scope(), agent_id=lead_id, header="TASK FLAGGED", text=text)


def pause_after(attempts: int) -> timedelta:
    """Return the pause after a number of failed attempts: doubled each time, at most an hour."""
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


LONGEST_SLEEP_SECONDS = 15.0
SECONDS_UNTIL_ANOTHER_TRY = 1.0


async def look(since: datetime, until: datetime) -> float:
    """Expire leases and wake workers for tasks whose pause has ended; return the seconds until the next of both."""
    expired = await expire_due()
    await wake_polls_for_retries(since, until)
    return 0.0 if expired == AT_ONCE else await seconds_left(until)


LEASES = Loop(name="looking for leases that ended", look=look, pause=LONGEST_SLEEP_SECONDS, spans=True)


async def wake_polls_for_retries(since: datetime, until: datetime) -> None:
    """Wake the workers of this process that wait on boards with tasks whose pause has ended."""
    found = await rows(
        "SELECT DISTINCT board_id FROM tasks WHERE retry_at > ? AND retry_at <= ? AND status = 'inbox'", since, until
    )
    channels.channels_notify(f"work:{row['board_id']}" for row in found)


async def seconds_left(looked_at: datetime) -> float:
    """Return the seconds until the next lease or pause ends. An overdue lease is tried again after a moment.

    A pause that ended since this run began was not announced: the next run is at once.
    """
    [row] = await rows(
        "SELECT (SELECT MIN(lease_expires_at) FROM task_runs WHERE ended_at IS NULL) AS lease,"
        " (SELECT MIN(retry_at) FROM tasks WHERE retry_at > ?) AS rest",
        looked_at,
    )
    lease, rest, now = as_moment(row["lease"]), as_moment(row["rest"]), times.clock_now()
    left = [LONGEST_SLEEP_SECONDS]
    if lease is not None:
        left.append((lease - now).total_seconds() if lease > now else SECONDS_UNTIL_ANOTHER_TRY)
    if rest is not None:
        left.append(max(0.0, (rest - now).total_seconds()))
    return min(left)
