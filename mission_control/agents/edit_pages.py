"""Changing an agent on its page: its name and role, what it may claim, and its soul."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.forms import LABELS, LIMIT_LABELS, PACES, AgentForm, LimitsForm, SoulForm, pace_of
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.overview_tab import tag_choices
from mission_control.agents.page_forms import FormPage, back_to
from mission_control.agents.page_frame import DELETED, agent_of_page, on_agent
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import done

pages = Blueprint("agents_edit_pages", __name__)
AGENT = "/agents/<uuid:agent_id>"
VERB = "agent.update"


@pages.get(f"{AGENT}/edit")
async def ask_changes(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of an agent's name and role."""
    actor, agent = await on_agent(agent_id, VERB)
    return await (await _edit_form(actor, agent_id, agent)).render(actor, AgentForm.shown(agent))


async def _edit_form(actor: Actor, agent_id: UUID, agent: Agent | None) -> FormPage:
    url, back = f"/agents/{agent_id}/edit", back_to(agent_id, "", "the agent")
    boards, paces = [], list(PACES)
    if agent is not None:
        pace = pace_of(agent.heartbeat_config)
        paces += [] if pace in dict(PACES) else [(pace, f"Every {pace}")]
        if agent.board_id is not None and not agent.is_adopted:
            boards = [(one.id, one.name) for one in await boards_of(actor) if can(actor, "agent.create", one)]
    context = {"labels": LABELS, "boards": boards, "paces": paces}
    return FormPage("Edit the agent", "agents/forms.html", "edit", url, back, context=context)


async def _not_edited(refusal: Refusal[Agent | None, AgentForm]) -> ResponseReturnValue:
    return await (await _edit_form(refusal.actor, refusal.ids["agent_id"], refusal.found)).refused(refusal)


@action(
    pages, "POST", f"{AGENT}/edit",
    performs="update_agent", form=AgentForm, at=agent_of_page, refused=_not_edited, gone=DELETED,
)  # fmt: skip
async def edit(outcome: Outcome[Agent, AgentForm]) -> ResponseReturnValue:
    """Change an agent's name and role, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}", toast=f"{outcome.form.name} saved")


@pages.get(f"{AGENT}/limits")
async def ask_limits(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of what an agent may claim."""
    actor, agent = await on_agent(agent_id, VERB)
    form = await _limits_form(agent_id, agent, agent.organization_id)
    return await form.render(actor, LimitsForm.shown(agent))


async def _limits_form(agent_id: UUID, agent: Agent | None, organization_id: UUID) -> FormPage:
    url, back = f"/agents/{agent_id}/limits", back_to(agent_id, "", "the agent")
    choices = await tag_choices(organization_id, (agent and agent.claim_tags) or [])
    context = {"choices": choices, "labels": LIMIT_LABELS}
    return FormPage("Limits", "agents/about.html", "limits", url, back, context=context)


async def _not_limited(refusal: Refusal[Agent | None, LimitsForm]) -> ResponseReturnValue:
    form = await _limits_form(refusal.ids["agent_id"], refusal.found, refusal.actor.organization_id)
    return await form.refused(refusal)


@action(
    pages, "POST", f"{AGENT}/limits",
    performs="update_agent", form=LimitsForm, at=agent_of_page, refused=_not_limited, gone=DELETED,
)  # fmt: skip
async def change_limits(outcome: Outcome[Agent, LimitsForm]) -> ResponseReturnValue:
    """Change what an agent may claim, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}", toast="Limits saved")


@pages.get(f"{AGENT}/soul/edit")
async def ask_soul(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of an agent's soul."""
    actor, agent = await on_agent(agent_id, VERB)
    return await _soul_form(agent_id).render(actor, SoulForm.shown(agent))


def _soul_form(agent_id: UUID) -> FormPage:
    url, back = f"/agents/{agent_id}/soul/edit", back_to(agent_id, "soul", "the soul")
    return FormPage("Edit the soul", "agents/soul.html", "edit", url, back, size="l", context={"labels": LABELS})


@action(
    pages, "POST", f"{AGENT}/soul/edit",
    performs="update_agent_soul", form=SoulForm, at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _soul_form(refusal.ids["agent_id"]).refused(refusal),
)  # fmt: skip
async def change_soul(outcome: Outcome[Agent, SoulForm]) -> ResponseReturnValue:
    """Replace the agent's soul, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}/soul", toast="Soul saved")


async def _newest_soul(actor: Actor, found: tuple[Agent, AgentSoul]) -> AgentSoul | None:
    return await AgentSoul.filter(agent_id=found[0].id).order_by("-created_at", "-id").first()


@action(
    pages, "POST", f"{AGENT}/souls/<uuid:soul_id>/restorations",
    performs="restore_agent_soul", at=agent_of_page, before=_newest_soul, gone=DELETED,
)  # fmt: skip
async def restore_soul(outcome: Outcome[tuple[Agent, AgentSoul], None]) -> ResponseReturnValue:
    """Restore a soul from the history; Undo restores the one before."""
    url, before = f"/agents/{outcome.found[0].id}", outcome.before
    undo = f"{url}/souls/{before.id}/restorations" if before is not None else ""
    return done(f"{url}/soul", toast="Soul restored", undo_action=undo)
