"""Leases: runs with an expiry, extended or released by the agent, and ended by the timer."""

import logging
from copy import copy
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.agents.holds.commands import end_silent_holds
from mission_control.agents.notices import Notices
from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.background.loops import Loop
from mission_control.boards.attempts import end_run, lease_lost, running
from mission_control.boards.models import Board, Run
from mission_control.boards.parking import Resume, go_on, park
from mission_control.boards.queries import SILENT_AFTER
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.programs import PROGRAMS
from mission_control.database.records import find
from mission_control.database.sql import Condition, Row, as_id, as_moment, placeholders, rows
from mission_control.events import broker, wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import deliver, record, signal
from mission_control.runs.queries import LONGEST_LEASE_SECONDS, LeaseRead
from mission_control.tasks import notices
from mission_control.tasks.changes import held_task, save
from mission_control.tasks.models import Task
from mission_control.tasks.query import REWORK_SINCE
from mission_control.tasks.removal import return_to_inbox
from mission_control.tasks.rules import Limits, enter, lock_limits, refuse_assignment

WORDS = Notices({"TASK FLAGGED": "task_flagged"})

EVENTS = (
    Kind("task.lease_expired", "A lease ran out; the task is back in the inbox and rests before it is assigned again."),
    Kind("task.flagged", "A task waits for a person after several failed attempts."),
)

# Longer before its end than the timer sleeps at most, so that no write of the agent meets a lease that is over.
RENEWED_AHEAD = timedelta(seconds=30)
AFTER_RELEASE = timedelta(minutes=10)
# What a run asked and nobody answered. Its values: the run, twice.
ASKED = (
    "SELECT q.content AS what, q.created_at FROM agent_questions q WHERE q.run_id = ? AND q.state = 'open'"
    " UNION ALL SELECT a.action_type, a.created_at FROM approvals a WHERE a.run_id = ? AND a.status = 'pending'"
    " ORDER BY 2"
)


def is_over(run: Run) -> bool:
    return run.lease_expires_at is not None and run.lease_expires_at <= times.clock_now()


async def hold_until(task: Task, seconds: int, *, resumes: bool = False) -> LeaseRead:
    """Set the expiry of a running run to some seconds from now; one that waited goes on. The caller holds the task."""
    expires_at = times.clock_now() + timedelta(seconds=seconds)
    if resumes:
        await go_on(task.scope(), task.title)
    sql = (
        "UPDATE task_runs SET lease_expires_at = ?, lease_seconds = ?"
        " WHERE task_id = ? AND fence = ? AND ended_at IS NULL"
    )
    await rows(sql, expires_at, seconds, task.id, task.fence)
    return LeaseRead(fence=task.fence, expires_at=expires_at)


@command("task.extend_lease")
async def extend_lease(actor: Actor, task: Task, fence: int, seconds: int) -> LeaseRead:
    """Set a new expiry for the caller's lease, later or earlier. No event is recorded; pages get a signal.

    A run that waited goes on, as far as pauses, budgets and the agent's limit allow.
    """
    task, run = await _held_task(actor, task, fence)
    if run.parked_at is not None:
        await refuse_resuming(actor, task)
    lease = await hold_until(task, seconds, resumes=run.parked_at is not None)
    notify_pages(actor, task)
    return lease


@command("task.extend_lease")
async def park_run(actor: Actor, task: Task, fence: int, resume: Resume) -> bool:
    """Let the caller's run wait for what it asked. Return False, and change nothing, when all of it is settled."""
    _, run = await _held_task(actor, task, fence)
    return await park([run.id], agent_id=actor.id, resumes_on_any=resume == "any")


@command("task.release_lease")
async def release_lease(actor: Actor, task: Task, fence: int, reason: str | None, *, rests: bool = True) -> list[str]:
    """Return a task to the inbox, whatever the board's rules are. It does not count as a failed attempt.

    Others get it at once, the caller by itself after a while if it `rests`. Return what the caller had asked about it,
    which is closed with that.
    """
    task, run = await _held_task(actor, task, fence)
    before = copy(task)
    asked = await rows(ASKED, run.id, run.id)
    if rests:
        await Run.filter(id=run.id).update(rests_until=times.clock_now() + AFTER_RELEASE)
    await return_to_inbox(actor, task, f"Task released: {task.title}.{f' {reason}' if reason else ''}", reason)
    await notices.notify_after_change(actor, task, before, is_untouched=not rests)
    return [row["what"] for row in asked]


