"""The agents of a gateway, as its page shows them: who runs there, the last template sync, and linking others."""

from typing import Any

from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of, status_of
from mission_control.gateways.page_frame import Tab, Viewed
from mission_control.jobs.models import Job
from mission_control.provisioning.jobs import latest_sync, result_of
from mission_control.web.fragments import render_macro

TEMPLATE = "provisioning/gateway_tab.html"
SHOWN = 200


async def render(viewed: Viewed) -> str:
    """The tab."""
    found = Agent.filter(gateway_id=viewed.id, board__deleted_at=None).select_related("board")
    agents = await found.order_by("board_id", "created_at").limit(SHOWN)
    sync = await latest_sync(viewed.id)
    result = None if sync is None else await result_of(sync)
    work = None if sync is None else await Job.get_or_none(id=sync.id)
    lines = [_line(agent) for agent in agents]
    return render_macro(TEMPLATE, "tab", viewed=viewed, lines=lines, sync=sync, result=result, work=work)


def _line(agent: Agent) -> dict[str, Any]:
    return {
        "row": agent,
        "status": status_of(agent, [], 0)[0],
        "role": role_of(agent),
        "is_main": agent.board is None,
    }


TAB = Tab("agents", "Agents", render)
