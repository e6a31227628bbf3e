"""Read sessions and what happened in them: shapes, states by their signs, the line on a card."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from pydantic import Field, JsonValue

from mission_control.agents.usage.queries import windows_of
from mission_control.agents.usage.schemas import UsageWindow
from mission_control.boards.models import Board, Run
from mission_control.boards.queries import SILENT_AFTER, STUCK_AT, on_visible_board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.amounts import MICROS
from mission_control.core.errors import existing
from mission_control.core.values import JsonObject, Paging, Schema
from mission_control.database.records import find
from mission_control.database.sql import (
    Row,
    Values,
    as_id,
    as_json,
    as_moment,
    contains,
    in_list,
    rows,
    select,
    wire_moment,
)
from mission_control.http.registry import lookup
from mission_control.runs.models import AgentSession

OWN = "api"  # the program of sessions that an agent reports itself

State = Literal["working", "waiting", "idle", "lost", "ended"]
StepState = Literal["pending", "in_progress", "completed"]


class PlanStep(Schema):
    """A step of an agent's plan."""

    text: str
    state: StepState


class AgentSessionRead(Schema):
    """One conversation of an agent's program, and what it does now."""

    id: UUID
    board_id: UUID
    agent_id: UUID | None
    agent_name: str
    gateway_id: UUID | None
    run_id: Annotated[UUID | None, Field(description="The attempt at a task that it serves")]
    task_id: UUID | None
    task_number: int | None
    task_title: str | None
    parent_id: Annotated[UUID | None, Field(description="The session that started it")]
    client: str
    external_id: str
    client_version: str | None
    host_label: str | None
    cwd_label: str | None
    branch: str | None
    model: str | None
    mode: str | None
    title: str | None
    state: Annotated[
        State, Field(description="`lost`: it worked and has given no sign for 15 minutes; `waiting`: for people")
    ]
    state_at: datetime
    started_at: datetime
    last_seen_at: Annotated[datetime, Field(description="Its last sign")]
    ended_at: datetime | None
    end_reason: str | None
    doing: Annotated[str | None, Field(description="What it does, or did last")]
    doing_at: Annotated[datetime | None, Field(description="Since when, or when that was")]
    is_doing_over: Annotated[bool, Field(description="Whether that has ended")]
    failures: Annotated[int, Field(description="How often `failing` came in a row; from 4 on it is stuck")]
    failing: str | None
    stopped_at: Annotated[datetime | None, Field(description="When a person stopped its turn, without a run")]
    stop_reason: Annotated[str | None, Field(description="Who stopped it, and why")]
    attached_at: Annotated[datetime | None, Field(description="When a person put it to its task")]
    plan: list[PlanStep]
    activity_count: int
    digest: Annotated[str | None, Field(description="The SHA-256 over the activities of one that ended")]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    written_tokens: int
    unpriced_tokens: int
    gaps: int
    cost_usd: float
    usage_windows: Annotated[list[UsageWindow], Field(description="Of its program's subscription, as it said last")]
    usage_sources: Annotated[
        dict[str, int], Field(description="Tokens by who says it: program, acp, agent; the first of them counts")
    ]


class SessionQuery(Paging):
    """Which sessions of a board."""

    agent_id: UUID | None = None
    task_id: UUID | None = None
    is_open: Annotated[bool | None, Field(description="Only those that have not ended, or only those that have")] = None


class ActivityRead(Schema):
    """Something that an agent did."""

    id: UUID
    session_id: UUID
    seq: Annotated[int, Field(description="Its number in the session")]
    run_id: UUID | None
    at: datetime
    kind: Annotated[str, Field(description="What it is: TOOL_CALL_START, TOOL_CALL_END, RUN_ERROR, ...")]
    title: str
    state: str | None
    ref: Annotated[str | None, Field(description="The same at the beginning and the end of one call")]
    detail: dict[str, JsonValue] | None


class ActivityPage(Schema):
    """Activities in their order."""

    items: list[ActivityRead]
    total: Annotated[int, Field(description="How many there are, or how many match `q`")]


class TaskActivityQuery(Schema):
    """Which activities: the newest, or the next after one."""

    limit: int = Field(200, ge=1, le=500)
    q: Annotated[str, Field(max_length=200, description="Only those whose title or detail has this text")] = ""


class ActivityQuery(TaskActivityQuery):
    """Which activities of a session: the newest, those after a number, or those before one."""

    after: Annotated[int | None, Field(ge=0, description="Only the next after this number")] = None
    before: Annotated[int | None, Field(ge=0, description="Only the last before this number")] = None


