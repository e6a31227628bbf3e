"""The first steps of a new agent: the lines to try, and what has come of them."""

from typing import Any

from quart import Response

from mission_control.agents import roster
from mission_control.agents.models import Agent
from mission_control.agents.page_frame import concerns
from mission_control.agents.queries import visible_agents
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.fragments import partial, render_block, render_macro

TEMPLATE = "agents/token.html"


async def context_of(agent: Agent) -> dict[str, Any]:
    """The task that the first steps use, and which of them were made."""
    working = any(task.status in ("in_progress", "review", "done") for task in await roster.tasks_of(agent))
    return {
        "task_id": await roster.first_task(agent),
        "steps": {1: agent.last_seen_at is not None, 2: working, 3: await roster.has_asked(agent)},
    }


async def stream(actor: Actor, agent: Agent) -> Response:
    """The stream of the page with the first steps."""
    agent_id = agent.id

    async def find(current: Actor) -> Agent | None:
        found = await visible_agents(current).select_related("board").get_or_none(id=agent_id)
        return found if found is not None and can(current, "agent.read", found) else None

    async def render(current: Actor, batch: Batch) -> str:
        found = await find(current)
        return await _partials(found) if found is not None and concerns(found, batch) else ""

    async def reaches(current: Actor) -> bool:
        return await find(current) is not None

    return await live_page(actor, "agents", render, reaches)


async def _partials(agent: Agent) -> str:
    context = await context_of(agent)
    html = partial("[data-first-task]", str(context["task_id"] or "TASK_ID"), "innerHTML")
    for number, is_made in context["steps"].items():
        mark = render_macro("agents/tokens.html", "step_mark", is_made=is_made)
        html += partial(f"#step-{number}", mark, "innerHTML")
    return html + partial("#first-task", await render_block(TEMPLATE, "first_task", agent=agent, **context))
