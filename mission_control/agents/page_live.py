"""What the pages of agents show, and keep showing as it changes."""

from typing import Any
from uuid import UUID

from quart import Response

from mission_control.accounts.models import Token
from mission_control.agents import roster
from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agents
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.delivery.models import Delivery
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.fragments import partial, render_block, render_macro

KINDS = ("agent.", "task.", "approval.", "question.", "board.")
SHOWN = 20


async def list_context(actor: Actor) -> dict[str, Any]:
    """The list by board, and how many are there."""
    groups = await roster.roster_by_board(actor)
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in ("offline", "provisioning") for line in lines)
    return {"groups": groups, "total": len(lines), "online": online}


async def list_stream(actor: Actor) -> Response:
    """The list's stream: presence notes, and everything that changes what an agent is doing."""

    async def render(current: Actor, batch: Batch) -> str:
        if not batch.notes and not any(event.kind.startswith(KINDS) for event in batch.events):
            return ""
        context = await list_context(current)
        html = partial("#agents", await render_block("agents/index.html", "agents", **context))
        return html + partial("#agents-summary", await render_block("agents/index.html", "summary", **context))

    async def reaches(current: Actor) -> bool:
        return can(current, "agent.manage")

    return await live_page(actor, "agents", render, reaches)


async def agent_context(actor: Actor, agent: Agent) -> dict[str, Any]:
    """Everything that one agent's page shows."""
    line = (await roster.lines_of([agent]))[agent.id]
    return {
        "agent": agent,
        "line": line,
        "tasks": await roster.tasks_of(agent),
        "tokens": await _tokens(agent.id),
        "deliveries": await Delivery.filter(agent_id=agent.id).order_by("-created_at").limit(SHOWN),
        "events": await Event.filter(organization_id=agent.organization_id, agent_id=agent.id)
        .order_by("-seq")
        .limit(SHOWN),
        "may_change": can(actor, "agent.update", agent),
    }


async def _tokens(agent_id: UUID) -> list[dict[str, Any]]:
    now = clock.now()
    tokens = await Token.filter(agent_id=agent_id).order_by("-created_at").limit(SHOWN)
    return [
        {"row": token, "is_live": token.revoked_at is None and (token.expires_at is None or token.expires_at > now)}
        for token in tokens
    ]


async def first_steps(agent: Agent) -> dict[str, Any]:
    """The task that the first steps use, and which of them were made."""
    working = any(task.status in ("in_progress", "review", "done") for task in await roster.tasks_of(agent))
    return {
        "task_id": await roster.first_task(agent),
        "steps": {1: agent.last_seen_at is not None, 2: working, 3: await roster.has_asked(agent)},
    }


async def agent_stream(actor: Actor, agent: Agent, *, steps: bool) -> Response:
    """One agent's stream, for its page or for the page with its first steps."""
    agent_id = agent.id

    async def find(current: Actor) -> Agent | None:
        found = await visible_agents(current).select_related("board").get_or_none(id=agent_id)
        return found if found is not None and can(current, "agent.read", found) else None

    async def render(current: Actor, batch: Batch) -> str:
        found = await find(current)
        if found is None or not _concerns(found, batch):
            return ""
        return await (_step_partials(found) if steps else _page_partials(current, found))

    async def reaches(current: Actor) -> bool:
        return await find(current) is not None

    return await live_page(actor, "agents", render, reaches)


def _concerns(agent: Agent, batch: Batch) -> bool:
    if any(note.get("agent_id") == str(agent.id) for note in batch.notes):
        return True
    return any(event.board_id == agent.board_id or event.agent_id == agent.id for event in batch.events)


async def _step_partials(agent: Agent) -> str:
    context = await first_steps(agent)
    html = partial("[data-first-task]", str(context["task_id"] or "TASK_ID"), "innerHTML")
    for number, is_made in context["steps"].items():
        mark = render_macro("agents/tokens.html", "step_mark", is_made=is_made)
        html += partial(f"#step-{number}", mark, "innerHTML")
    context["agent"] = agent
    return html + partial("#first-task", await render_block("agents/token.html", "first_task", **context))


async def _page_partials(actor: Actor, agent: Agent) -> str:
    context = await agent_context(actor, agent)
    names = ("status", "work", "notices", "tokens", "events")
    return "".join(
        [partial(f"#agent-{name}", await render_block("agents/show.html", name, **context)) for name in names]
    )