# Beside `s`, a session: its run `r`, its task `t`, and its agent `g`.
RELATIONS = (
    " FROM agent_sessions s LEFT JOIN task_runs r ON r.id = s.run_id"
    " LEFT JOIN tasks t ON t.id = s.task_id AND t.deleted_at IS NULL LEFT JOIN agents g ON g.id = s.agent_id"
)
COLUMNS = (
    "s.*, t.number AS task_number, t.title AS task_title, r.parked_at, r.ready_at, r.ended_at AS run_ended_at,"
    " r.end_reason AS run_end_reason, g.last_seen_at AS agent_seen_at"
)
# SQL on `s` and `r`: the session is one that we made for its run, and that run has ended.
IS_OVER_WITH_RUN = f"(s.client = '{OWN}' AND s.external_id = CAST(s.run_id AS TEXT) AND r.ended_at IS NOT NULL)"


# SQL on `s`, a session: a person stopped the turn in which it still is.
IS_STOPPED = (
    "(s.stopped_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM session_activities z WHERE z.session_id = s.id"
    " AND z.at > s.stopped_at AND z.kind IN ('RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR')))"
)


@lookup
async def visible_session(actor: Actor, board_id: UUID, session_id: UUID) -> AgentSession:
    return await on_visible_board(AgentSession, actor, board_id, session_id)


async def locked_session(session: AgentSession) -> AgentSession:
    """Lock a session until the running command ends, and return it as it is now."""
    locked = await existing(find(AgentSession, "id = ?", session.id, lock=True))
    locked.board = session.board
    return locked


async def run_served(session: AgentSession) -> Run | None:
    return await find(Run, "id = ? AND ended_at IS NULL", session.run_id) if session.run_id is not None else None


def signs(row: Row, now: datetime) -> Row:
    """Return the state of a row of `COLUMNS` by its signs, with its last sign, its end and the reason for that.

    A session of ours is its agent's only program: its agent's calls are signs of it too.
    """
    seen, called = cast(datetime, as_moment(row["last_seen_at"])), as_moment(row["agent_seen_at"])
    if row["client"] == OWN and row["ended_at"] is None and called is not None:
        seen = max(seen, called)
    ended, reason = _end_of(row)
    state, since = "ended" if ended is not None else row["state"], row.get("state_at")
    if state != "ended" and row["parked_at"] is not None and row["run_ended_at"] is None:
        state, since = "waiting", row["parked_at"]
    elif state in ("working", "lost"):
        state = "lost" if now - seen >= SILENT_AFTER else "working"
    return {"state": state, "state_at": since, "last_seen_at": seen, "ended_at": ended, "end_reason": reason}


def _end_of(row: Row) -> tuple[datetime | None, str | None]:
    """When a session ended and why; one of ours has ended with the run that it is named after."""
    ended, run_ended = as_moment(row["ended_at"]), as_moment(row["run_ended_at"])
    if ended is None and row["client"] == OWN and run_ended and row["external_id"] == str(row["run_id"]):
        return run_ended, row["run_end_reason"]
    return ended, row["end_reason"]


def _read(row: Row) -> Row:
    row |= signs(row, times.clock_now())
    row |= {name: wire_moment(row[name]) for name in MOMENTS}
    plan = [{name: step[name] for name in ("text", "state")} for step in as_json(row["plan"]) or []]
    row |= {"plan": plan, "is_doing_over": bool(row["is_doing_over"])}
    row["usage_windows"] = [window.model_dump(mode="json") for window in windows_of(row["usage_windows"])]
    row["usage_sources"] = _tokens_by_source(as_json(row["usage_sources"]) or {})
    row |= {"activity_count": row["seq"], "cost_usd": row["cost_micros"] / MICROS}
    return {name: row[name] for name in AgentSessionRead.model_fields}


def _tokens_by_source(stated: dict[str, list[int]]) -> dict[str, int]:
    tokens = {name: figures[0] + figures[1] for name, figures in stated.items() if name != "counted"}
    return {name: count for name, count in tokens.items() if count}


MOMENTS = ("state_at", "started_at", "last_seen_at", "ended_at", "doing_at", "stopped_at", "attached_at")


async def list_sessions(board: Board, query: SessionQuery) -> tuple[list[Row], int]:
    values: Values = [board.id]
    where = "s.board_id = ?"
    for name in ("agent_id", "task_id"):
        if (value := getattr(query, name)) is not None:
            where, values = f"{where} AND s.{name} = ?", [*values, value]
    if query.is_open is not None:
        over = f"(s.ended_at IS NOT NULL OR {IS_OVER_WITH_RUN})"
        # The first condition is that of an index.
        where += f" AND s.ended_at IS NULL AND NOT {over}" if query.is_open else f" AND {over}"
    [total] = await rows(f"SELECT COUNT(*) AS n{RELATIONS} WHERE {where}", *values)
    order = "ORDER BY s.last_seen_at DESC, s.id DESC LIMIT ? OFFSET ?"
    sessions = await rows(f"SELECT {COLUMNS}{RELATIONS} WHERE {where} {order}", *values, query.limit, query.offset)
    return [_read(row) for row in sessions], int(total["n"])