def in_turn() -> Condition:
    """Return SQL about `r`, a run: its agent is in a turn on a connected gateway, or works in a hooked session."""
    listed = placeholders(len(PROGRAMS))
    sql = (
        "(EXISTS (SELECT 1 FROM agents a WHERE a.id = r.agent_id AND a.gateway_away_at IS NULL AND a.run_began_at > ?)"
        f" OR EXISTS (SELECT 1 FROM agent_sessions s WHERE s.run_id = r.id AND s.client IN ({listed})"
        " AND s.state = 'working' AND s.last_seen_at > ?))"
    )
    return sql, [longest_turn_ago(), *PROGRAMS, times.clock_now() - SILENT_AFTER]


def longest_turn_ago() -> datetime:
    """Return since when a turn may go on and still renew leases: as long as the longest lease that one can ask for."""
    return times.clock_now() - timedelta(seconds=LONGEST_LEASE_SECONDS)


async def renew_in_turn(actor: Actor, run_id: UUID) -> bool:
    """Renew the lease of a run that is about to end, if its agent is in a turn, for as long as the agent wanted it.

    A short one lasts for a minute at least. The calling command holds the task.
    """
    [run] = await rows("SELECT lease_seconds FROM task_runs WHERE id = ?", run_id)
    condition, values = in_turn()
    renewed = await rows(
        "UPDATE task_runs AS r SET lease_expires_at = ? WHERE id = ? AND ended_at IS NULL AND lease_expires_at <= ?"
        f" AND {condition} RETURNING agent_id, board_id, task_id",
        times.clock_now() + max(2 * RENEWED_AHEAD, timedelta(seconds=run["lease_seconds"])),
        run_id,
        times.clock_now() + RENEWED_AHEAD,
        *values,
    )
    for row in renewed:
        signal(actor.organization_id, **{name: str(value) for name, value in row.items()})
    return bool(renewed)


async def refuse_resuming(actor: Actor, task: Task) -> None:
    """Raise 409 when a pause, a budget or the agent's own limit forbids that its run goes on; it waits until then."""
    limits = await lock_limits(actor.id, task.board_id)
    await refuse_assignment(Limits(limits.own), task)


async def _held_task(actor: Actor, task: Task, fence: int) -> tuple[Task, Run]:
    """Lock the task and return it with its run.

    Raise 409 `lease_lost` unless the fence is that of the caller's live lease.
    """
    task = await held_task(task)
    run = await running(task.id)
    if run is None or run.agent_id != actor.id or run.fence != fence or is_over(run):
        raise await lease_lost(task.id, fence, task.fence)
    return task, run


def notify_pages(actor: Actor, task: Task) -> None:
    signal(task.board.organization_id, agent_id=str(actor.id), board_id=str(task.board_id), task_id=str(task.id))


MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE = 100
NOWHERE = UUID(int=0)

_log = logging.getLogger(__name__)


async def expire_due(board_id: UUID | None = None) -> int:
    """Expire the leases that have ended, on one board or everywhere. Return their number.

    Those of agents in a turn are renewed a moment before they end.
    """
    here, boards = ("", []) if board_id is None else (" AND r.board_id = ?", [board_id])
    condition, values = in_turn()
    sql = (
        "SELECT r.id, r.task_id, b.organization_id FROM task_runs r JOIN boards b ON b.id = r.board_id"
        f" WHERE r.ended_at IS NULL AND r.lease_expires_at <= ? AND (r.lease_expires_at <= ? OR {condition}){here}"
        f" ORDER BY r.lease_expires_at LIMIT {AT_ONCE}"
    )
    runs = await rows(sql, times.clock_now() + RENEWED_AHEAD, times.clock_now(), *values, *boards)
    expired = 0
    for run in runs:
        try:
            actor = system(as_id(run["organization_id"]) or NOWHERE)
            expired += await expire_lease(actor, as_id(run["task_id"]) or NOWHERE, as_id(run["id"]) or NOWHERE)
        except Exception:
            _log.exception("taking back a task failed", extra={"task": str(run["task_id"])})
    return expired


