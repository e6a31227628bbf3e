"""Tokens and cost of the sessions of agents, as their gateway counts them.

A gateway sums up each session from its transcript (`sessions.usage`), over resets too. What was counted of a session
is its mark; only what goes beyond it counts, and mark and usage are one transaction, so a crash neither loses nor
repeats anything. A figure below the mark is an older one from the gateway's cache and is passed over. The cost is the
gateway's estimate, by the prices of its configuration. What is new counts for the runs that were served when the
requests were made, which the gateway tells by their times (`sessions.usage.timeseries`): the newest 200 each, what is
before them in up to 200 parts.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.usage.budgets import Figures, measure_usage
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.times import monotonic
from mission_control.database.records import update
from mission_control.events.commands import command
from mission_control.gateway_agents.models import SessionUsage
from mission_control.gateway_agents.sessions import feed as session_feed
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.connector import call
from mission_control.gateways.connections.events import GatewayRef, Handlers, when_connected
from mission_control.gateways.protocol.errors import GatewayError, Unreachable
from mission_control.gateways.protocol.payload import Payload
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.usage import USED, Served, add_to_session, served_since, take_up

# The gateway answers from a cache of 30 seconds.
SKEW, MOST_SKEW = timedelta(seconds=2), timedelta(days=1)
LOOK_SECONDS, ACTIVE_SECONDS, SELDOM_SECONDS = 35.0, 100.0, 900.0
CALL_SECONDS = 30.0
MOST_SESSIONS = 1000
MICROS = 1_000_000
MOST = 10**15
FIRST_DAY, LAST_DAY = "2020-01-01", "2099-12-31"

_log = logging.getLogger(__name__)
_active: dict[UUID, float] = {}
_measured: dict[UUID, float] = {}
_ahead: dict[UUID, timedelta] = {}  # our clocks, of those of gateways


@dataclass(frozen=True, slots=True)
class Used:
    """What was used up to a moment, since the one before or in all."""

    figures: Figures
    cached: int
    written: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Measured(Used):
    """A session's usage in all, as its gateway sums it up."""

    agent_id: str
    key: str
    session_id: str
    began_at: datetime | None
    model: str | None


async def on_chat(gateway: GatewayRef, event: Payload) -> None:
    """Follow a run, and remember that the gateway's agents work, so that their usage is read soon."""
    _active[gateway.id] = monotonic()
    await following.on_chat(gateway, event)


async def on_agent(gateway: GatewayRef, event: Payload) -> None:
    if (at := _moment(event.get("ts"))) is not None:
        ahead, least = times.clock_now() - at, _ahead.get(gateway.id, MOST_SKEW)
        _ahead[gateway.id] = min(ahead, least) if abs(ahead - least) < SKEW else ahead  # one that took no time to come
    await following.on_agent(gateway, event)


@when_connected
async def measure_soon(gateway: GatewayRef) -> None:
    _active[gateway.id] = monotonic()
    _measured.pop(gateway.id, None)


async def measure_due() -> None:
    """Read the usage of the gateways that this process holds, often while their agents work."""

    async def read(gateway_id: UUID) -> None:
        try:
            await measure(gateway_id)
        except GatewayError as error:
            _log.info("a gateway did not tell its usage: %s", error, extra={"gateway_id": str(gateway_id)})
        except Exception:
            _log.exception("counting the usage of a gateway failed")

    await asyncio.gather(
        *(read(gateway_id) for gateway_id in connector.held_here() if _is_due(gateway_id, monotonic()))
    )


USAGE = Loop(name="counting the usage of gateways", look=measure_due, pause=LOOK_SECONDS)


def _is_due(gateway_id: UUID, now: float) -> bool:
    is_active = now - _active.get(gateway_id, -ACTIVE_SECONDS) < ACTIVE_SECONDS
    return is_active or now - _measured.get(gateway_id, -SELDOM_SECONDS) >= SELDOM_SECONDS


