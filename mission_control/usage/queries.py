"""Reading what was used up, and what is left."""

from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.core import clock
from mission_control.database.sql import rows
from mission_control.usage.models import Budget


def today() -> str:
    """The day on which usage counts now, in UTC."""
    return clock.now().date().isoformat()


async def exhausted(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> Budget | None:
    """A budget of the agent, its board or the organization that is used up; None when work may go on.

    One statement: the report that uses a budget up writes that down under the budget's lock.
    """
    is_over = Q(period="day", exceeded_on=today()) | Q(period="total", exceeded_on__isnull=False)
    return await concerned(agent_id, board_id, organization_id).filter(is_over).order_by("created_at", "id").first()


def concerned(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> QuerySet[Budget]:
    """The budgets that work of an agent on a board draws on: its own, the board's, the organization's."""
    subject = Q(agent_id=None, board_id=None)
    if agent_id is not None:
        subject |= Q(agent_id=agent_id)
    if board_id is not None:
        subject |= Q(board_id=board_id)
    return Budget.filter(subject, organization_id=organization_id)


async def used_by(budget: Budget) -> int:
    """How much of a budget is used up: of this UTC day, or of all time."""
    amount = "input_tokens + output_tokens" if budget.unit == "tokens" else "cost_micros"
    column, subject = _subject(budget)
    day = " AND day = ?" if budget.period == "day" else ""
    values = [subject, today()] if day else [subject]
    [found] = await rows(
        f"SELECT COALESCE(SUM({amount}), 0) AS used FROM usage_entries WHERE {column} = ?{day}", *values
    )
    return int(found["used"])


def _subject(budget: Budget) -> tuple[str, UUID]:
    if budget.agent_id is not None:
        return "agent_id", budget.agent_id
    if budget.board_id is not None:
        return "board_id", budget.board_id
    return "organization_id", budget.organization_id
