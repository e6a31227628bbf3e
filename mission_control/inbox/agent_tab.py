"""What an agent is told, and where, as its page shows it."""

from typing import Any, get_args

from mission_control.agents.page_tabs import CARDS, PAGE, TABS, Tab, Viewed
from mission_control.core.paging import Paging
from mission_control.database.sql import as_moment
from mission_control.inbox.queries import callback_state, deliveries_of
from mission_control.inbox.schemas import State
from mission_control.web.fragments import render_macro

TEMPLATE = "inbox/agent.html"
CARD_LINES = 3
STATES = get_args(State)


async def render(viewed: Viewed) -> str:
    """The tab: the notices, all or of one state, and the callback."""
    state = viewed.args.get("state", "")
    state = state if state in STATES else ""
    paging = Paging(limit=PAGE, offset=viewed.offset)
    found, total = await deliveries_of(viewed.actor, viewed.agent, paging, state or None)
    return render_macro(
        TEMPLATE,
        "tab",
        viewed=viewed,
        notices=[_shown(one) for one in found],
        total=total,
        state=state,
        callback=await callback_state(viewed.id),
    )


async def card(viewed: Viewed) -> str:
    """What the overview shows of it: the newest notices."""
    found, total = await deliveries_of(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(TEMPLATE, "card", viewed=viewed, notices=[_shown(one) for one in found], total=total)


def _shown(delivery: dict[str, Any]) -> dict[str, Any]:
    """A notice with moments as moments; a header in capitals is a word for programs."""
    header = delivery["header"]
    moments = {name: as_moment(delivery[name]) for name in ("created_at", "due_at", "sent_at")}
    return delivery | moments | {"title": header.capitalize() if header.isupper() else header}


TABS["inbox"] = Tab("inbox", "Inbox", render)
CARDS["inbox"] = card
