"""Actions of a gateway's page about its agents: writing their files anew, linking agents, unlinking them."""

from typing import Any
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.page_frame import FormPage
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.gateways.models import Gateway
from mission_control.gateways.page_frame import gateway_of_page
from mission_control.gateways.pages import DeletionForm, not_deleted
from mission_control.gateways.queries import visible_gateway
from mission_control.jobs.running import ended_soon
from mission_control.provisioning.adopting import choices_to_link
from mission_control.provisioning.schemas import Adoption, TemplatesSyncRequest
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import done, go
from mission_control.web.shell import signed_in

pages = Blueprint("provisioning_gateway_pages", __name__)
GATEWAY = "/gateways/<uuid:gateway_id>"
LABELS = {
    "gateway_agent_id": "Agent",
    "board_id": "Board",
    "name": "Name here",
    "is_board_lead": "Board lead",
    "remember": "Memory",
}


@action(pages, "POST", f"{GATEWAY}/template-syncs")
async def create_templates_sync(outcome: Outcome[Gateway, TemplatesSyncRequest]) -> ResponseReturnValue:
    """Begin to write the files of a gateway's agents anew."""
    errors = outcome.answer.errors
    toast = errors[0].message if outcome.answer.job_id is None and errors else "The files are being written."
    return done(f"/gateways/{outcome.found.id}/agents", toast=toast)


@action(pages, "POST", f"{GATEWAY}/removals", form=DeletionForm, at=gateway_of_page, refused=not_deleted)
async def remove_gateway(outcome: Outcome[Gateway, DeletionForm]) -> ResponseReturnValue:
    """Delete a gateway with its agents there; how far that is stands among long work."""
    await ended_soon(outcome.answer.id)
    return go("/gateways")


@pages.get(f"{GATEWAY}/adoptions/new")
async def ask_adoption(gateway_id: UUID) -> ResponseReturnValue:
    """Show the form that links an agent which exists on the gateway."""
    actor = await signed_in()
    gateway = await visible_gateway(actor, gateway_id)
    require(actor, "gateway.adopt", gateway)
    return await (await _form(actor, gateway)).render(actor, {})


async def _form(actor: Actor, gateway: Gateway) -> FormPage:
    choices, problem = await choices_to_link(gateway)
    boards = [(board.id, board.name) for board in await boards_of(actor) if board.gateway_id == gateway.id]
    context = {"labels": LABELS, "there": choices, "boards": boards, "problem": problem}
    url, back = f"/gateways/{gateway.id}/adoptions", (f"/gateways/{gateway.id}/agents", "the gateway")
    return FormPage(
        "Link an agent", "provisioning/adoption.html", "adoption", url, back, active="gateways", context=context
    )


async def _not_adopted(refusal: Refusal[Gateway, Adoption]) -> ResponseReturnValue:
    return await (await _form(refusal.actor, refusal.found)).refused(refusal)


@action(pages, "POST", f"{GATEWAY}/adoptions", refused=_not_adopted)
async def adopt_gateway_agent(outcome: Outcome[Gateway, Adoption]) -> ResponseReturnValue:
    """Link an agent."""
    return done(f"/gateways/{outcome.found.id}/agents", toast=f"{outcome.form.name} linked")


@action(pages, "POST", f"{GATEWAY}/adoptions/<uuid:agent_id>/deletions")
async def unlink_gateway_agent(outcome: Outcome[Any, None]) -> ResponseReturnValue:
    """Unlink an agent."""
    gateway, agent = outcome.found
    return done(f"/gateways/{gateway.id}/agents", toast=f"{agent.name} unlinked")
