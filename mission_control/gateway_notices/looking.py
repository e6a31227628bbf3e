"""Look whether agents of gateways have work that they have not taken up, and notify each of it once.

No model is asked for that: `heartbeat_config.every` is how often the server looks. Agents that are in a turn, to which
something is still on its way, or that may not work now, are left alone.
"""

import asyncio
import logging
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_json, placeholders, rows
from mission_control.delivery.models import Delivery
from mission_control.gateway_notices.messages import WORK_WAITS
from mission_control.gateway_notices.open_work import Work, work_of
from mission_control.gateways import connector

PACE_SECONDS = 10.0
SHORTEST = timedelta(seconds=30)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
EVERY = re.compile(r"([0-9]{1,5})([smhd])")
REMEMBERED = 500
FREE = (
    "SELECT a.id, a.heartbeat_config FROM agents a JOIN boards b ON b.id = a.board_id"
    " JOIN organizations o ON o.id = a.organization_id"
    " WHERE a.gateway_id IN ({gateways}) AND a.last_seen_at IS NOT NULL AND a.run_began_at IS NULL"
    " AND a.gateway_away_at IS NULL AND a.callback_url IS NULL AND b.deleted_at IS NULL AND a.status <> 'error'"
    " AND a.work_state = 'running' AND b.work_state = 'running' AND o.work_state = 'running'"
    " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.agent_id = a.id AND d.state <> 'sent' AND d.state <> 'failed')"
    " ORDER BY a.last_seen_at"
)

_log = logging.getLogger(__name__)
_next: dict[UUID, tuple[timedelta, datetime]] = {}


async def run_looking() -> None:
    """Look after the agents of the gateways that this process holds; never returns."""
    while True:
        await asyncio.sleep(PACE_SECONDS)
        try:
            await look(connector.held_here())
        except Exception:
            _log.exception("looking for open work of agents failed")


async def look(gateway_ids: Collection[UUID]) -> None:
    """Notify agents whose time it is of what they have not taken up; one statement while it is nobody's."""
    if not gateway_ids:
        return
    found = await rows(FREE.format(gateways=placeholders(len(gateway_ids))), *gateway_ids)
    due = [key for row in found if _is_due(key := UUID(str(row["id"])), as_json(row["heartbeat_config"]))]
    offered: set[str] = set()
    for agent_id in due:
        agent = await Agent.get_or_none(id=agent_id).select_related("board")
        if agent is None:
            continue
        work = await work_of(agent, clock.now() - _next[agent_id][0])
        known = offered | await _notified_of(agent) if work else offered
        new = [one for one in work if one.key not in known]
        if new:
            offered |= {one.key for one in new if one.is_for_anybody}
            await notify_of(system(agent.organization_id), agent, new)


def interval_of(config: dict[str, Any] | None) -> timedelta | None:
    """Return how often the server looks after an agent, None for never."""
    matched = EVERY.fullmatch(str({**DEFAULT_HEARTBEAT, **(config or {})}["every"]))
    if matched is None or int(matched[1]) == 0:
        return None
    return max(SHORTEST, timedelta(**{UNITS[matched[2]]: int(matched[1])}))


def _is_due(agent_id: UUID, config: dict[str, Any] | None) -> bool:
    """Return whether it is time to look after an agent, and plan the next look. The first one is an interval away."""
    every, now = interval_of(config), clock.now()
    if every is None:
        _next.pop(agent_id, None)
        return False
    known = _next.get(agent_id)
    if known is not None and known[0] == every and now < known[1]:
        return False
    _next[agent_id] = (every, now + every)
    return known is not None and known[0] == every


async def _notified_of(agent: Agent) -> set[str]:
    """Return the keys of what the agent was notified of already."""
    last = await Delivery.filter(agent_id=agent.id, header=WORK_WAITS).order_by("-created_at").first()
    return set(last.data.get("work", ())) if last is not None else set()


@command("provisioning.run")
async def notify_of(actor: Actor, agent: Agent, work: list[Work]) -> None:
    """Send an agent one message about all that waits for it."""
    keys = [one.key for one in work]
    earlier = [one for one in await _notified_of(agent) if one not in keys]
    deliver(
        NOTICE,
        agent.scope(),
        agent_id=agent.id,
        header=WORK_WAITS,
        text="\n".join([f"Board: {agent.board.name}", "", *(one.text for one in work)]),
        work=[*keys, *earlier][:REMEMBERED],
    )
