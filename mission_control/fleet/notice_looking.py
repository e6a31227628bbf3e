"""Find what agents of gateways could do and have not taken up, and notify each of them once."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.agents.usage_queries import exhausted
from mission_control.claims import claiming
from mission_control.claims.waiting import reasons_of
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_json, placeholders, rows
from mission_control.gateways import connector
from mission_control.log.commands import command
from mission_control.log.leases import Delivery
from mission_control.log.unit_of_work import deliver
from mission_control.tasks.models import Task
from mission_control.tasks.notices import WORK_WAITS
from mission_control.tasks.rules import Limits, full
from mission_control.work.loops import Loop

SHOWN = 5
# What only the lead can resolve; the rest waits for time, for people or for others.
NEEDS_LEAD = {"review", "flagged", "no_capable_agent", "rule"}
OWN = (
    "SELECT t.number, t.title, r.id AS run_id FROM task_runs r JOIN tasks t ON t.id = r.task_id"
    " WHERE r.agent_id = ? AND r.ended_at IS NULL AND r.started_at < ? AND t.status = 'in_progress'"
    " AND t.deleted_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM approval_task_links k WHERE k.task_id = t.id AND k.is_pending)"
    " AND NOT EXISTS (SELECT 1 FROM approvals p WHERE p.agent_id = r.agent_id AND p.status = 'pending')"
    " AND NOT EXISTS (SELECT 1 FROM agent_questions q WHERE q.agent_id = r.agent_id AND q.state = 'open')"
    " ORDER BY t.number"
)


class Work(NamedTuple):
    """One thing that waits for an agent. `key` is another one when it waits anew."""

    key: str
    text: str
    is_for_anybody: bool = False


async def work_of(agent: Agent, since: datetime) -> list[Work]:
    """Return what waits for an agent that has given no sign since a moment."""
    if await exhausted(agent.id, agent.board_id, agent.organization_id) is not None:
        return []
    found = await _unread(agent)
    if agent.is_board_lead:
        return found + await _for_lead(agent, since)
    begun = await _begun(agent, since)
    return found + (begun or await _to_claim(agent, since))


async def _unread(agent: Agent) -> list[Work]:
    """Return notices that were given up: they can be read in the inbox."""
    given_up = "SELECT id, header FROM deliveries WHERE agent_id = ? AND state = 'failed' ORDER BY seq LIMIT 20"
    read = "Read the notices that did not reach you here: GET /api/v1/agent/inbox."
    return [Work(f"notice:{row['id']}", f"{row['header']}. {read}") for row in await rows(given_up, agent.id)]


async def _begun(agent: Agent, since: datetime) -> list[Work]:
    """Return tasks in the agent's hands that wait for nobody else."""
    if agent.last_seen_at is not None and agent.last_seen_at > since:
        return []
    found = await rows(OWN, agent.id, since)
    return [
        Work(
            f"run:{one['run_id']}",
            f"#{one['number']} {one['title']} is yours and in progress. Go on with it, or say why not.",
        )
        for one in found
    ]


async def _to_claim(agent: Agent, since: datetime) -> list[Work]:
    """Return tasks that the agent could claim: its own that have waited since then, and free ones."""
    if agent.board_id is None:
        return []
    theirs = Task.filter(assigned_agent_id=agent.id, status="in_progress", deleted_at=None)
    limits = Limits.of(agent.wip_limit, agent.board.wip_limits)
    if await theirs.exists() or await full(limits, agent.id, agent.board_id) is not None:
        return []
    search = claiming.Search(agent.id, agent.board_id, agent.claim_tags, None)
    if not (best := (await claiming.see_best(search))[:SHOWN]):
        return []
    found = await rows(
        "SELECT number, title, id, attempt, assigned_agent_id FROM tasks"
        f" WHERE id IN ({placeholders(len(best))}) AND (assigned_agent_id IS NULL OR updated_at < ?)",
        *best,
        since,
    )
    return [
        Work(
            f"task:{one['id']}:{one['attempt']}",
            f"#{one['number']} {one['title']} waits to be claimed.",
            is_for_anybody=one["assigned_agent_id"] is None,
        )
        for one in found
    ]


async def _for_lead(agent: Agent, since: datetime) -> list[Work]:
    """Return tasks that have waited for the board's lead since then."""
    found = await rows(
        "SELECT id, number, title, status, attempt FROM tasks WHERE board_id = ? AND status IN ('inbox', 'review')"
        " AND deleted_at IS NULL AND archived_at IS NULL AND updated_at < ? ORDER BY updated_at LIMIT 50",
        agent.board_id,
        since,
    )
    waiting = await reasons_of([one["id"] for one in found])
    work = []
    for one in found:
        reasons = waiting.get(str(one["id"]), [])
        kinds = {str(reason["kind"]) for reason in reasons}
        if kinds & NEEDS_LEAD and "approval" not in kinds:
            text = " ".join(str(reason["text"]) for reason in reasons)
            key = f"task:{one['id']}:{one['status']}:{one['attempt']}"
            work.append(Work(key, f"#{one['number']} {one['title']} ({one['status']}): {text}"))
    return work


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

_next: dict[UUID, tuple[timedelta, datetime]] = {}


async def look(gateway_ids: Collection[UUID] | None = None) -> None:
    """Notify agents whose time it is of what they have not taken up; one statement while it is nobody's.

    Those of the gateways that this process holds, unless others are named.
    """
    gateway_ids = connector.held_here() if gateway_ids is None else gateway_ids
    if not gateway_ids:
        return
    found = await rows(FREE.format(gateways=placeholders(len(gateway_ids))), *gateway_ids)
    due = [key for row in found if _is_due(key := UUID(str(row["id"])), as_json(row["heartbeat_config"]))]
    offered: set[str] = set()
    for agent_id in due:
        agent = await Agent.get_or_none(id=agent_id).select_related("board")
        if agent is None:
            continue
        work = await work_of(agent, times.clock_now() - _next[agent_id][0])
        known = offered | await _notified_of(agent) if work else offered
        new = [one for one in work if one.key not in known]
        if new:
            offered |= {one.key for one in new if one.is_for_anybody}
            await notify_of(system(agent.organization_id), agent, new)


OPEN_WORK = Loop(name="looking for open work of agents", look=look, pause=10.0)


def interval_of(config: dict[str, object] | None) -> timedelta | None:
    """Return how often the server looks after an agent, None for never."""
    matched = EVERY.fullmatch(str({**DEFAULT_HEARTBEAT, **(config or {})}["every"]))
    if matched is None or int(matched[1]) == 0:
        return None
    return max(SHORTEST, timedelta(**{UNITS[matched[2]]: int(matched[1])}))


def _is_due(agent_id: UUID, config: dict[str, object] | None) -> bool:
    """Return whether it is time to look after an agent, and plan the next look. The first one is an interval away."""
    every, now = interval_of(config), times.clock_now()
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
