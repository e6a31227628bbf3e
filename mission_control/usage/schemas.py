"""Shapes of usage and budgets. Money is a number of US dollars in JSON, and millionths of one inside."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.core.paging import Page, Paging
from mission_control.core.schemas import BlankToNone, Body, example

MICROS = 1_000_000
MOST_TOKENS = 10**12
MOST_USD = 10**6
MOST_LIMIT = 10**12

Unit = Literal["tokens", "cost"]
Period = Literal["day", "total"]
Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)]
Usd = Annotated[Decimal, Field(ge=0, le=MOST_USD, allow_inf_nan=False, description="US dollars, to a millionth")]
Limit = Annotated[
    Decimal,
    Field(gt=0, le=MOST_LIMIT, allow_inf_nan=False, description="Tokens, or US dollars when the unit is cost"),
]


def micros(usd: Decimal) -> int:
    """US dollars as millionths of one, rounded half up."""
    return int((usd * MICROS).quantize(Decimal(1), ROUND_HALF_UP))


def amount(unit: str, inside: int) -> int | float:
    """Tokens as they are, money as a number of US dollars."""
    return inside if unit == "tokens" else inside / MICROS


def inside(unit: str, limit: Decimal) -> int:
    """A limit as it is kept; ValueError when it is no whole token, or less than one or than a millionth of a dollar."""
    if unit == "tokens" and limit != limit.to_integral_value():
        raise ValueError("a limit of tokens is a whole number")
    kept = int(limit) if unit == "tokens" else micros(limit)
    if kept < 1:
        raise ValueError("the limit is too small")
    return kept


class UsageFigures(Body):
    """What work cost."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cost_usd: Usd = Decimal(0)
    model: Annotated[Annotated[str, Field(max_length=200)] | None, BlankToNone] = None

    def figures(self) -> dict[str, Any]:
        """As `report_usage` takes them."""
        kept = self.model_dump(include={"input_tokens", "output_tokens", "model"})
        return kept | {"cost_micros": micros(self.cost_usd)}


class UsageReport(UsageFigures):
    """What an agent used up since its last report. `fence` names the assignment of the task that it was for."""

    model_config = example(input_tokens=1200, output_tokens=300, cost_usd="0.0123")

    task_id: UUID | None = None
    fence: Annotated[int, Field(ge=1, lt=2**31)] | None = None

    @model_validator(mode="after")
    def _check_fence(self) -> Self:
        if self.fence is not None and self.task_id is None:
            raise ValueError("a fence needs its task_id")
        return self


class UsageSums(BaseModel):
    """Tokens and money used up; `tokens` is input and output together."""

    input_tokens: int
    output_tokens: int
    tokens: int
    cost_usd: float

    @classmethod
    def of(cls, input_tokens: int, output_tokens: int, cost_micros: int) -> dict[str, Any]:
        """The answer for sums as they are kept."""
        return {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "tokens": input_tokens + output_tokens,
            "cost_usd": cost_micros / MICROS,
        }


class BudgetState(BaseModel):
    """A budget and how much of it is used up, in tokens or US dollars. Days are those of UTC."""

    id: UUID
    subject: Literal["agent", "board", "organization"]
    unit: Unit
    period: Period
    limit: int | float
    used: int | float
    state: Literal["ok", "warning", "exceeded"]


class UsageReported(BaseModel):
    """What an agent has used up today (UTC) and ever, and the budgets that its work draws on."""

    today: UsageSums
    total: UsageSums
    budgets: list[BudgetState]
    directive: Literal["continue", "pause", "stop"]
    directive_reason: str | None


class UsageQuery(Paging):
    """Whose usage, and of which days (UTC, both included; the last thirty when none are named)."""

    board_id: UUID | None = None
    agent_id: UUID | None = None
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")


class UsageLine(UsageSums):
    """What one agent used up on one board on one day; an agent or board that was deleted is null."""

    day: date
    agent_id: UUID | None
    agent_name: str | None
    board_id: UUID | None
    board_name: str | None


class UsagePage(Page[UsageLine]):
    """Usage by day, agent and board, and the sums of all of it."""

    sums: UsageSums


class BudgetCreate(Body):
    """A limit for an agent, a board, or (neither named) the organization, for each day of UTC or in total."""

    agent_id: UUID | None = None
    board_id: UUID | None = None
    unit: Unit
    period: Period = "day"
    limit: Limit

    @model_validator(mode="after")
    def _check_scope(self) -> Self:
        if self.agent_id is not None and self.board_id is not None:
            raise ValueError("a budget is for an agent or a board, not for both")
        inside(self.unit, self.limit)
        return self


class BudgetUpdate(Body):
    """Another limit."""

    limit: Limit


class BudgetRead(BudgetState):
    """A budget, whose it is and how much of it is used up."""

    agent_id: UUID | None
    agent_name: str | None
    board_id: UUID | None
    board_name: str | None
    created_at: datetime
    updated_at: datetime
