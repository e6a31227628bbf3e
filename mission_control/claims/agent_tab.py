"""An agent's attempts at tasks, as its page shows them."""

from typing import Any

from mission_control.agents.page_tabs import PAGE, Tab, Viewed
from mission_control.claims.queries import runs_of_agent
from mission_control.claims.timeline import in_words
from mission_control.core.paging import Paging
from mission_control.database.sql import as_moment
from mission_control.web.fragments import read_ahead, render_macro

TEMPLATE = "claims/agent.html"
CARD_LINES = 5


async def render(viewed: Viewed) -> str:
    """The tab."""
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=PAGE, offset=viewed.offset))
    await read_ahead(*(run["summary"] for run in found))
    return render_macro(TEMPLATE, "tab", viewed=viewed, runs=[_run_view(run) for run in found], total=total)


async def card(viewed: Viewed) -> str:
    """What the overview shows of them: the latest."""
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(TEMPLATE, "card", viewed=viewed, runs=[_run_view(run) for run in found], total=total)


def _run_view(run: dict[str, Any]) -> dict[str, Any]:
    return in_words(run) | {"lease_until": as_moment(run["lease_expires_at"]) if run["state"] == "running" else None}


TAB = Tab("runs", "Runs", render, card)
