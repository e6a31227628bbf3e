"""Read budgets and how much of them is used."""

from typing import Any
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.records import find
from mission_control.database.sql import rows, wire_moment
from mission_control.usage.models import Budget
from mission_control.usage.schemas import amount

# Budgets of boards in the trash, and of their agents, are passed over.
BUDGETS = (
    " FROM budgets u LEFT JOIN agents a ON a.id = u.agent_id"
    " LEFT JOIN boards b ON b.id = COALESCE(u.board_id, a.board_id)"
    " WHERE u.organization_id = ? AND b.deleted_at IS NULL"
)


def today() -> str:
    """Return the current day in UTC."""
    return clock.now().date().isoformat()


async def exhausted(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> Budget | None:
    """Return a used-up budget of the agent, its board or the organization; None when there is none.

    One statement is enough: the report that uses up a budget stores that under the budget's lock.
    """
    return await find(
        Budget,
        "organization_id = ? AND (agent_id = ? OR board_id = ? OR (agent_id IS NULL AND board_id IS NULL))"
        " AND ((period = 'day' AND exceeded_on = ?) OR (period = 'total' AND exceeded_on IS NOT NULL))"
        " ORDER BY created_at, id LIMIT 1",
        organization_id,
        agent_id,
        board_id,
        today(),
    )


def concerned(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> QuerySet[Budget]:
    """Return the budgets for an agent's work on a board: its own, the board's and the organization's."""
    subject = Q(agent_id=None, board_id=None)
    if agent_id is not None:
        subject |= Q(agent_id=agent_id)
    if board_id is not None:
        subject |= Q(board_id=board_id)
    return Budget.filter(subject, organization_id=organization_id)


async def budget_states(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> list[dict[str, Any]]:
    """Return the budgets for an agent's work on a board, as they are answered to the agent."""
    found = await concerned(agent_id, board_id, organization_id).order_by("created_at", "id")
    return [state_of(budget) for budget in found]


def state_of(budget: Budget) -> dict[str, Any]:
    """Return a budget and how much of it is used."""
    day = today()
    return {
        "id": budget.id,
        "subject": budget.subject,
        "unit": budget.unit,
        "period": budget.period,
        "limit": amount(budget.unit, budget.limit_amount),
        "used": amount(budget.unit, budget.used(day)),
        "state": budget.state(day),
    }


async def visible_budget(actor: Actor, budget_id: UUID) -> Budget:
    """Return a budget of the active organization. Raise NotFound otherwise."""
    budget = await Budget.get_or_none(id=budget_id, organization_id=actor.organization_id)
    if budget is None:
        raise NotFound()
    return budget


async def list_budgets(actor: Actor, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return the budgets of the active organization: its own, then those of boards and agents by name."""
    found = await rows(
        "SELECT u.*, a.name AS agent_name, CASE WHEN u.board_id IS NULL THEN NULL ELSE b.name END AS board_name"
        f"{BUDGETS}"
        " ORDER BY CASE WHEN u.agent_id IS NOT NULL THEN 2 WHEN u.board_id IS NOT NULL THEN 1 ELSE 0 END,"
        " LOWER(COALESCE(a.name, b.name, '')), COALESCE(a.name, b.name, ''), COALESCE(u.agent_id, u.board_id),"
        " u.unit DESC, u.period LIMIT ? OFFSET ?",
        actor.organization_id,
        paging.limit,
        paging.offset,
    )
    [count] = await rows(f"SELECT COUNT(*) AS n{BUDGETS}", actor.organization_id)
    return [_read(row) for row in found], int(count["n"])


async def budget_read(actor: Actor, budget_id: UUID) -> dict[str, Any]:
    """Return the answer for one budget."""
    [row] = await rows(
        "SELECT u.*, a.name AS agent_name, b.name AS board_name FROM budgets u LEFT JOIN agents a ON a.id = u.agent_id"
        " LEFT JOIN boards b ON b.id = u.board_id WHERE u.id = ? AND u.organization_id = ?",
        budget_id,
        actor.organization_id,
    )
    return _read(row)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it is answered."""
    budget = Budget(**{name: row[name] for name in ("id", "agent_id", "board_id", "unit", "period", "limit_amount")})
    budget.used_amount, budget.used_on = row["used_amount"], row["used_on"]
    kept = {name: row[name] for name in ("agent_id", "agent_name", "board_id", "board_name")}
    moments = {name: wire_moment(row[name]) for name in ("created_at", "updated_at")}
    return state_of(budget) | kept | moments
