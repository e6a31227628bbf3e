"""Actions of a gateway's page about its agents: writing their files anew, linking agents, unlinking them."""

from typing import Any
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.fields import AgentName
from mission_control.agents.page_forms import FormPage
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.core.schemas import NonEmptyStr
from mission_control.gateways.forms import TypedName
from mission_control.gateways.models import Gateway
from mission_control.gateways.page_frame import gateway_of_page
from mission_control.gateways.pages import not_deleted
from mission_control.gateways.queries import visible_gateway
from mission_control.jobs.running import ended_soon
from mission_control.provisioning.adopting import choices_to_link
from mission_control.provisioning.schemas import Adoption, GatewayRemoval, TemplatesSyncRequest
from mission_control.web.actions import Form, action
from mission_control.web.forms import done, go
from mission_control.web.outcomes import Outcome, Refusal
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


class SyncForm(Form):
    """What to write anew."""

    include_main: bool = False
    lead_only: bool = False
    reset_sessions: bool = False
    rotate_tokens: bool = False
    force_bootstrap: bool = False
    overwrite: bool = False

    def body(self, found: Any) -> TemplatesSyncRequest:
        """Return the request."""
        return TemplatesSyncRequest(**self.model_dump())


@action(pages, "POST", f"{GATEWAY}/template-syncs", performs="create_templates_sync", form=SyncForm)
async def begin_sync(outcome: Outcome[Gateway, SyncForm]) -> ResponseReturnValue:
    """Begin to write the files of a gateway's agents anew."""
    errors = outcome.answer.errors
    toast = errors[0].message if outcome.answer.job_id is None and errors else "The files are being written."
    return done(f"/gateways/{outcome.found.id}/agents", toast=toast)


class RemovalForm(TypedName):
    """Whether a gateway's agents go with it."""

    remove_agents: bool = False

    def body(self, found: Gateway) -> GatewayRemoval:
        """Return the request; the form says what it means for boards."""
        self.compare(found)
        return GatewayRemoval(remove_agents=self.remove_agents, force=True)


@action(pages, "POST", f"{GATEWAY}/removals",
    performs="remove_gateway", form=RemovalForm, at=gateway_of_page, refused=not_deleted,
)  # fmt: skip
async def remove(outcome: Outcome[Gateway, RemovalForm]) -> ResponseReturnValue:
    """Delete a gateway with its agents there; how far that is stands among long work."""
    await ended_soon(outcome.answer.id)
    return go("/gateways")


class AdoptionForm(Form):
    """An agent to link."""

    gateway_agent_id: NonEmptyStr
    board_id: UUID
    name: AgentName
    is_board_lead: bool = False
    remember: bool = False

    def body(self, found: Any) -> Adoption:
        """Return the request."""
        return Adoption(**self.model_dump())


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


async def _not_adopted(refusal: Refusal[Gateway, AdoptionForm]) -> ResponseReturnValue:
    return await (await _form(refusal.actor, refusal.found)).refused(refusal)


@action(
    pages, "POST", f"{GATEWAY}/adoptions",
    performs="adopt_gateway_agent", form=AdoptionForm, refused=_not_adopted,
)  # fmt: skip
async def adopt(outcome: Outcome[Gateway, AdoptionForm]) -> ResponseReturnValue:
    """Link an agent."""
    return done(f"/gateways/{outcome.found.id}/agents", toast=f"{outcome.form.name} linked")


@action(pages, "POST", f"{GATEWAY}/adoptions/<uuid:agent_id>/deletions", performs="unlink_gateway_agent")
async def unlink(outcome: Outcome[Any, None]) -> ResponseReturnValue:
    """Unlink an agent."""
    gateway, agent = outcome.found
    return done(f"/gateways/{gateway.id}/agents", toast=f"{agent.name} unlinked")
