"""What an agent says it used up."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from mission_control.agents.schemas import Directive
from mission_control.core.actor import Actor
from mission_control.mcp.adapters import perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.task_numbers import TaskRef
from mission_control.usage.queries import BudgetState, UsageSums

tools = Tools()


class Used(Arguments):
    """What you used up since your last report."""

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cost_usd: Annotated[Decimal, Field(ge=0, description="US dollars")] = Decimal(0)
    model: Annotated[str | None, Field(max_length=200)] = None
    task_id: Annotated[TaskRef | None, Field(description="The task that it was for")] = None
    fence: Annotated[int | None, Field(ge=1, description="The fence of your lease of that task")] = None


class Drawn(BaseModel):
    """Your usage today (UTC) and in total, the budgets it counts toward, and whether to continue."""

    today: UsageSums
    total: UsageSums
    budgets: list[BudgetState]
    directive: Directive
    directive_reason: str | None


@tools.tool("Report usage", Used, Drawn)
async def report_usage(actor: Actor, asked: Used) -> tuple[str, Any]:
    """Report the tokens and money that your work used since the last report.

    Each report is added to those before; never report sums, and not what you already sent with finish_task. `directive`
    stop: a budget is used up; end your work and claim nothing until people raise it.
    """
    answer = await perform("report_usage", actor, body=asked.model_dump())
    why = f" {answer['directive_reason']}" if answer["directive_reason"] else ""
    return f"Directive: {answer['directive']}.{why}", answer
