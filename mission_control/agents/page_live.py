"""The list of agents, and how it is kept live."""

from typing import Any

from quart import Response

from mission_control.agents import roster
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.fragments import partial, render_block


async def list_context(actor: Actor, base: str) -> dict[str, Any]:
    """The list by board, and how many are there; `base` is the address at which agents find the server."""
    groups = await roster.roster_by_board(actor)
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in ("offline", "provisioning") for line in lines)
    return {"groups": groups, "total": len(lines), "online": online, "base": base}


async def list_stream(actor: Actor, base: str) -> Response:
    """The list's stream. Whatever happens may be told to an agent, and so change how much waits for it."""

    async def render(current: Actor, batch: Batch) -> str:
        context = await list_context(current, base)
        html = partial("#agents", await render_block("agents/index.html", "agents", **context))
        return html + partial("#agents-summary", await render_block("agents/index.html", "summary", **context))

    async def reaches(current: Actor) -> bool:
        return can(current, "agent.manage")

    return await live_page(actor, "agents", render, reaches)
