"""A budget for an agent, set on its page. Changing and lifting it is done as in the settings."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_forms import FormPage, back_to
from mission_control.agents.page_frame import DELETED, agent_of_page, on_agent
from mission_control.core.policy import require
from mission_control.usage.forms import LABELS, BudgetForm
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import done

pages = Blueprint("agents_usage_pages", __name__)


@pages.get("/agents/<uuid:agent_id>/budgets/new")
async def ask_budget(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of a new budget."""
    actor, agent = await on_agent(agent_id)
    require(actor, "budget.manage", agent.organization_id)
    subjects = _subjects(agent)
    return await _form(agent_id, subjects).render(actor, {"subject": subjects[0][0], "unit": "tokens", "period": "day"})


def _subjects(agent: Agent) -> list[tuple[str, str]]:
    """Return the subjects of budgets that the agent's work draws on."""
    board = [(f"board:{agent.board_id}", f"All agents of {agent.board.name}")] if agent.board else []
    return [(f"agent:{agent.id}", agent.name), *board, ("organization", "All agents of the organization")]


def _form(agent_id: UUID, subjects: list[tuple[str, str]]) -> FormPage:
    url, back = f"/agents/{agent_id}/budgets", back_to(agent_id, "usage", "the usage")
    context = {"labels": LABELS, "subjects": subjects}
    return FormPage("New budget", "agents/budget_form.html", "budget_form", url, back, context=context)


async def _not_set(refusal: Refusal[None, BudgetForm]) -> ResponseReturnValue:
    agent, agent_id = refusal.page, refusal.ids["agent_id"]
    subjects = _subjects(agent) if agent is not None else [(f"agent:{agent_id}", "This agent")]
    return await _form(agent_id, subjects).refused(refusal)


@action(
    pages, "POST", "/agents/<uuid:agent_id>/budgets",
    performs="create_budget", form=BudgetForm, at=agent_of_page, refused=_not_set, gone=DELETED,
)  # fmt: skip
async def set_budget(outcome: Outcome[None, BudgetForm]) -> ResponseReturnValue:
    """Create a budget; what was used up already counts."""
    return done(f"/agents/{outcome.page.id}/usage", toast="Budget set")
