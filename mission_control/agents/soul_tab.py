"""An agent's soul and what it was before, as its page shows them."""

from mission_control.agents.commands import list_souls
from mission_control.agents.page_tabs import PAGE, Tab, Viewed
from mission_control.core.paging import Paging
from mission_control.database.sql import as_moment
from mission_control.web.fragments import read_ahead, render_macro


async def render(viewed: Viewed) -> str:
    """The tab."""
    found, total = await list_souls(viewed.agent, Paging(limit=PAGE, offset=viewed.offset))
    await read_ahead(viewed.agent.soul_template, viewed.agent.identity_template, *(soul["content"] for soul in found))
    souls = [soul | {"created_at": as_moment(soul["created_at"])} for soul in found]
    return render_macro("agents/soul.html", "tab", viewed=viewed, souls=souls, total=total)


TAB = Tab("soul", "Soul", render)
