"""What the page of budgets shows, and keeps showing as it changes."""

from datetime import timedelta
from typing import Any

from quart import Response

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.core.policy import can
from mission_control.database.sql import rows
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.usage.queries import list_budgets, today
from mission_control.usage.schemas import MICROS
from mission_control.usage.sums import CHART_DAYS, SUMS
from mission_control.usage.wording import amount_of, money
from mission_control.web.fragments import partial, render_block

TEMPLATE = "usage/budgets.html"
REGIONS = ("budgets", "used")
KINDS = ("budget.", "agent.", "board.")
MAX_ROWS = 200


async def context_of(actor: Actor) -> dict[str, Any]:
    """The budgets of the active organization and who used up what."""
    budgets, total = await list_budgets(actor, Paging(limit=MAX_ROWS, offset=0))
    shown = [budget | {"words": use_of(budget)} for budget in budgets]
    return {"budgets": shown, "total": total, "users": await _users(actor), "days": CHART_DAYS}


def use_of(budget: dict[str, Any]) -> str:
    """How much of a budget is used: `12,500 of 200,000 tokens`, `0.75 of 2.50 USD`."""
    used = amount_of(budget["unit"], budget["used"]).rpartition(" ")[0]
    return f"{used} of {amount_of(budget['unit'], budget['limit'])}"


async def _users(actor: Actor) -> list[dict[str, Any]]:
    """What each agent used up today and lately on each board, the most expensive first."""
    since = (clock.now().date() - timedelta(days=CHART_DAYS - 1)).isoformat()
    found = await rows(
        f"SELECT e.agent_id, a.name AS agent_name, b.name AS board_name, {SUMS},"
        " SUM(CASE WHEN e.day >= ? THEN e.input_tokens + e.output_tokens ELSE 0 END) AS tokens_today,"
        " SUM(CASE WHEN e.day >= ? THEN e.cost_micros ELSE 0 END) AS cost_today"
        " FROM usage_entries e LEFT JOIN agents a ON a.id = e.agent_id"
        " LEFT JOIN boards b ON b.id = e.board_id AND b.deleted_at IS NULL"
        " WHERE e.organization_id = ? AND e.day >= ? GROUP BY e.agent_id, a.name, b.name"
        f" ORDER BY SUM(e.cost_micros) DESC, SUM(e.input_tokens + e.output_tokens) DESC, a.name LIMIT {MAX_ROWS}",
        today(),
        today(),
        actor.organization_id,
        since,
    )
    return [_user(row) for row in found]


def _user(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "agent_id": row["agent_id"],
        "name": row["agent_name"] or "Deleted agents",
        "board": row["board_name"] or "a deleted board",
        "tokens": f"{int(row['input_tokens']) + int(row['output_tokens']):,}",
        "cost": money(int(row["cost_micros"]) / MICROS),
        "tokens_today": f"{int(row['tokens_today']):,}",
        "cost_today": money(int(row["cost_today"]) / MICROS),
    }


async def budgets_stream(actor: Actor) -> Response:
    """The page's stream: reports of agents, and everything that changes a budget or whose it is."""

    async def render(current: Actor, batch: Batch) -> str:
        reported = any("usage" in signal for signal in batch.signals)
        if not reported and not any(event.kind.startswith(KINDS) for event in batch.events):
            return ""
        context = await context_of(current)
        return "".join([partial(f"#{name}", await render_block(TEMPLATE, name, **context)) for name in REGIONS])

    async def reaches(current: Actor) -> bool:
        return can(current, "budget.manage")

    return await live_page(actor, "settings", render, reaches)
