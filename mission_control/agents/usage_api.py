"""Usage and budgets over HTTP, for people."""

from mission_control.agents import budgets
from mission_control.agents.models import Budget
from mission_control.agents.sums import usage_page
from mission_control.agents.usage_queries import (
    BudgetCreate,
    BudgetRead,
    BudgetUpdate,
    UsagePage,
    UsageQuery,
    budget_read,
)
from mission_control.agents.usage_queries import list_budgets as budgets_page
from mission_control.core.actor import Actor
from mission_control.core.values import OK, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api

api = Api(__name__, "metrics")


@api.get("/usage", rule="usage.read")
async def read_usage(actor: Actor, query: UsageQuery) -> UsagePage:
    """Sum up what agents used up, by day, agent and board.

    Days are those of UTC. Money is in US dollars, as the agents reported it or as
    their gateways estimate it; of an agent on a gateway the larger figure counts.
    """
    return await usage_page(actor, query)


@api.get("/budgets", Page[BudgetRead], rule="budget.manage")
async def list_budgets(actor: Actor, query: Paging) -> dict[str, object]:
    """List the budgets of the active organization with what is used of them: its own, the boards', the agents'."""
    found, total = await budgets_page(actor, query)
    return page(found, total, query)


@api.post("/budgets", rule="budget.manage")
async def create_budget(actor: Actor, data: BudgetCreate) -> BudgetRead:
    """Limit what an agent, a board or the organization may use up.

    The limit is in tokens, input and output together, or in US dollars, for each day of UTC or in total. At four
    fifths the agents are warned; at the limit heartbeats say stop and claims are refused. There is one budget for each
    subject, unit and period.
    """
    made = await budgets.create_budget(actor, actor.organization_id, data)
    return await budget_read(actor, made.id)


@api.get("/budgets/<budget_id>", rule="budget.manage")
async def get_budget(actor: Actor, budget: Budget) -> BudgetRead:
    """Read a budget with what is used of it."""
    return await budget_read(actor, budget.id)


@api.patch("/budgets/<budget_id>", rule="budget.manage")
async def update_budget(actor: Actor, budget: Budget, data: BudgetUpdate) -> BudgetRead:
    """Give a budget another limit; agents that waited for it may go on."""
    await budgets.change_limit(actor, budget, data.limit)
    return await budget_read(actor, budget.id)


@api.delete("/budgets/<budget_id>", rule="budget.manage")
async def delete_budget(actor: Actor, budget: Budget) -> OkResponse:
    """Lift a limit."""
    await budgets.delete_budget(actor, budget)
    return OK
