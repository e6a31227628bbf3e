"""Usage and budgets as the API takes and answers them. Money is US dollars here, and millionths of one elsewhere."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.agents.models import WARN_AT_PERCENT, Budget
from mission_control.core import times
from mission_control.core.amounts import MICROS, amount, amount_of, cost, inside, micros, money, tokens, used_of
from mission_control.core.values import BlankToNone, Body, JsonObject, Moment, Page, Paging, Schema, example

MOST_TOKENS = 10**12
MOST_USD = 10**6
MOST_LIMIT = 10**12
Unit = Literal["tokens", "cost"]
Period = Literal["day", "total"]
Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)]
Usd = Annotated[
    Decimal,
    Field(
        ge=0, le=MOST_USD, allow_inf_nan=False,
        description="US dollars, to a millionth; 0 or left out: by the price of the model",
    ),
]  # fmt: skip
Limit = Annotated[
    Decimal, Field(gt=0, le=MOST_LIMIT, allow_inf_nan=False, description="Tokens, or US dollars when the unit is cost")
]


class UsageFigures(Body):
    """What work cost."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_tokens: Annotated[Tokens, Field(description="How many of input_tokens came from the model's cache")] = 0
    written_tokens: Annotated[Tokens, Field(description="How many of input_tokens were written to that cache")] = 0
    cost_usd: Annotated[
        Usd, Field(description="US dollars, to a millionth; left out or 0: by the price of the model")
    ] = Decimal(0)
    model: Annotated[Annotated[str, Field(max_length=200)] | None, BlankToNone] = None

    def figures(self) -> JsonObject:
        """As they are stored: money in millionths of a dollar."""
        names = {"input_tokens", "output_tokens", "cached_tokens", "written_tokens", "model", "gaps"}
        figures = self.model_dump(include=names)
        return figures | {"cost_micros": micros(self.cost_usd)}


class UsageWindow(Schema):
    """How much of a subscription is used up in a span of time, such as 5 hours or a week, as the program said."""

    name: Annotated[str, Field(description="The span: 5 hours, week")]
    used_percent: int
    resets_at: Annotated[Moment | None, Field(description="When it begins anew")]
    at: Annotated[Moment, Field(description="When the program said so")]

    @property
    def state(self) -> str:
        return "exceeded" if self.used_percent >= 100 else "warning" if self.used_percent >= WARN_AT_PERCENT else "ok"


Source = Literal["program", "acp", "agent"]  # the best first


class RequestUsage(UsageFigures):
    """What one request to a model cost, or several."""

    source: Annotated[
        Source,
        Field(
            description="Who says it: the program by hooks or telemetry, the client by ACP, or the agent itself; of a"
            " session the first of these counts that is there"
        ),
    ] = "agent"
    key: Annotated[
        Annotated[str, Field(max_length=200)] | None,
        BlankToNone,
        Field(description="How you know this request to your model: sent again, it counts nothing"),
    ] = None
    gaps: Annotated[int, Field(ge=0, le=10**6, description="How many requests may be missing in it")] = 0


class TimedUsage(RequestUsage):
    """What a request to a model cost, and when that was."""

    at: datetime | None = None


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


