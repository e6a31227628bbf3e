"""What the page of budgets shows."""

from datetime import timedelta
from typing import Any

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.database.sql import rows
from mission_control.usage.queries import CHART_DAYS, MICROS, SUMS, days_of_organization, list_budgets, today
from mission_control.usage.wording import amount_of, bars, money, short
from mission_control.web.lists import Asked

MAX_ROWS = 200


async def listed(actor: Actor, _: Asked) -> dict[str, Any]:
    """Return the budgets of the active organization and what each agent used up."""
    budgets, total = await list_budgets(actor, Paging(limit=MAX_ROWS, offset=0))
    shown = [budget | {"words": use_of(budget)} for budget in budgets]
    days = await days_of_organization(actor.organization_id, CHART_DAYS)
    return {
        "budgets": shown,
        "total": total,
        "users": await _users(actor),
        "days": CHART_DAYS,
        "chart": bars(days),
        "today": _figures(days[-1:]),
        "lately": _figures(days),
        "most": short(max(day["tokens"] for day in days)),
    }


def _figures(days: list[dict[str, Any]]) -> dict[str, str]:
    """Return what was used on some days, in words."""
    cost = money(sum(float(day["cost_usd"]) for day in days))
    return {"number": f"{sum(day['tokens'] for day in days):,}", "cost": cost}


def use_of(budget: dict[str, Any]) -> str:
    """Return how much of a budget is used: `12,500 of 200,000 tokens`, `0.75 of 2.50 USD`."""
    used = amount_of(budget["unit"], budget["used"]).rpartition(" ")[0]
    return f"{used} of {amount_of(budget['unit'], budget['limit'])}"


async def _users(actor: Actor) -> list[dict[str, Any]]:
    """Return what each agent used up today and lately on each board, the most expensive first."""
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
    most = max((_tokens(row) for row in found), default=0) or 1
    return [_user(row) | {"share": max(1, round(100 * _tokens(row) / most))} for row in found]


def _tokens(row: dict[str, Any]) -> int:
    return int(row["input_tokens"]) + int(row["output_tokens"])


def _user(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "agent_id": row["agent_id"],
        "name": row["agent_name"] or "Deleted agents",
        "board": row["board_name"] or "a deleted board",
        "tokens": f"{_tokens(row):,}",
        "cost": money(int(row["cost_micros"]) / MICROS),
        "tokens_today": f"{int(row['tokens_today']):,}",
        "cost_today": money(int(row["cost_today"]) / MICROS),
    }