async def measure(gateway_id: UUID) -> None:
    ours = Agent.filter(gateway_id=gateway_id, gateway_agent_id__not_isnull=True)
    agents = {str(agent.gateway_agent_id): agent for agent in await ours}
    if not agents:
        return
    answer = await _sums(gateway_id, _first_day(agents.values()))
    _measured[gateway_id] = monotonic()
    marks = {mark.session_id: _of(mark) async for mark in SessionUsage.filter(gateway_id=gateway_id)}
    for measured in read_usage(answer):
        agent, mark = agents.get(measured.agent_id), marks.get(measured.session_id)
        if agent is not None and (mark is None or measured.figures.beyond(mark)):
            requests = await _requests(gateway_id, measured)
            await count_session(system(agent.organization_id), gateway_id, agent, measured, requests)


def _first_day(agents: Collection[Agent]) -> str:
    """Begin the day before the first agent came. A linked one has a past, which is its mark."""
    if any(agent.is_adopted for agent in agents):
        return FIRST_DAY
    first: datetime = min(agent.created_at for agent in agents)
    return (first - timedelta(days=1)).date().isoformat()


async def _sums(gateway_id: UUID, since: str) -> object:
    params = {"startDate": since, "endDate": LAST_DAY, "limit": MOST_SESSIONS}
    newer = {**params, "agentScope": "all", "includeHistorical": True}
    try:
        return await call(gateway_id, "sessions.usage", newer, seconds=CALL_SECONDS)
    except GatewayError as error:
        if isinstance(error, Unreachable) or error.code != "INVALID_REQUEST":
            raise
        return await call(gateway_id, "sessions.usage", params, seconds=CALL_SECONDS)


async def _requests(gateway_id: UUID, measured: Measured) -> list[Used]:
    try:
        params = {"key": measured.key}
        answer = Payload.of(await call(gateway_id, "sessions.usage.timeseries", params, seconds=CALL_SECONDS))
    except Unreachable:
        raise
    except GatewayError as error:
        _log.info("a gateway did not tell the requests of a session: %s", error, extra={"gateway_id": str(gateway_id)})
        return []
    ahead = _ahead.get(gateway_id, timedelta())
    ahead = ahead if SKEW < abs(ahead) < MOST_SKEW else timedelta()
    points = [(_moment(point.get("timestamp")), point) for point in answer.objects("points")]
    return [_used(point, point.get("cost"), at + ahead) for at, point in points if at is not None]


def read_usage(answer: object) -> list[Measured]:
    """Read the sessions that the gateway has summed up; others come with a later answer."""
    sessions = Payload.of(answer).objects("sessions")
    return [measured for session in sessions if (measured := _measured_of(session)) is not None]


def _measured_of(session: Payload) -> Measured | None:
    usage, session_id = session.get("usage"), session.string("sessionId")
    if not isinstance(usage, dict) or not session_id:
        return None
    usage, key, model = Payload(usage), session.text("key"), session.string("model")
    used = _used(usage, usage.get("totalCost"), _moment(usage.get("lastActivity")))
    parts = key.split(":")
    return Measured(
        used.figures, used.cached, used.written, used.at, key=key, session_id=session_id[:512],
        agent_id=session.text("agentId") or (parts[1] if len(parts) > 1 and parts[0] == "agent" else ""),
        began_at=_moment(usage.get("firstActivity")), model=None if model is None else model[:200],
    )  # fmt: skip


def _used(usage: Payload, cost: object, at: datetime | None) -> Used:
    # The gateway counts what was read from and written to a prompt cache apart from the input.
    cached, written = _count(usage.get("cacheRead")), _count(usage.get("cacheWrite"))
    micros = _count(cost * MICROS) if isinstance(cost, int | float) and not isinstance(cost, bool) else 0
    figures = Figures(_count(usage.get("input")) + cached + written, _count(usage.get("output")), micros)
    return Used(figures, cached, written, at)


def _moment(value: object) -> datetime | None:
    milliseconds = _count(value)
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None) if 0 < milliseconds < 2**42 else None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        return 0
    return round(value)


