"""Agents as pages: the list, making one, and everything about one."""

from typing import Any
from uuid import UUID

from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import Token
from mission_control.accounts.tokens import NewToken
from mission_control.agents import page_live, roster
from mission_control.agents.commands import create_agent, delete_agent, update_agent
from mission_control.agents.forms import LABELS, AgentForm, NewAgentForm, RotationForm
from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.agents.schemas import AgentCreate
from mission_control.agents.token_schemas import TokenCreate
from mission_control.agents.tokens import revoke_token, rotate_token
from mission_control.boards.queries import boards_of, visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.policy import can, require
from mission_control.web.forms import FormInvalid, done, go, is_htmx, read_form
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("agents_pages", __name__)
OVERLAPS = [(0, "at once"), (600, "in 10 minutes"), (3600, "in an hour"), (86400, "in a day"), (604800, "in a week")]


@pages.get("/agents")
async def agents() -> str:
    """Every agent of the organization by board."""
    actor = await signed_in()
    if not can(actor, "agent.manage"):
        return await shell_page(actor, "agents/members.html", active="agents")
    context = await page_live.list_context(actor)
    return await shell_page(actor, "agents/index.html", active="agents", **context)


@pages.get("/agents/live")
async def agents_live() -> Response:
    """Keep the list live."""
    return await page_live.list_stream(await _admin())


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "agent.manage")
    return actor


async def _managed(agent_id: UUID, verb: str = "agent.read") -> tuple[Actor, Agent]:
    actor = await signed_in()
    agent = await visible_agent(actor, agent_id)
    require(actor, verb, agent)
    return actor, agent


@pages.get("/agents/new")
async def new_agent() -> ResponseReturnValue:
    """Ask for a new agent."""
    actor = await _admin()
    return await _new_page(actor, {"board_id": request.args.get("board", "")}, {})


@pages.post("/agents/new")
async def create() -> ResponseReturnValue:
    """Make an agent and show its token, once."""
    actor = await _admin()
    try:
        form = await read_form(NewAgentForm)
    except FormInvalid as invalid:
        return await _new_page(actor, invalid.values, invalid.errors), 422
    board = await visible_board(actor, form.board_id)
    wanted = AgentCreate(
        name=form.name,
        identity_profile=form.profile(),
        identity_template=form.identity,
        soul_template=form.soul,
        is_board_lead=form.is_board_lead,
    )
    try:
        agent, secret = await create_agent(actor, board, wanted)
    except Conflict as refused:
        return await _new_page(actor, form.model_dump(), {"": refused.sentence}), 409
    agent.board = board
    return await _token_page(actor, agent, secret, is_new=True)


async def _new_page(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    boards = [board for board in await boards_of(actor) if can(actor, "agent.create", board)]
    context = {"values": values, "errors": errors, "labels": LABELS, "boards": boards}
    return await shell_page(actor, "agents/new.html", active="agents", **context)


async def _token_page(actor: Actor, agent: Agent, secret: str, *, is_new: bool, made: NewToken | None = None) -> str:
    context = await page_live.first_steps(agent)
    base = current_app.config["SETTINGS"].base_url or request.host_url
    until = made.replaced_until if made else None
    context |= {"agent": agent, "secret": secret, "is_new": is_new, "base": base.rstrip("/"), "until": until}
    return await shell_page(actor, "agents/token.html", active="agents", **context)


@pages.get("/agents/<uuid:agent_id>")
async def one_agent(agent_id: UUID) -> str:
    """Everything about one agent."""
    actor, agent = await _managed(agent_id)
    context = await page_live.agent_context(actor, agent)
    return await shell_page(actor, "agents/show.html", active="agents", overlaps=OVERLAPS, **context)


@pages.get("/agents/<uuid:agent_id>/live")
async def one_live(agent_id: UUID) -> Response:
    """Keep one agent's page, or its first steps, live."""
    actor, agent = await _managed(agent_id)
    return await page_live.agent_stream(actor, agent, steps=request.args.get("show") == "steps")


@pages.get("/agents/<uuid:agent_id>/edit")
async def edit_form(agent_id: UUID) -> str:
    """Ask what to change."""
    actor, agent = await _managed(agent_id, "agent.update")
    return await _edit_page(actor, agent, AgentForm.values_of(agent), {})


@pages.post("/agents/<uuid:agent_id>/edit")
async def edit(agent_id: UUID) -> ResponseReturnValue:
    """Change an agent."""
    actor, agent = await _managed(agent_id, "agent.update")
    try:
        form = await read_form(AgentForm)
        await update_agent(actor, agent, _changes(form, agent))
    except FormInvalid as invalid:
        return await _edit_page(actor, agent, invalid.values, invalid.errors), 422
    except Conflict as refused:
        return await _edit_page(actor, agent, form.model_dump(), {"": refused.sentence}), 409
    return go(f"/agents/{agent_id}")


def _changes(form: AgentForm, agent: Agent) -> dict[str, Any]:
    return {
        "name": form.name,
        "is_board_lead": form.is_board_lead,
        "identity_profile": form.profile(agent.identity_profile),
        "identity_template": form.identity,
        "soul_template": form.soul,
    }


async def _edit_page(actor: Actor, agent: Agent, values: dict[str, Any], errors: dict[str, str]) -> str:
    context = {"agent": agent, "values": values, "errors": errors, "labels": LABELS}
    return await shell_page(actor, "agents/edit.html", active="agents", **context)


@pages.post("/agents/<uuid:agent_id>/tokens")
async def rotate(agent_id: UUID) -> str:
    """Make a new token and show it, once; the old ones end after the overlap."""
    actor, agent = await _managed(agent_id, "agent.manage_tokens")
    form = await read_form(RotationForm)
    made = await rotate_token(actor, agent, TokenCreate(overlap_seconds=form.overlap_seconds))
    return await _token_page(actor, agent, made.secret, is_new=False, made=made)


@pages.post("/agents/<uuid:agent_id>/tokens/<uuid:token_id>/revocations")
async def revoke(agent_id: UUID, token_id: UUID) -> Response:
    """End one token at once."""
    actor, agent = await _managed(agent_id, "agent.manage_tokens")
    token = await Token.get_or_none(id=token_id, agent_id=agent.id)
    if token is not None:
        await revoke_token(actor, agent, token.id)
    return done(f"/agents/{agent_id}", toast="Token revoked.")


@pages.get("/agents/<uuid:agent_id>/delete")
async def delete_form(agent_id: UUID) -> str:
    """Name the consequences before an agent is deleted: a dialog for htmx, else a page."""
    actor, agent = await _managed(agent_id, "agent.delete")
    open_tasks = [task for task in await roster.tasks_of(agent) if task.status != "done"]
    context: dict[str, Any] = {"agent": agent, "tasks": open_tasks}
    if is_htmx():
        return render_macro("agents/forms.html", "delete_dialog", **context)
    return await shell_page(actor, "agents/delete.html", active="agents", **context)


@pages.post("/agents/<uuid:agent_id>/deletions")
async def delete(agent_id: UUID) -> Response:
    """Delete an agent."""
    actor, agent = await _managed(agent_id, "agent.delete")
    await delete_agent(actor, agent)
    return go("/agents")
