"""The list of agents, and how it is kept live."""

from dataclasses import dataclass, replace
from typing import Any

from quart import Response

from mission_control.agents import roster
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.web.fragments import render_block
from mission_control.web.ordering import Order, greatest, ordering
from mission_control.web.regions import Concerns, Reads, Region, View, live_page

PAGE, TEMPLATE = "agents", "agents/index.html"


# What asks for a person stands first, what nobody waits for last.
STATES = (
    "error", "waiting", "gateway_away", "updating", "working", "online", "idle", "provisioning", "offline", "unneeded",
)  # fmt: skip
NOT_ONLINE = ("offline", "gateway_away", "provisioning", "unneeded")
ORDERS = {
    "name": Order("by name"),
    "state": Order("by state", lambda line: STATES.index(line.status)),
    "seen": greatest("last seen", lambda line: (line.last_seen_at is not None, line.last_seen_at)),
    "tokens": greatest("most tokens today", lambda line: line.tokens_today),
}


async def list_context(actor: Actor, base: str, order: str) -> dict[str, Any]:
    """Return the list by board and the number of agents; `base` is the address at which agents find the server."""
    groups = [replace(one, lines=ORDERS[order].sorted(one.lines)) for one in await roster.roster_by_board(actor)]
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in NOT_ONLINE for line in lines)
    return {"groups": groups, "total": len(lines), "online": online, "base": base, **ordering(ORDERS, order)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """The list of agents as somebody sees it."""

    base: str
    order: str

    async def block(self, name: str) -> str:
        """Return one block of the page."""
        key = ("agents", self.actor.id, self.order)
        context = await self.reads.get(key, lambda: list_context(self.actor, self.base, self.order))
        return await render_block(TEMPLATE, name, **context)


async def list_stream(actor: Actor, base: str, order: str) -> Response:
    """Return the list's stream."""

    async def look(viewer: Actor, reads: Reads) -> ListView | None:
        view = ListView(actor=viewer, pages=(PAGE,), active="agents", reads=reads, base=base, order=order)
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