@command("usage.measure")
async def count_session(
    actor: Actor, gateway_id: UUID, agent: Agent, measured: Measured, requests: Sequence[Used] = ()
) -> None:
    """Count what a session used beyond its mark, for the runs of its requests.

    Of an adopted agent, what it used before it was adopted does not count.
    """
    mark = await SessionUsage.select_for_update().get_or_none(gateway_id=gateway_id, session_id=measured.session_id)
    is_earlier = agent.is_adopted and measured.began_at is not None and measured.began_at < agent.created_at
    is_new = mark is None
    mark = mark or SessionUsage(
        gateway_id=gateway_id, session_key=f"agent:{measured.agent_id}", session_id=measured.session_id
    )
    counted = _of(mark)
    more = Figures() if is_new and is_earlier else measured.figures.beyond(counted)
    if not (more or is_new):
        return
    highest = measured.figures.larger(counted)
    mark.input_tokens, mark.output_tokens, mark.cost_micros = highest.input, highest.output, highest.micros
    mark.updated_at = times.clock_now()
    await mark.save()
    if more:
        # Locked before budgets, as reports do; one that was never followed is not stored.
        session = await session_feed.followed(agent, measured.key)
        await _count_parts(actor, agent, measured, session, parts_of(measured, counted, more, requests))


def _of(mark: SessionUsage) -> Figures:
    return Figures(mark.input_tokens, mark.output_tokens, mark.cost_micros)


def parts_of(measured: Used, counted: Figures, more: Figures, requests: Sequence[Used]) -> list[Used]:
    """Return what is new of a session, by its requests: those behind what was counted, up to what was measured."""
    begin, end = (figures.input + figures.output for figures in (counted, measured.figures))
    parts, so_far, left = list[Used](), 0, more
    for request in requests:
        tokens = request.figures.input + request.figures.output
        inside = min(so_far + tokens, end) - max(so_far, begin)
        so_far += tokens
        if inside > 0:
            share = _share(request, inside, tokens)
            parts.append(replace(share, figures=share.figures.smaller(left)))
            left = left.beyond(parts[-1].figures)
    if not parts:  # of the tokens from and to a cache, which have no mark, as large a part as of the input
        return [replace(_share(measured, more.input, max(1, measured.figures.input)), figures=more)]
    parts[-1] = replace(parts[-1], figures=parts[-1].figures.with_more(left))
    return parts


def _share(used: Used, numerator: int, denominator: int) -> Used:
    if numerator == denominator:
        return used
    counts = (*astuple(used.figures), used.cached, used.written)
    taken, answered, micros, cached, written = (count * numerator // denominator for count in counts)
    return Used(Figures(taken, answered, micros), cached, written, used.at)


async def _count_parts(
    actor: Actor, agent: Agent, measured: Measured, session: AgentSession | None, parts: Sequence[Used]
) -> None:
    now = times.clock_now()
    moments = [min(part.at or now, now) for part in parts]
    served = await _served(agent, session, min(moments))
    for (run, _), group in groupby(zip(moments, parts, strict=True), lambda pair: served.place_of(pair[0])):
        at, together = reduce(_together, group)
        about = {"run_id": run.id, "task_id": run.task_id} if run else {}
        entry = await measure_usage(
            actor, agent.id, together.figures, model=measured.model, cached=together.cached, written=together.written,
            session_id=session.id if session else None, at=at, **about,
        )  # fmt: skip
        if session is None:
            continue
        if entry is not None:
            add_to_session(session, [entry])
        if run is not None:
            await take_up(session, run, served)
    if session is not None:
        await update(session, *USED)


async def _served(agent: Agent, session: AgentSession | None, since: datetime) -> Served:
    if agent.board_id is None:
        return Served([], [])
    return await served_since(session or AgentSession(agent_id=agent.id, board_id=agent.board_id), since)


def _together(earlier: tuple[datetime, Used], later: tuple[datetime, Used]) -> tuple[datetime, Used]:
    (_, first), (at, second) = earlier, later
    figures = first.figures.with_more(second.figures)
    return at, Used(figures, first.cached + second.cached, first.written + second.written, second.at)


HANDLERS = Handlers({"chat": on_chat, "agent": on_agent})