@command("task.expire_lease")
async def expire_lease(actor: Actor, task_id: UUID, run_id: UUID) -> bool:
    """End one lease: its run waits if people have not settled what it asked, else it is over.

    Return False when another command holds the task, or the lease was or is extended.
    """
    task = await Task.select_for_update(skip_locked=True, no_key=True).get_or_none(id=task_id)
    if task is None or await renew_in_turn(actor, run_id):
        return False
    run = await find(Run, "id = ? AND ended_at IS NULL AND lease_expires_at <= ?", run_id, times.clock_now())
    if run is None:
        return False
    if not await park([run.id], agent_id=run.agent_id, why="Lease ran out. "):
        task.board = await Board.get(id=task.board_id)
        await _take_back(task, run)
    return True


async def _take_back(task: Task, run: Run) -> None:
    before = copy(task)
    await end_run(task.id, "expired", "The lease ran out.")
    enter(task, "inbox")
    task.failed_attempts += 1
    task.retry_at = times.clock_now() + pause_after(task.failed_attempts)
    if task.failed_attempts >= MOST_ATTEMPTS:
        task.flagged_at = times.clock_now()
        task.flag_reason = f"{task.failed_attempts} leases ran out in a row, the last one of {run.agent_name}."
    message = f"Lease ran out: {task.title}. {run.agent_name} did not report in time."
    await save(task, before, message, "task.lease_expired", agent_id=run.agent_id, fence=run.fence)
    if task.flagged_at is None:
        return
    message = f"Flagged for a person: {task.title}. {task.flag_reason}"
    record("task.flagged", task, message, reason=task.flag_reason, failed_attempts=task.failed_attempts)
    if lead_id := await lead_id_of(task.board_id):
        lines = [*notices.lines_about(task), str(task.flag_reason)]
        advice = "Nobody is given it until a person has moved it, assigned it, or cleared the flag."
        text = "\n".join([*lines, "", f"{advice} Find out what is wrong."])
        deliver(NOTICE, task.scope(), agent_id=lead_id, header="TASK FLAGGED", text=text)


def pause_after(attempts: int) -> timedelta:
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


# What waits for its agent: a run whose asks are settled, and rework. A pause of the board or the organization stops the
# clock, and so does a turn of the agent on its gateway.
WAITS_FOR_AGENT = (
    "SELECT w.task_id, w.since, w.is_rework, a.name, b.organization_id, b.resume_after_seconds, a.last_seen_at,"
    " a.work_state_at AS agent_changed_at, b.work_state_at AS board_changed_at, o.work_state_at AS changed_at"
    " FROM (SELECT r.task_id, r.agent_id, r.board_id, r.ready_at AS since, FALSE AS is_rework FROM task_runs r"
    " WHERE r.ended_at IS NULL AND r.parked_at IS NOT NULL AND r.ready_at IS NOT NULL{one_run}"
    " UNION ALL SELECT t.id, t.assigned_agent_id, t.board_id, {since}, TRUE FROM tasks t"
    " WHERE t.rework_at IS NOT NULL AND t.status = 'inbox' AND t.deleted_at IS NULL{one_task}) w"
    " JOIN agents a ON a.id = w.agent_id JOIN boards b ON b.id = w.board_id"
    " JOIN organizations o ON o.id = b.organization_id WHERE b.deleted_at IS NULL AND b.work_state = 'running'"
    " AND o.work_state = 'running' AND NOT (a.gateway_away_at IS NULL AND COALESCE(a.run_began_at > ?, FALSE))"
)


async def _overdue(task_id: UUID | None = None) -> list[Row]:
    one_run, one_task = ("", "") if task_id is None else (" AND r.task_id = ?", " AND t.id = ?")
    waiting = await rows(
        WAITS_FOR_AGENT.format(one_run=one_run, one_task=one_task, since=REWORK_SINCE),
        *([] if task_id is None else [task_id, task_id]),
        longest_turn_ago(),
    )
    signs = ("since", "last_seen_at", "agent_changed_at", "board_changed_at", "changed_at")
    now = times.clock_now()
    return [
        row
        for row in waiting
        if max(filter(None, (as_moment(row[name]) for name in signs)))
        <= now - timedelta(seconds=int(row["resume_after_seconds"]))
    ]