class UsageSums(Schema):
    """Tokens and money used up; `tokens` is input and output together.

    `cost_usd` is what is known of the cost: `listed_usd` of it by the price list, `own_usd` by your own prices, the
    rest as it was told. It is not all while there are `unpriced_tokens`, and nothing is while there are `gaps`.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    written_tokens: int
    tokens: int
    unpriced_tokens: int
    gaps: int
    cost_usd: float
    listed_usd: float
    own_usd: float
    listed_on: Annotated[date | None, Field(description="When the price list was compared with its sources")]

    @property
    def cost(self) -> str:
        return cost(self.cost_usd, self.unpriced_tokens, self.gaps)

    @property
    def sources(self) -> str:
        """Where the cost comes from, in words, and what is not in it."""
        reported_usd, day = self.cost_usd - self.listed_usd - self.own_usd, self.listed_on
        listed = f"by price list of {day.day} {day:%b %Y}" if day is not None else ""
        sources = [(reported_usd, "as told"), (self.listed_usd, listed), (self.own_usd, "by your prices")]
        parts = [(usd, how) for usd, how in sources if usd >= 1 / MICROS]
        words = [how if len(parts) == 1 else f"{money(usd)} {how}" for usd, how in parts]
        return ", ".join([*words, f"no price for {tokens(self.unpriced_tokens)}"] if self.unpriced_tokens else words)


class UsageDay(UsageSums):
    """What was used up on a day."""

    day: date


class UsageSoFar(Schema):
    """What an agent has used up today (UTC) and ever."""

    today: UsageSums
    total: UsageSums


class BudgetState(Schema):
    """A budget and how much of it is used up, in tokens or US dollars. Days are those of UTC."""

    id: UUID
    subject: Literal["agent", "board", "organization"]
    unit: Unit
    period: Period
    limit: int | float
    used: int | float
    unpriced_tokens: Annotated[int, Field(description="Tokens without a price, which a budget of cost does not count")]
    gaps: int
    state: Literal["ok", "warning", "exceeded"]

    @classmethod
    def of(cls, budget: Budget, **more: object) -> Self:
        day = today()
        return cls.model_validate(
            {
                "id": budget.id,
                "subject": budget.subject,
                "unit": budget.unit,
                "period": budget.period,
                "limit": amount(budget.unit, budget.limit_amount),
                "used": amount(budget.unit, budget.used(day)),
                "unpriced_tokens": budget.unpriced(day),
                "gaps": budget.gaps_on(day),
                "state": budget.state(day),
                **more,
            }
        )

    @property
    def words(self) -> str:
        """How much of it is used: `12,500 of 200,000 tokens`, `0.75 of 2.50 USD, no price for 12,500 tokens`."""
        used = used_of(self.unit, self.used, self.gaps).rpartition(" ")[0]
        words = f"{used} of {amount_of(self.unit, self.limit)}"
        return f"{words}, no price for {tokens(self.unpriced_tokens)}" if self.unpriced_tokens else words


class UsageReported(UsageSoFar):
    """What an agent has used up today (UTC) and ever, and the budgets that its work draws on."""

    budgets: list[BudgetState]
    directive: Literal["continue", "pause", "stop"]
    directive_reason: str | None


class UsageQuery(Paging):
    """Whose usage, and of which days (UTC, both included; the last thirty when none are named).

    Of a task all days since it was made.
    """

    board_id: UUID | None = None
    agent_id: UUID | None = None
    task_id: UUID | None = None
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")


class UsageLine(UsageSums):
    """What one agent used up on one board on one day; an agent or board that was deleted is null."""

    day: date
    agent_id: UUID | None
    agent_name: str | None
    board_id: UUID | None
    board_name: str | None


Sharer = Literal["agent", "board", "task", "model", "person"]


class ShareQuery(UsageQuery):
    """Whose usage, of which days, and shared among whom."""

    by: Annotated[Sharer, Field(description="Whose shares: of each agent, board, task, model or person")] = "agent"


class UsageShare(UsageSums):
    """What one agent, board, task, model or person used up; nobody when it was deleted or not told."""

    id: Annotated[UUID | None, Field(description="Of the agent, board, task or person")]
    name: Annotated[str | None, Field(description="Of the agent, board, model or person; the title of the task")]
    board_id: Annotated[UUID | None, Field(description="The board of a task")]
    sessions: Annotated[int, Field(description="In how many sessions it was")]
    unpriced_sessions: Annotated[int, Field(description="In how many of them a cost is not known")]
    unpriced_model: Annotated[str | None, Field(description="A model without a price")]


class UsageShares(Page[UsageShare]):
    """Shares of the usage, the most expensive first, and the sums of all of it."""

    sums: UsageShare


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


def today(at: datetime | None = None) -> str:
    return (at or times.clock_now()).date().isoformat()
