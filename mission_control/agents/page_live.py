"""The list of agents, and how it is kept live."""

from dataclasses import dataclass
from typing import Any

from quart import Response

from mission_control.agents import roster
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page

PAGE, TEMPLATE = "agents", "agents/index.html"


async def list_context(actor: Actor, base: str) -> dict[str, Any]:
    """Return the list by board and the number of agents; `base` is the address at which agents find the server."""
    groups = await roster.roster_by_board(actor)
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in ("offline", "provisioning") for line in lines)
    return {"groups": groups, "total": len(lines), "online": online, "base": base}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """The list of agents as somebody sees it."""

    base: str

    async def block(self, name: str) -> str:
        """Return one block of the page."""
        context = await self.reads.get(("agents", self.actor.id), lambda: list_context(self.actor, self.base))
        return await render_block(TEMPLATE, name, **context)


async def list_stream(actor: Actor, base: str) -> Response:
    """Return the list's stream."""

    async def look(viewer: Actor, reads: Reads) -> ListView | None:
        view = ListView(actor=viewer, pages=(PAGE,), active="agents", reads=reads, base=base)
        return view if can(viewer, "agent.manage") else None

    return await live_page(actor, look)


async def _agents(view: ListView) -> str:
    return await view.block("agents")


async def _summary(view: ListView) -> str:
    return await view.block("summary")


# Any event may notify an agent, and so change how many notices wait for it.
NEWS = Concerns[ListView](("",), ("agent_id", "inbox_of", "usage"))
REGIONS = (
    Region(PAGE, "#agents", NEWS, _agents),
    Region(PAGE, "#agents-summary", NEWS, _summary),
)
