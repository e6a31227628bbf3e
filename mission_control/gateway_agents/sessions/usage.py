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
from collections.abc import Mapping, Sequence
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
from mission_control.gateway_agents.provisioning.gateway_agent import mappings_in
from mission_control.gateway_agents.sessions import feed as session_feed
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.connector import call
from mission_control.gateways.connections.events import GatewayRef, Handlers, when_connected
from mission_control.gateways.protocol.errors import GatewayError, Unreachable
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


async def on_chat(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    """Follow a run, and remember that the gateway's agents work, so that their usage is read soon."""
    _active[gateway.id] = monotonic()
    await following.on_chat(gateway, event)


async def on_agent(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    if (at := _moment(event.get("ts"))) is not None:
        ahead, known = times.clock_now() - at, _ahead.get(gateway.id, MOST_SKEW)
        _ahead[gateway.id] = min(ahead, known) if abs(ahead - known) < SKEW else ahead  # one that took no time to come
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
    # From the day before the first of our agents came. A linked one has a past, which is its mark.
    since = (min(agent.created_at for agent in agents.values()) - timedelta(days=1)).date().isoformat()
    is_any_adopted = any(agent.is_adopted for agent in agents.values())
    answer = await _sums(gateway_id, FIRST_DAY if is_any_adopted else since)
    _measured[gateway_id] = monotonic()
    marks = {one.session_id: _of(one) async for one in SessionUsage.filter(gateway_id=gateway_id)}
    for measured in read_usage(answer):
        agent, mark = agents.get(measured.agent_id), marks.get(measured.session_id)
        if agent is not None and (mark is None or measured.figures.beyond(mark)):
            requests = await _requests(gateway_id, measured)
            await count_session(system(agent.organization_id), gateway_id, agent, measured, requests)


async def _sums(gateway_id: UUID, since: str) -> object:
    asked: dict[str, object] = {"startDate": since, "endDate": LAST_DAY, "limit": MOST_SESSIONS}
    newer = {**asked, "agentScope": "all", "includeHistorical": True}
    try:
        return await call(gateway_id, "sessions.usage", newer, seconds=CALL_SECONDS)
    except Unreachable:
        raise
    except GatewayError as error:
        if error.code != "INVALID_REQUEST":
            raise
        return await call(gateway_id, "sessions.usage", asked, seconds=CALL_SECONDS)


async def _requests(gateway_id: UUID, measured: Measured) -> list[Used]:
    try:
        asked = {"key": measured.key}
        answer = await call(gateway_id, "sessions.usage.timeseries", asked, seconds=CALL_SECONDS)
    except Unreachable:
        raise
    except GatewayError as error:
        _log.info("a gateway did not tell the requests of a session: %s", error, extra={"gateway_id": str(gateway_id)})
        return []
    ahead = _ahead.get(gateway_id, timedelta())
    ahead = ahead if SKEW < abs(ahead) < MOST_SKEW else timedelta()
    found = [(_moment(point.get("timestamp")), point) for point in mappings_in(answer, "points")]
    return [_used(one, one.get("cost"), at + ahead) for at, one in found if at is not None]


def read_usage(answer: object) -> list[Measured]:
    """Return the sessions of an answer that the gateway has summed up; others come with a later one."""
    return [one for session in mappings_in(answer, "sessions") if (one := _measured_of(session)) is not None]


def _measured_of(said: Mapping[str, object]) -> Measured | None:
    usage, session_id = said.get("usage"), said.get("sessionId")
    if not isinstance(usage, Mapping) or not isinstance(session_id, str) or not session_id:
        return None
    key = str(said.get("key") or "").split(":")
    agent_id = said.get("agentId") or (key[1] if len(key) > 1 and key[0] == "agent" else "")
    model, used = said.get("model"), _used(usage, usage.get("totalCost"), _moment(usage.get("lastActivity")))
    return Measured(
        used.figures, used.cached, used.written, used.at, agent_id=str(agent_id), key=str(said.get("key") or ""),
        session_id=session_id[:512], began_at=_moment(usage.get("firstActivity")),
        model=model[:200] if isinstance(model, str) else None,
    )  # fmt: skip


def _used(usage: Mapping[str, object], cost: object, at: datetime | None) -> Used:
    # The gateway counts what was read from and written to a prompt cache apart from the input.
    taken = sum(_count(usage.get(name)) for name in ("input", "cacheRead", "cacheWrite"))
    micros = _count(cost * MICROS) if isinstance(cost, int | float) and not isinstance(cost, bool) else 0
    figures = Figures(taken, _count(usage.get("output")), micros)
    return Used(figures, _count(usage.get("cacheRead")), _count(usage.get("cacheWrite")), at)


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
    begin, end = (one.input + one.output for one in (counted, measured.figures))
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
    parts = (one * numerator // denominator for one in (*astuple(used.figures), used.cached, used.written))
    taken, given, micros, cached, written = parts
    return Used(Figures(taken, given, micros), cached, written, used.at)


async def _count_parts(
    actor: Actor, agent: Agent, measured: Measured, session: AgentSession | None, parts: Sequence[Used]
) -> None:
    now = times.clock_now()
    moments = [min(one.at or now, now) for one in parts]
    where = session or AgentSession(agent_id=agent.id, board_id=agent.board_id)
    served = await served_since(where, min(moments)) if agent.board_id else Served([], [])
    for (run, _), group in groupby(zip(moments, parts, strict=True), lambda pair: served.place_of(pair[0])):
        some = list(group)
        entry = await measure_usage(
            actor, agent.id, reduce(Figures.with_more, (part.figures for _, part in some)), model=measured.model,
            cached=sum(part.cached for _, part in some), written=sum(part.written for _, part in some),
            session_id=session.id if session else None, run_id=run.id if run else None,
            task_id=run.task_id if run else None, at=some[-1][0],
        )  # fmt: skip
        if entry is not None and session is not None:
            add_to_session(session, [entry])
        if session is not None and run is not None:
            await take_up(session, run, served)
    if session is not None:
        await update(session, *USED)


HANDLERS = Handlers({"chat": on_chat, "agent": on_agent})
