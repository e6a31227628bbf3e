"""A budget for an agent, set on its page. Changing and lifting it is done as in the settings."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents import usage_tab as usage_tab
from mission_control.agents.models import Agent
from mission_control.agents.page_forms import Form, back_to, submitted
from mission_control.agents.page_frame import on_agent, submitted_to
from mission_control.core.policy import require
from mission_control.usage.budgets import create_budget
from mission_control.usage.forms import LABELS, BudgetForm
from mission_control.web.forms import done, read_form
from mission_control.web.shell import signed_in

pages = Blueprint("agents_usage_pages", __name__)


@pages.get("/agents/<uuid:agent_id>/budgets/new")
async def ask_budget(agent_id: UUID) -> ResponseReturnValue:
    """Ask for a limit."""
    actor, agent = await on_agent(agent_id)
    require(actor, "budget.manage", agent.organization_id)
    subjects = _subjects(agent)
    return await _form(agent_id, subjects).render(actor, {"subject": subjects[0][0], "unit": "tokens", "period": "day"})


def _subjects(agent: Agent) -> list[tuple[str, str]]:
    """Whose work the agent's draws on together with its own."""
    board = [(f"board:{agent.board_id}", f"All agents of {agent.board.name}")] if agent.board else []
    return [(f"agent:{agent.id}", agent.name), *board, ("organization", "All agents of the organization")]


def _form(agent_id: UUID, subjects: list[tuple[str, str]]) -> Form:
    url, back = f"/agents/{agent_id}/budgets", back_to(agent_id, "usage", "the usage")
    context = {"labels": LABELS, "subjects": subjects}
    return Form("New budget", "agents/budget_form.html", "budget_form", url, back, context=context)


@pages.post("/agents/<uuid:agent_id>/budgets")
async def set_budget(agent_id: UUID) -> ResponseReturnValue:
    """Set a limit; what was used up already counts."""
    form = _form(agent_id, [(f"agent:{agent_id}", "This agent")])

    async def work() -> ResponseReturnValue:
        actor, agent = await submitted_to(agent_id, "agent.read")
        require(actor, "budget.manage", agent.organization_id)
        form.context["subjects"] = _subjects(agent)
        typed = await read_form(BudgetForm)
        await create_budget(actor, agent.organization_id, typed.wanted())
        return done(form.back[0], toast="Budget set")

    return await submitted(form, await signed_in(), work)
