"""What an agent could do now and has not taken up."""

from datetime import datetime
from typing import NamedTuple

from mission_control.agents.models import Agent
from mission_control.claims import selection
from mission_control.claims.waiting import reasons_of
from mission_control.database.sql import placeholders, rows
from mission_control.tasks.limits import Limits, full
from mission_control.tasks.models import Task
from mission_control.usage.queries import exhausted

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
    theirs = Task.filter(assigned_agent_id=agent.id, status="in_progress", deleted_at=None)
    limits = Limits.of(agent.wip_limit, agent.board.wip_limits)
    if await theirs.exists() or await full(limits, agent.id, agent.board_id) is not None:
        return []
    search = selection.Search(agent.id, agent.board_id, agent.claim_tags, None)
    if not (best := (await selection.see_best(search))[:SHOWN]):
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
