"""The report of an absence, for Home, its page and the API: figures, and what was odd."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.agents.holds.models import Hold
from mission_control.boards.forge_states import HandIn, Place, place_of
from mission_control.boards.queries import on_readable_boards
from mission_control.core.actor import Actor
from mission_control.core.amounts import MICROS
from mission_control.database.records import find_all
from mission_control.database.sql import Row, rows, select, select_one
from mission_control.home.absences.odd import EndedRun, odd_lines
from mission_control.home.absences.schemas import AbsenceReport

LONGEST_RUN = timedelta(days=3)  # one that began before is not looked at: runs are found by their beginning
MOST_RUNS, MOST_LISTED = 5000, 200


@dataclass(frozen=True, slots=True)
class _Amounts:
    done: int
    cost_micros: int
    unpriced_tokens: int
    gaps: int


async def report_of(actor: Actor, since: datetime, until: datetime, waiting: int) -> AbsenceReport:
    """Read what happened between two moments on the boards that the actor reads; `waiting` is of now."""
    amounts, ended = await _amounts(actor, since, until), await _ended(actor, since, until)
    holds = await _holds(actor, since, until)
    pulls = await _pulls(actor, ended, since, until)
    paused = sum((_overlap(hold, since, until) for hold in holds), timedelta())
    return AbsenceReport(
        since=since,
        until=until,
        done=amounts.done,
        pull_requests=len(pulls),
        merged=sum(pull.is_merged for pull in pulls),
        waiting=waiting,
        paused_seconds=int(paused.total_seconds()),
        workers_paused=len({(hold.program, hold.host_label, hold.account) for hold in holds}),
        cost_usd=amounts.cost_micros / MICROS,
        unpriced_tokens=amounts.unpriced_tokens,
        gaps=amounts.gaps,
        odd=odd_lines(ended, holds, until),
    )


DONE = (
    "t.status = 'done' AND t.deleted_at IS NULL AND t.updated_at >= ? AND EXISTS (SELECT 1 FROM events e"
    " WHERE e.task_id = t.id AND e.kind = 'task.status_changed' AND e.created_at >= ? AND e.created_at <= ?)"
)


def _on_boards(actor: Actor, column: str) -> tuple[str, list[UUID]]:
    """Give a condition for rows on boards of the organization that the actor reads, with its values."""
    readable, values = on_readable_boards(actor, actor.organization_id, "b.id")
    boards = f"SELECT b.id FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL{readable}"
    return f"{column} IN ({boards})", [actor.organization_id, *values]


async def _amounts(actor: Actor, since: datetime, until: datetime) -> _Amounts:
    on_tasks, task_boards = _on_boards(actor, "t.board_id")
    on_usage, usage_boards = _on_boards(actor, "e.board_id")
    amounts = await select_one(
        _Amounts,
        f"SELECT (SELECT COUNT(*) FROM tasks t WHERE {on_tasks} AND {DONE}) AS done,"
        " COALESCE(SUM(e.cost_micros), 0) AS cost_micros, COALESCE(SUM(e.unpriced_tokens), 0) AS unpriced_tokens,"
        f" COALESCE(SUM(e.gaps), 0) AS gaps FROM usage_entries e WHERE {on_usage} AND e.day >= ?"
        " AND e.created_at >= ? AND e.created_at <= ?",
        *task_boards, since, since, until, *usage_boards, f"{since:%Y-%m-%d}", since, until,
    )  # fmt: skip
    return amounts or _Amounts(0, 0, 0, 0)


async def _ended(actor: Actor, since: datetime, until: datetime) -> list[EndedRun]:
    on_runs, boards = _on_boards(actor, "r.board_id")
    return await select(
        EndedRun,
        "SELECT r.board_id, r.task_id, t.number, t.status, r.agent_name, r.state, r.started_at, r.ended_at,"
        " r.end_reason, r.code, (SELECT COUNT(*) FROM agent_questions q WHERE q.run_id = r.id) AS questions"
        f" FROM task_runs r JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL WHERE {on_runs}"
        " AND r.started_at >= ? AND r.ended_at >= ? AND r.ended_at <= ? ORDER BY r.ended_at LIMIT ?",
        *boards, since - LONGEST_RUN, since, until, MOST_RUNS,
    )  # fmt: skip


async def _holds(actor: Actor, since: datetime, until: datetime) -> list[Hold]:
    on_holds, boards = _on_boards(actor, "board_id")
    where = f"{on_holds} AND created_at <= ? AND (ended_at IS NULL OR ended_at >= ?) ORDER BY created_at"
    return await find_all(Hold, where, *boards, until, since)


def _overlap(hold: Hold, since: datetime, until: datetime) -> timedelta:
    begin: datetime = max(hold.created_at, since)
    end: datetime = min(hold.ended_at or until, until)
    return max(end - begin, timedelta())


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull or merge request that was handed in or merged."""

    number: str
    url: str
    is_merged: bool


async def _pulls(actor: Actor, ended: Sequence[EndedRun], since: datetime, until: datetime) -> list[Pull]:
    on_states, boards = _on_boards(actor, "s.board_id")
    states = await rows(
        f"SELECT s.board_id, s.repository, s.name, s.facts FROM forge_states s WHERE {on_states} AND s.kind = 'pull'"
        " AND s.reported_at >= ? AND s.reported_at <= ?",
        *boards, since, until,
    )  # fmt: skip
    pulls: dict[Place, Pull] = {}
    for run in ended:
        place = place_of(run.facts) if run.state == "completed" else None
        if place is not None and place.kind == "pull":
            pulls[place] = Pull(place.name, str(run.facts["pull_request"]), is_merged=False)
    for row in states:
        facts = HandIn(row["board_id"], row["facts"], until).facts
        if facts.get("state") == "merged":
            pulls[Place(row["repository"], "pull", row["name"])] = Pull(
                row["name"], facts.get("url") or "", is_merged=True
            )
    return list(pulls.values())


@dataclass(frozen=True, slots=True)
class Lists:
    """What figures of a report count, for its page."""

    done: list[Row]
    pulls: list[Pull]


async def lists_of(actor: Actor, since: datetime, until: datetime) -> Lists:
    on_tasks, boards = _on_boards(actor, "t.board_id")
    done = await rows(
        "SELECT t.id, t.board_id, b.name AS board_name, t.number, t.title FROM tasks t JOIN boards b ON b.id ="
        f" t.board_id WHERE {on_tasks} AND {DONE} ORDER BY t.updated_at DESC, t.id LIMIT {MOST_LISTED}",
        *boards, since, since, until,
    )  # fmt: skip
    return Lists(done, await _pulls(actor, await _ended(actor, since, until), since, until))
