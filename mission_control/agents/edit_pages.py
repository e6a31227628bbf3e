"""Changing an agent on its page: its name and role, what it takes, and its soul."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents import soul_tab as soul_tab
from mission_control.agents.commands import give_soul, update_seen_agent, version_of
from mission_control.agents.forms import (
    FIELDS,
    LABELS,
    LIMIT_LABELS,
    LIMITS,
    AgentForm,
    LimitsForm,
    SoulChoiceForm,
    SoulForm,
    now_is,
)
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.overview_tab import tags_to_choose
from mission_control.agents.page_forms import Form, back_to, submitted
from mission_control.agents.page_frame import on_agent, submitted_to
from mission_control.agents.souls import soul_version
from mission_control.core.errors import Conflict, NotFound
from mission_control.web.forms import done, read_form
from mission_control.web.shell import signed_in

pages = Blueprint("agents_edit_pages", __name__)
VERB = "agent.update"


@pages.get("/agents/<uuid:agent_id>/edit")
async def ask_changes(agent_id: UUID) -> ResponseReturnValue:
    """Ask what to change."""
    actor, agent = await on_agent(agent_id, VERB)
    return await _edit_form(agent_id, version_of(agent, FIELDS)).render(actor, AgentForm.values_of(agent))


def _edit_form(agent_id: UUID, version: str = "") -> Form:
    url, back = f"/agents/{agent_id}/edit", back_to(agent_id, "", "the agent")
    context = {"labels": LABELS, "version": version}
    return Form("Edit the agent", "agents/forms.html", "edit", url, back, context=context)


@pages.post("/agents/<uuid:agent_id>/edit")
async def edit(agent_id: UUID) -> ResponseReturnValue:
    """Change an agent; when somebody changed it meanwhile, what it is now is said."""
    form = _edit_form(agent_id)

    async def work() -> ResponseReturnValue:
        actor, agent = await submitted_to(agent_id, VERB)
        form.context["version"] = version_of(agent, FIELDS)
        typed = await read_form(AgentForm)
        with _naming_newer_values(LABELS, typed, AgentForm.values_of(agent)):
            await update_seen_agent(actor, agent, typed.changes(agent), typed.version)
        return done(form.back[0], toast=f"{typed.name} saved")

    return await submitted(form, await signed_in(), work)


@contextlib.contextmanager
def _naming_newer_values(labels: Mapping[str, str], typed: BaseModel, present: Mapping[str, Any]) -> Iterator[None]:
    """Say what is there now when somebody else was faster."""
    try:
        yield
    except Conflict as refused:
        if isinstance(refused.detail, dict) and refused.detail.get("code") == "agent_changed":
            raise Conflict(now_is(labels, typed.model_dump(), present)) from None
        raise


@pages.get("/agents/<uuid:agent_id>/limits")
async def ask_limits(agent_id: UUID) -> ResponseReturnValue:
    """Ask how much the agent takes at once, and which tasks."""
    actor, agent = await on_agent(agent_id, VERB)
    chosen = agent.claim_tags or []
    form = await _limits_form(agent_id, agent.organization_id, chosen, version_of(agent, LIMITS))
    return await form.render(actor, {"wip_limit": agent.wip_limit, "claim_tags": chosen})


async def _limits_form(agent_id: UUID, organization_id: UUID, chosen: list[str], version: str = "") -> Form:
    url, back = f"/agents/{agent_id}/limits", back_to(agent_id, "", "the agent")
    choices = await tags_to_choose(organization_id, chosen)
    context = {"choices": choices, "labels": LIMIT_LABELS, "version": version}
    return Form("Limits", "agents/about.html", "limits", url, back, context=context)


@pages.post("/agents/<uuid:agent_id>/limits")
async def change_limits(agent_id: UUID) -> ResponseReturnValue:
    """Change how much the agent takes at once, and which tasks, unless somebody else did meanwhile."""
    viewer = await signed_in()
    form = await _limits_form(agent_id, viewer.organization_id, [])

    async def work() -> ResponseReturnValue:
        actor, agent = await submitted_to(agent_id, VERB)
        form.context["version"] = version_of(agent, LIMITS)
        typed = await read_form(LimitsForm)
        with _naming_newer_values(LIMIT_LABELS, typed, {name: getattr(agent, name) for name in LIMITS}):
            await update_seen_agent(actor, agent, typed.changes(), typed.version)
        return done(form.back[0], toast="Limits saved")

    return await submitted(form, viewer, work)


@pages.get("/agents/<uuid:agent_id>/soul/edit")
async def ask_soul(agent_id: UUID) -> ResponseReturnValue:
    """Ask for another soul."""
    actor, agent = await on_agent(agent_id, VERB)
    return await _soul_form(agent_id, agent).render(actor, {"soul": agent.soul_template})


def _soul_form(agent_id: UUID, agent: Agent | None) -> Form:
    url, back = f"/agents/{agent_id}/soul/edit", back_to(agent_id, "soul", "the soul")
    context: dict[str, Any] = {"labels": LABELS, "version": soul_version(agent) if agent else "", "present": ""}
    return Form("Edit the soul", "agents/soul.html", "edit", url, back, size="l", context=context)


@pages.post("/agents/<uuid:agent_id>/soul/edit")
async def change_soul(agent_id: UUID) -> ResponseReturnValue:
    """Give the agent another soul; when somebody changed it meanwhile, both texts are shown."""
    form = _soul_form(agent_id, None)

    async def work() -> ResponseReturnValue:
        actor, agent = await submitted_to(agent_id, VERB)
        form.context["version"] = soul_version(agent)
        typed = await read_form(SoulForm)
        try:
            await give_soul(actor, agent, typed.soul, reason=typed.reason, version=typed.version)
        except Conflict:
            form.context["present"] = agent.soul_template or "(empty)"
            raise
        return done(form.back[0], toast="Soul saved")

    return await submitted(form, await signed_in(), work)


@pages.post("/agents/<uuid:agent_id>/soul/restorations")
async def restore_soul(agent_id: UUID) -> ResponseReturnValue:
    """Bring a text back that was the agent's soul before; it can be taken back."""
    actor, agent = await submitted_to(agent_id, VERB)
    typed = await read_form(SoulChoiceForm)
    chosen, present = await _soul_of(agent, typed.soul_id), await _newest_soul(agent)
    reason = f"Back to the text of {chosen.created_at:%Y-%m-%d %H:%M} UTC."
    await give_soul(actor, agent, chosen.content or None, reason=reason, version=soul_version(agent))
    undo = {"soul_id": str(present.id)} if present is not None else {}
    url = f"/agents/{agent_id}/soul"
    return done(url, toast="Soul brought back", undo_action=f"{url}/restorations" if undo else "", undo=undo)


async def _soul_of(agent: Agent, soul_id: UUID) -> AgentSoul:
    found = await AgentSoul.get_or_none(id=soul_id, agent_id=agent.id)
    if found is None:
        raise NotFound()
    return found


async def _newest_soul(agent: Agent) -> AgentSoul | None:
    return await AgentSoul.filter(agent_id=agent.id).order_by("-created_at", "-id").first()