async def session_read(session_id: UUID) -> Row:
    [session] = await rows(f"SELECT {COLUMNS}{RELATIONS} WHERE s.id = ?", session_id)
    return _read(session)


async def activities_of(session_id: UUID, query: ActivityQuery) -> ActivityPage:
    where, values = _searched("a.session_id = ?", [session_id], query.q)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM session_activities a WHERE {where}", *values)
    if query.before is not None:
        where, values = f"{where} AND a.seq < ?", [*values, query.before]
    is_newest = query.after is None
    if query.after is not None:
        where, values = f"{where} AND a.seq > ?", [*values, query.after]
    order = f"ORDER BY a.seq{' DESC' if is_newest else ''} LIMIT ?"
    sql = f"SELECT {ACTIVITY} FROM session_activities a WHERE {where} {order}"
    activities = await select(ActivityRead, sql, *values, query.limit)
    return ActivityPage(items=activities[::-1] if is_newest else activities, total=int(total["n"]))


ACTIVITY = ", ".join(f"a.{name}" for name in ActivityRead.model_fields)


async def activities_of_task(task_id: UUID, query: TaskActivityQuery) -> ActivityPage:
    runs = "a.run_id IN (SELECT r.id FROM task_runs r WHERE r.task_id = ?)"
    where, values = _searched(runs, [task_id], query.q)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM session_activities a WHERE {where}", *values)
    order = "ORDER BY a.at DESC, a.seq DESC, a.id LIMIT ?"
    sql = f"SELECT {ACTIVITY} FROM session_activities a WHERE {where} {order}"
    activities = await select(ActivityRead, sql, *values, query.limit)
    return ActivityPage(items=activities[::-1], total=int(total["n"]))


def _searched(where: str, values: Values, words: str) -> tuple[str, Values]:
    if not (word := words.strip().lower()):
        return where, values
    text = "a.title || ' ' || COALESCE(CAST(a.detail AS TEXT), '')"
    return f"{where} AND {contains(text)}", [*values, word]


@dataclass(frozen=True, slots=True)
class Line:
    """What the agent of a task does now, for the line on its card.

    `doing` is None while it has reported nothing; `seen_at` is its last sign. `cost_micros` is that of the run so far.
    """

    task_id: UUID
    run_id: UUID
    session_id: UUID | None
    agent_id: UUID | None
    agent_name: str
    state: State
    started_at: datetime
    seen_at: datetime
    doing: str | None
    doing_at: datetime | None
    is_doing_over: bool
    failures: int
    failing: str | None
    tokens: int
    cost_micros: int

    @property
    def is_stuck(self) -> bool:
        return self.failures >= STUCK_AT


async def line_of(task_ids: Iterable[UUID]) -> dict[UUID, Line]:
    if not (ids := list(task_ids)):
        return {}
    marks, values = in_list(ids)
    sessions = await rows(
        "SELECT r.task_id, r.id AS run_id, r.agent_id, r.agent_name, r.started_at, r.parked_at, r.input_tokens,"
        " r.output_tokens, r.cost_micros, r.ended_at AS run_ended_at, r.end_reason AS run_end_reason, s.id, s.client,"
        " s.external_id, s.state, s.ended_at, s.end_reason, s.doing, s.doing_at, s.is_doing_over, s.failures,"
        " s.failing, COALESCE(s.last_seen_at, r.started_at) AS last_seen_at, g.last_seen_at AS agent_seen_at"
        " FROM task_runs r LEFT JOIN agent_sessions s ON s.run_id = r.id AND s.parent_id IS NULL"
        f" LEFT JOIN agents g ON g.id = r.agent_id WHERE r.task_id IN ({marks}) AND r.ended_at IS NULL"
        " ORDER BY s.last_seen_at",  # of several sessions the one with the newest sign stays
        *values,
    )
    now = times.clock_now()
    return {cast(UUID, as_id(row["task_id"])): _line(row, now) for row in sessions}


def _line(row: Row, now: datetime) -> Line:
    if row["id"] is None:
        row |= {"client": OWN, "state": "working", "is_doing_over": True, "failures": 0}
    sign = signs(row, now)
    facts: JsonObject = {name: as_id(row[name]) for name in ("task_id", "run_id", "agent_id")}
    facts |= {name: as_moment(row[name]) for name in ("started_at", "doing_at")}
    facts |= {name: row[name] for name in ("agent_name", "doing", "failures", "failing", "cost_micros")}
    return Line(
        **facts, session_id=as_id(row["id"]), state=sign["state"], seen_at=sign["last_seen_at"],
        is_doing_over=bool(row["is_doing_over"]), tokens=row["input_tokens"] + row["output_tokens"],
    )  # fmt: skip
