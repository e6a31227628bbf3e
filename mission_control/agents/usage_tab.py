"""What an agent uses up and may use up, as its page shows it."""

from typing import Any

from mission_control.agents.page_tabs import Tab, Viewed
from mission_control.usage.page_view import use_of
from mission_control.usage.queries import budget_states, days_of_agent, sums_of_agent
from mission_control.usage.wording import bars, money, short, tokens
from mission_control.web.fragments import render_macro

TEMPLATE = "agents/usage.html"
DAYS = 14
ORDER = ("agent", "board", "organization")


async def render(viewed: Viewed) -> str:
    """The tab: figures, the last days, and the budgets."""
    days = await days_of_agent(viewed.id, DAYS)
    return render_macro(
        TEMPLATE,
        "tab",
        viewed=viewed,
        sums=await _sums(viewed),
        days=bars(days),
        total=tokens(sum(day["tokens"] for day in days)),
        most=short(max(day["tokens"] for day in days)),
        budgets=await _budgets(viewed),
    )


async def card(viewed: Viewed) -> str:
    """What the overview shows of it."""
    return render_macro(TEMPLATE, "card", viewed=viewed, sums=await _sums(viewed), budgets=await _budgets(viewed))


async def _sums(viewed: Viewed) -> dict[str, dict[str, str]]:
    sums = await sums_of_agent(viewed.id)
    return {
        span: {
            "tokens": f"{one['tokens']:,}",
            "input": tokens(one["input_tokens"]),
            "output": tokens(one["output_tokens"]),
            "cost": money(one["cost_usd"]),
        }
        for span, one in sums.items()
    }


async def _budgets(viewed: Viewed) -> list[dict[str, Any]]:
    """The budgets that the agent's work draws on, its own first."""
    agent = viewed.agent
    found = await budget_states(agent.id, agent.board_id, agent.organization_id)
    board_name = agent.board.name if agent.board else None
    names: dict[str, dict[str, Any]] = {"agent": {"agent_name": agent.name}, "board": {"board_name": board_name}}
    nobody = {"agent_name": None, "board_name": None}
    return [
        nobody | one | names.get(one["subject"], {}) | {"words": use_of(one)}
        for one in sorted(found, key=lambda one: ORDER.index(one["subject"]))
    ]


TAB = Tab("usage", "Usage", render, card)
