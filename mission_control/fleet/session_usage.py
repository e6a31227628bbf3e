"""Tokens and cost of the sessions of agents, as their gateway counts them.

A gateway sums up each session from its transcript (`sessions.usage`), over resets too. What was counted of a session
is its mark; only what goes beyond it counts, and mark and usage are one transaction, so a crash neither loses nor
repeats anything. A figure below the mark is an older one from the gateway's cache and is passed over. The cost is the
gateway's estimate, by the prices of its configuration.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mission_control.agents.budgets import Figures, measure_usage
from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.times import monotonic
from mission_control.fleet import following, session_feed
from mission_control.fleet.gateway_agent import mappings_in
from mission_control.fleet.models import SessionUsage
from mission_control.gateways import connector
from mission_control.gateways.connector import call
from mission_control.gateways.errors import GatewayError, Unreachable
from mission_control.gateways.events import GatewayRef, Handlers, when_connected
from mission_control.log.commands import command
from mission_control.work.loops import Loop

# The gateway answers from a cache of 30 seconds.
LOOK_SECONDS, ACTIVE_SECONDS, SELDOM_SECONDS = 35.0, 100.0, 900.0
CALL_SECONDS = 30.0
MOST_SESSIONS = 1000
MICROS = 1_000_000
MOST = 10**15
FIRST_DAY, LAST_DAY = "2020-01-01", "2099-12-31"

_log = logging.getLogger(__name__)
_active: dict[UUID, float] = {}
_measured: dict[UUID, float] = {}


@dataclass(frozen=True, slots=True)
class Measured:
    """A session's usage in all, as its gateway sums it up."""

    agent_id: str
    key: str
    session_id: str
    figures: Figures
    cached: int
    written: int
    began_at: datetime | None
    model: str | None


async def on_chat(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    """Follow a run, and remember that the gateway's agents work, so that their usage is read soon."""
    _active[gateway.id] = monotonic()
    await following.on_chat(gateway, event)


@when_connected
async def measure_soon(gateway: GatewayRef) -> None:
    """After a connection: have everything read that was used since."""
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

    await asyncio.gather(*(read(one) for one in connector.held_here() if _is_due(one, monotonic())))


USAGE = Loop(name="counting the usage of gateways", look=measure_due, pause=LOOK_SECONDS)


def _is_due(gateway_id: UUID, now: float) -> bool:
    if now - _active.get(gateway_id, -ACTIVE_SECONDS) < ACTIVE_SECONDS:
        return True
    return now - _measured.get(gateway_id, -SELDOM_SECONDS) >= SELDOM_SECONDS


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
    for measured in read_usage(answer):
        if (agent := agents.get(measured.agent_id)) is not None:
            await count_session(system(agent.organization_id), gateway_id, agent, measured)


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


def read_usage(answer: object) -> list[Measured]:
    """Return the sessions of an answer that the gateway has summed up; others come with a later one."""
    return [one for session in mappings_in(answer, "sessions") if (one := _measured_of(session)) is not None]


def _measured_of(said: Mapping[str, object]) -> Measured | None:
    usage, session_id = said.get("usage"), said.get("sessionId")
    if not isinstance(usage, Mapping) or not isinstance(session_id, str) or not session_id:
        return None
    key = str(said.get("key") or "").split(":")
    agent_id = said.get("agentId") or (key[1] if len(key) > 1 and key[0] == "agent" else "")
    output = _count(usage.get("output"))
    # The gateway counts what was read from and written to a prompt cache apart from the input.
    taken = sum(_count(usage.get(name)) for name in ("input", "cacheRead", "cacheWrite"))
    cost = usage.get("totalCost")
    micros = _count(cost * MICROS) if isinstance(cost, int | float) and not isinstance(cost, bool) else 0
    model, began = said.get("model"), _count(usage.get("firstActivity"))  # in milliseconds
    return Measured(
        agent_id=str(agent_id),
        key=str(said.get("key") or ""),
        session_id=session_id[:512],
        figures=Figures(taken, output, micros),
        cached=_count(usage.get("cacheRead")),
        written=_count(usage.get("cacheWrite")),
        began_at=datetime.fromtimestamp(began / 1000, UTC).replace(tzinfo=None) if 0 < began < 2**42 else None,
        model=model[:200] if isinstance(model, str) else None,
    )


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        return 0
    return round(value)


@command("usage.measure")
async def count_session(actor: Actor, gateway_id: UUID, agent: Agent, measured: Measured) -> None:
    """Count what a session used beyond its mark.

    Of an adopted agent, what it used before it was adopted does not count.
    """
    mark = await SessionUsage.select_for_update().get_or_none(gateway_id=gateway_id, session_id=measured.session_id)
    is_earlier = agent.is_adopted and measured.began_at is not None and measured.began_at < agent.created_at
    is_new = mark is None
    mark = mark or SessionUsage(
        gateway_id=gateway_id, session_key=f"agent:{measured.agent_id}", session_id=measured.session_id
    )
    counted = Figures(mark.input_tokens, mark.output_tokens, mark.cost_micros)
    more = Figures() if is_new and is_earlier else measured.figures.beyond(counted)
    if not (more or is_new):
        return
    highest = measured.figures.larger(counted)
    mark.input_tokens, mark.output_tokens, mark.cost_micros = highest.input, highest.output, highest.micros
    mark.updated_at = times.clock_now()
    await mark.save()
    if more:
        session = await session_feed.followed(agent, measured.key)  # before budgets are locked, as reports do
        # Of the tokens from and to a cache, which have no mark, as large a part counts as of the input.
        cached, written = (
            one * more.input // max(1, measured.figures.input) for one in (measured.cached, measured.written)
        )
        entry = await measure_usage(
            actor,
            agent.id,
            more,
            model=measured.model,
            cached=cached,
            written=written,
            session_id=session.id if session else None,
            run_id=session.run_id if session else None,
            task_id=session.task_id if session else None,
        )
        if entry is not None and session is not None:
            await session_feed.add_to_session(session, entry)


HANDLERS = Handlers({"chat": on_chat, "agent": following.on_agent})
