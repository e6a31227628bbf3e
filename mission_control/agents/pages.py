"""Agents as pages: the list, making one, and everything about one."""

from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.agents import first_steps, page_frame, page_live, roster
from mission_control.agents.forms import LABELS, PACES, NewAgentForm
from mission_control.agents.models import Agent
from mission_control.agents.page_frame import agent_of_page, on_agent
from mission_control.agents.queries import reachable_agent
from mission_control.agents.token_pages import base_url
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.policy import can, require
from mission_control.gateways.queries import gateway_names
from mission_control.live.broker import head_of
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.ordering import order_asked
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("agents_pages", __name__)


@pages.get("/agents")
async def agents() -> str:
    """Show every agent of the organization by board."""
    actor = await signed_in()
    if not can(actor, "agent.manage"):
        return await shell_page(actor, "agents/members.html", active="agents")
    order = order_asked(page_live.ORDERS)
    live_url = f"/agents/live?order={order}&after={await head_of(actor.organization_id)}"
    context = await page_live.list_context(actor, base_url(), order)
    return await shell_page(actor, "agents/index.html", active="agents", live_url=live_url, **context)


@pages.get("/agents/live")
async def agents_live() -> Response:
    """Keep the list live."""
    return await page_live.list_stream(await _admin(), base_url(), order_asked(page_live.ORDERS))


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "agent.manage")
    return actor


@pages.get("/agents/new")
async def new_agent() -> ResponseReturnValue:
    """Show the form of a new agent."""
    actor = await _admin()
    return await _new_page(actor, {"board_id": request.args.get("board", "")}, {})


async def _not_created(refusal: Refusal[None, NewAgentForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid | Conflict):
        raise refusal.error
    return await _new_page(refusal.actor, refusal.values, refusal.errors)


@action(pages, "POST", "/agents/new", performs="create_agent", form=NewAgentForm, refused=_not_created)
async def create(outcome: Outcome[None, NewAgentForm]) -> ResponseReturnValue:
    """Create an agent: show how it is set up on its gateway, or its token, once."""
    agent = await reachable_agent(outcome.actor, outcome.answer.id)
    if outcome.answer.token is None:
        return go(f"/agents/{agent.id}/gateway")
    return await _token_page(outcome.actor, agent, outcome.answer.token)


async def _new_page(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    boards = [board for board in await boards_of(actor) if can(actor, "agent.create", board)]
    gateways = await gateway_names([board.gateway_id for board in boards if board.gateway_id is not None])
    context: dict[str, Any] = {"errors": errors, "labels": LABELS, "boards": boards, "gateways": gateways}
    context |= {"paces": PACES, "values": {"every": "10m", **values}}
    return await shell_page(actor, "agents/new.html", active="agents", **context)


async def _token_page(actor: Actor, agent: Agent, secret: str) -> str:
    live_url = f"/agents/{agent.id}/live?show=steps&after={await head_of(agent.organization_id)}"
    context = await first_steps.context_of(agent)
    context |= {"agent": agent, "secret": secret, "base": base_url(), "live_url": live_url}
    return await shell_page(actor, "agents/token.html", active="agents", **context)


@pages.get("/agents/<uuid:agent_id>")
async def one_agent(agent_id: UUID) -> str:
    """Show what one agent does now."""
    return await page_frame.tab_page(agent_id, "overview")


@pages.get("/agents/<uuid:agent_id>/<any(inbox, runs, usage, soul, activity, session, gateway):tab>")
async def tab_of_agent(agent_id: UUID, tab: str) -> str:
    """Show one of the other tabs of an agent."""
    return await page_frame.tab_page(agent_id, tab)


@pages.get("/agents/<uuid:agent_id>/live")
async def one_live(agent_id: UUID) -> Response:
    """Keep one agent's page, or its first steps, live."""
    if request.args.get("show") == "steps":
        return await first_steps.stream(*await on_agent(agent_id))
    return await page_frame.page_stream_of(agent_id)


@pages.get("/agents/<uuid:agent_id>/delete")
async def delete_form(agent_id: UUID) -> str:
    """Ask before an agent is deleted, and name the consequences: a dialog for htmx, else a page."""
    actor, agent = await on_agent(agent_id, "agent.delete")
    open_tasks = [task for task in await roster.tasks_of(agent) if task.status != "done"]
    context: dict[str, Any] = {"agent": agent, "tasks": open_tasks}
    if is_htmx():
        return render_macro("agents/forms.html", "delete_dialog", **context)
    return await shell_page(actor, "agents/delete.html", active="agents", **context)


@action(pages, "POST", "/agents/<uuid:agent_id>/deletions", performs="delete_agent", at=agent_of_page)
async def delete(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Delete an agent."""
    return go("/agents")
