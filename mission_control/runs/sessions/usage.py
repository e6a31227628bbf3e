"""What the requests of a session to its model used, and at which of its agent's attempts at tasks.

A request is for the run that goes on when it is made, else for the one that ended last in the same turn, else for the
first that the turn takes up afterwards.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.connections.queries import connection_of
from mission_control.agents.models import UsageEntry
from mission_control.agents.usage.budgets import SUMS, add_to_run, report_usage
from mission_control.agents.usage.schemas import RequestUsage, UsageFigures
from mission_control.boards.models import Run
from mission_control.boards.queries import SILENT_AFTER
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.programs import PROGRAMS
from mission_control.database.records import find, find_all, update
from mission_control.database.sql import as_moment, rows
from mission_control.events.commands import command
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.queries import OWN

EVER, FOREVER = datetime(1, 1, 1), datetime(9999, 12, 31)
WITHOUT_RUN = "agent"  # what we call the session of an agent that works on no task
USED = (*SUMS, "usage_sources")
# SQL on the table of runs: people put a session to the task.
IS_ATTACHED = "EXISTS (SELECT 1 FROM agent_sessions a WHERE a.run_id = task_runs.id AND a.attached_at IS NOT NULL)"
# SQL on sessions, of one agent on its board: its program that serves a run, or else that is in a turn and serves none
# that goes on; or else what it reports without a program, by the run.
OPEN_SESSION = (
    f"agent_id = ? AND board_id = ? AND ended_at IS NULL AND ((client = '{OWN}' AND external_id = ?) OR"
    f" (client <> '{OWN}' AND parent_id IS NULL AND NOT is_check"
    " AND (run_id = ? OR (COALESCE(CAST(connection_id AS TEXT), '') = ? AND state IN ('working', 'waiting')"
    " AND last_seen_at > ? AND NOT EXISTS (SELECT 1 FROM task_runs r WHERE r.id = run_id AND r.ended_at IS NULL)))))"
    f" ORDER BY CASE WHEN client = '{OWN}' THEN 2 WHEN run_id = ? THEN 0 ELSE 1 END, last_seen_at DESC LIMIT 1"
)


async def open_session(actor: Actor, agent_id: UUID, board_id: UUID | None, run: Run | None) -> AgentSession | None:
    connection, run_id = await connection_of(actor), run.id if run else None
    theirs, since = str(connection.id) if connection else "", times.clock_now() - SILENT_AFTER
    values = agent_id, board_id, str(run_id or WITHOUT_RUN), run_id, theirs, since, run_id
    return await find(AgentSession, OPEN_SESSION, *values, lock=True)


@command("usage.report")
async def report_used(
    actor: Actor, agent_id: UUID, board_id: UUID, used: UsageFigures, task_id: UUID | None, run: Run | None
) -> None:
    """Count what an agent says that it used, in the session in which it says that, if there is one."""
    run_id = run.id if run else None
    session = await open_session(actor, agent_id, board_id, run)
    if session is None:
        await report_usage(actor, agent_id, used, board_id=board_id, task_id=task_id, run_id=run_id)
        return
    await _count(actor, session, [used], task_id, run_id, is_said=True)
    await update(session, *USED)


async def count_used(
    actor: Actor,
    session: AgentSession,
    used: Sequence[RequestUsage],
    run: Run | None,
    task_id: UUID | None,
    *,
    is_said: bool,
) -> None:
    """Count the requests of a session, which the calling command holds and saves: for a task, or by their times.

    `is_said`: their agent says so, in a session that its program reports.
    """
    if session.is_check:  # of a model that costs nothing
        session.input_tokens += sum(request.input_tokens for request in used)
        session.output_tokens += sum(request.output_tokens for request in used)
        return
    if task_id is not None:
        await _count(actor, session, used, task_id, run.id if run else None, is_said=is_said)
    else:
        await _count_by_times(actor, session, used, run, is_said=is_said)


async def _count_by_times(
    actor: Actor, session: AgentSession, used: Sequence[RequestUsage], run: Run | None, *, is_said: bool
) -> None:
    now = times.clock_now()
    moments = [moment_of(request) or now for request in used]
    is_all_of_run = run is not None and run.started_at <= min(moments)
    served = Served([], [run]) if run and is_all_of_run else await served_since(session, min(moments))
    for theirs, requests in served.by_run(used, moments):
        if theirs is not None and not is_all_of_run:
            await take_up(session, theirs, served)
        about = (theirs.task_id, theirs.id) if theirs else (None, None)
        await _count(actor, session, requests, *about, is_said=is_said)


async def _count(
    actor: Actor,
    session: AgentSession,
    used: Sequence[UsageFigures],
    task_id: UUID | None,
    run_id: UUID | None,
    *,
    is_said: bool,
) -> None:
    assert session.agent_id is not None
    stated = dict(session.usage_sources or {})
    if is_said and session.client in PROGRAMS:
        stated.setdefault("acp", [0, 0, 0])  # such a program is counted, now or later, and not its model's word
    about = {"task_id": task_id, "run_id": run_id, "session_id": session.id}
    counted = await report_usage(actor, session.agent_id, *used, board_id=session.board_id, stated=stated, **about)
    session.usage_sources = stated or None
    add_to_session(session, counted)


def add_to_session(session: AgentSession, entries: Sequence[UsageEntry]) -> None:
    for name in SUMS:
        setattr(session, name, getattr(session, name) + sum(getattr(entry, name) for entry in entries))


class Served(NamedTuple):
    """When the turns of a session began, and the runs that its agent had since, in their order."""

    turns: list[datetime]
    runs: list[Run]
    own: UUID | None = None

    def turn_at(self, at: datetime) -> datetime:
        return max((turn for turn in self.turns if turn <= at), default=EVER)

    def place_of(self, at: datetime) -> tuple[Run | None, datetime]:
        return self.run_at(at), self.turn_at(at)

    def by_run(
        self, used: Sequence[RequestUsage], moments: Sequence[datetime]
    ) -> Collection[tuple[Run | None, list[RequestUsage]]]:
        groups: dict[UUID | None, tuple[Run | None, list[RequestUsage]]] = {}
        for request, at in zip(used, moments, strict=True):
            run = self.run_at(at)
            groups.setdefault(run.id if run else None, (run, []))[1].append(request)
        return groups.values()

    def run_at(self, at: datetime) -> Run | None:
        begun = self.turn_at(at)
        over = min((turn for turn in self.turns if turn > at), default=FOREVER)
        live = [run for run in self.runs if run.started_at <= at < _end(run)]
        ended = [run for run in self.runs if begun < _end(run) <= at]
        later = [run for run in self.runs if at < run.started_at < over]
        if live:
            return next((run for run in live if run.id == self.own), live[-1])
        return max(ended, key=_end) if ended else later[0] if later else None


def _end(run: Run) -> datetime:
    return min((moment for moment in (run.ended_at, run.parked_at) if moment is not None), default=FOREVER)


async def served_since(session: AgentSession, moment: datetime) -> Served:
    kind = "session_id = ? AND kind = 'RUN_STARTED'"
    sql = f"SELECT MAX(at) AS at FROM session_activities WHERE {kind} AND at <= ?"
    [bounds] = await rows(sql, session.id, moment)
    begun = as_moment(bounds["at"]) or min(session.started_at, moment)
    sql = f"SELECT at FROM session_activities WHERE {kind} AND at >= ? ORDER BY at"
    turns = [at for row in await rows(sql, session.id, begun) if (at := as_moment(row["at"])) is not None]
    theirs = "agent_id = ? AND board_id = ? AND (ended_at IS NULL OR ended_at >= ?)"
    where = f"{theirs} AND (id = ? OR NOT {IS_ATTACHED}) ORDER BY started_at"
    runs = await find_all(Run, where, session.agent_id, session.board_id, begun, session.run_id)
    return Served(turns, runs, session.run_id)


async def take_up(session: AgentSession, run: Run, served: Served | None = None) -> None:
    """Count for a run what a session used before in the turn in which it took it up, for nothing else."""
    begun = (served or await served_since(session, run.started_at)).turn_at(run.started_at)
    if begun == EVER:  # when that was is not known
        return
    where = "session_id = ? AND run_id IS NULL AND task_id IS NULL AND created_at BETWEEN ? AND ?"
    entries = await find_all(UsageEntry, where, session.id, begun, run.started_at)
    for entry in entries:
        entry.run_id, entry.task_id = run.id, run.task_id
        await update(entry, "run_id", "task_id")
    if entries:
        await add_to_run(run.id, entries)


def moment_of(used: UsageFigures) -> datetime | None:
    at: datetime | None = getattr(used, "at", None)
    return at
