"""The activity tab of an agent's page."""

from mission_control.activity.queries import PAGE, by_day, feed_of_agent
from mission_control.agents.page_tabs import Tab, Viewed
from mission_control.web.fragments import render_macro

TEMPLATE = "activity/agent.html"
CARD_LINES = 6


async def render(viewed: Viewed) -> str:
    """Render the tab."""
    before = viewed.args.get("before", "")
    upto = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    found = await feed_of_agent(viewed.actor, viewed.agent, PAGE + 1, upto)
    older = found[PAGE - 1].seq if len(found) > PAGE else None
    return render_macro(TEMPLATE, "tab", viewed=viewed, days=by_day(found[:PAGE]), is_older=bool(upto), older=older)


async def card(viewed: Viewed) -> str:
    """Render the latest entries for the overview."""
    found = await feed_of_agent(viewed.actor, viewed.agent, CARD_LINES)
    return render_macro(TEMPLATE, "card", viewed=viewed, entries=found)


TAB = Tab("activity", "Activity", render, card)