async def take_from_silent() -> None:
    for row in await _overdue():
        try:
            await give_up_on_agent(system(as_id(row["organization_id"]) or NOWHERE), as_id(row["task_id"]) or NOWHERE)
        except Exception:
            _log.exception("taking work from a silent agent failed", extra={"task": str(row["task_id"])})


@command("task.expire_lease")
async def give_up_on_agent(actor: Actor, task_id: UUID) -> None:
    """Put what waited for a silent agent into the inbox for anybody. A no-op when it no longer waits."""
    task = await Task.select_for_update(skip_locked=True, no_key=True).get_or_none(id=task_id)
    if task is None:
        return
    for row in await _overdue(task_id):
        task.board = await Board.get(id=task.board_id)
        before, after = copy(task), "the work was sent back" if row["is_rework"] else "the answer"
        since = times.clock_now() - timedelta(seconds=int(row["resume_after_seconds"]))
        why = f"{row['name']} gave no sign for {times.age(since)} after {after}."
        if row["is_rework"]:
            task.assigned_agent_id = task.rework_at = None
            await save(task, before, f"Task unassigned: {task.title}. {why}")
        else:
            await return_to_inbox(actor, task, f"Task returned to inbox: {task.title}. {why}", why)
        await notices.notify_after_change(actor, task, before)


LONGEST_SLEEP_SECONDS = 15.0
SECONDS_UNTIL_ANOTHER_TRY = 1.0


async def look(since: datetime, until: datetime) -> float:
    """Expire leases and wake workers for tasks whose pause has ended; return the seconds until the next of both.

    Take from silent agents what waits for them, and end the holds of silent workers.
    """
    expired = await expire_due()
    await end_silent_holds()
    await take_from_silent()
    await begin_waited(since, until)
    return 0.0 if expired == AT_ONCE else await seconds_left(until)


LEASES = Loop(name="looking for leases that ended", look=look, pause=LONGEST_SLEEP_SECONDS, spans=True)


async def begin_waited(since: datetime, until: datetime) -> None:
    """Wake the workers of this process that wait on boards with tasks that may be given to them from now on, and its
    pages that show these."""
    came = (
        "SELECT t.id, t.board_id, b.organization_id FROM tasks t JOIN boards b ON b.id = t.board_id"
        " WHERE t.{0} > ? AND t.{0} <= ? AND t.status = 'inbox'"
    )
    tasks = await rows(f"{came.format('retry_at')} UNION {came.format('not_before')}", since, until, since, until)
    wakeup_channels.channels_notify({f"work:{as_id(row['board_id'])}" for row in tasks})
    if (running := broker.current()) is not None:
        for row in tasks:
            task_id, board_id = str(as_id(row["id"])), str(as_id(row["board_id"]))
            running.signal(as_id(row["organization_id"]) or NOWHERE, {"opened": task_id, "board_id": board_id})


async def seconds_left(looked_at: datetime) -> float:
    """Return the seconds until the next lease or pause ends, or a task may begin. An overdue lease is tried again soon.

    A pause that ended since this run began was not announced: the next run is at once.
    """
    [row] = await rows(
        "SELECT (SELECT MIN(lease_expires_at) FROM task_runs WHERE ended_at IS NULL) AS lease,"
        " (SELECT MIN(retry_at) FROM tasks WHERE retry_at > ?) AS rest,"
        " (SELECT MIN(not_before) FROM tasks WHERE not_before > ?) AS begin",
        looked_at,
        looked_at,
    )
    lease, now = as_moment(row["lease"]), times.clock_now()
    left = [LONGEST_SLEEP_SECONDS]
    if lease is not None:
        left.append((lease - now).total_seconds() if lease > now else SECONDS_UNTIL_ANOTHER_TRY)
    rests = [moment for name in ("rest", "begin") if (moment := as_moment(row[name])) is not None]
    return min([*left, *(max(0.0, (rest - now).total_seconds()) for rest in rests)])
