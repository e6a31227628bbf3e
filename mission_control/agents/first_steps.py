"""The first steps of a new agent: the lines to try, and what has come of them."""

from dataclasses import dataclass
from typing import Any

from quart import Response

from mission_control.agents import roster
from mission_control.agents.models import Agent
from mission_control.agents.page_frame import SIGNALS, concerns
from mission_control.agents.queries import visible_agents
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.web.fragments import render_block, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page

PAGE, TEMPLATE = "first steps", "agents/token.html"


async def context_of(agent: Agent) -> dict[str, Any]:
    """Return the task that the first steps use, and which of them are done."""
    has_worked, has_asked = await roster.has_worked(agent), await roster.has_asked(agent)
    return {
        "task_id": await roster.first_task(agent),
        "steps": {1: agent.last_seen_at is not None, 2: has_worked or has_asked, 3: has_asked},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsView(View):
    """The first steps of an agent as somebody sees them."""

    agent: Agent

    async def context(self) -> dict[str, Any]:
        """Return the task that the steps use, and which of them were made."""
        return await self.reads.get(("first steps", self.agent.id), lambda: context_of(self.agent))


async def stream(actor: Actor, agent: Agent) -> Response:
    """Return the stream of the page with the first steps."""
    agent_id = agent.id

    async def look(viewer: Actor, reads: Reads) -> StepsView | None:
        found = await visible_agents(viewer).select_related("board").get_or_none(id=agent_id)
        if found is None or not can(viewer, "agent.read", found):
            return None
        return StepsView(actor=viewer, pages=(PAGE,), active="agents", reads=reads, agent=found)

    return await live_page(actor, look)


async def _first_task_id(view: StepsView) -> str:
    return str((await view.context())["task_id"] or "TASK_ID")


async def _first_task(view: StepsView) -> str:
    return await render_block(TEMPLATE, "first_task", agent=view.agent, **await view.context())


def _step(number: int) -> Region[StepsView]:
    async def mark(view: StepsView) -> str:
        return render_macro("agents/tokens.html", "step_mark", is_made=(await view.context())["steps"][number])

    return Region(PAGE, f"#step-{number}", NEWS, mark, swap="innerHTML")


NEWS = Concerns[StepsView](("",), SIGNALS, lambda view, news: concerns(view.agent, news))
REGIONS = (
    Region(PAGE, "[data-first-task]", NEWS, _first_task_id, swap="innerHTML"),
    *map(_step, (1, 2, 3)),
    Region(PAGE, "#first-task", NEWS, _first_task),
)
