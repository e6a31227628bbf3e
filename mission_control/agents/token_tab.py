"""An agent's tokens, as its page shows them."""

from typing import Any

from mission_control.accounts.models import Token
from mission_control.agents.page_tabs import Tab, Viewed
from mission_control.agents.schemas import state_of
from mission_control.core.token_scopes import granted
from mission_control.web.fragments import render_macro

TEMPLATE = "agents/tokens.html"
MAX_ENDED = 50
MAY = {"all": "Everything", "lead": "Reads, works and leads", "work": "Reads and works", "read": "Only reads"}


async def render(viewed: Viewed) -> str:
    """The tab: live tokens, then those that ended."""
    live, ended = await tokens_of(viewed)
    return render_macro(TEMPLATE, "tab", viewed=viewed, live=live, ended=ended)


async def card(viewed: Viewed) -> str:
    """What the overview shows of them."""
    live, _ = await tokens_of(viewed)
    return render_macro(TEMPLATE, "card", viewed=viewed, live=live)


async def tokens_of(viewed: Viewed) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The live tokens and those that ended last, both newest first."""
    found = await Token.filter(agent_id=viewed.id).order_by("-created_at", "-id").limit(200)
    live = [one for one in found if state_of(one) in ("active", "expiring")]
    ended = [one for one in found if one not in live][:MAX_ENDED]
    return [_token_view(one, is_replaced=one is not live[0]) for one in live], [_token_view(one) for one in ended]


def _token_view(token: Token, *, is_replaced: bool = False) -> dict[str, Any]:
    """A token in words. All but the newest were replaced, and are valid until their overlap ends."""
    return {
        "row": token,
        "state": state_of(token),
        "may": MAY[power_of(token.scopes)],
        "is_replaced": is_replaced,
        "is_narrow": token.scopes is not None,
    }


def power_of(scopes: list[str] | None) -> str:
    """The most that scopes grant: `all`, `lead`, `work` or `read`."""
    whole = granted(scopes)
    return "all" if whole is None else next((name for name in ("lead", "work") if name in whole), "read")


TAB = Tab("tokens", "Tokens", render, card)
