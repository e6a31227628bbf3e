"""The page of what a gateway asks, and its forms."""

from dataclasses import replace
from typing import Any, Literal

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.events.models import Event
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.queries import request_item, visible_request
from mission_control.needs.pages import AnswerPage
from mission_control.questions.pages import AnswerForm
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done
from mission_control.web.shell import safe_next

pages = Blueprint("gateway_requests_pages", __name__)


REQUEST = "/gateways/requests/<uuid:gateway_request_id>"


class DecisionForm(Form):
    """A person's decision."""

    decision: Literal["approved", "rejected"]
    always: bool = False
    substance: str | None = None
    next: str = "/approvals"

    def body(self, found: GatewayRequest) -> Fields:
        always = self.always and self.decision == "approved"
        return {"decision": self.decision, "always": always, "substance": self.substance}


class RequestPage(AnswerPage[GatewayRequest]):
    """The page of a request: of no board, for those who manage the gateways of its organization."""

    async def is_there(self, viewer: Actor, thing: GatewayRequest) -> bool:
        return can(viewer, "gateway.manage", thing.organization_id) and await GatewayRequest.exists(id=thing.id)

    def is_about(self, thing: GatewayRequest, news: Event) -> bool:
        return news.subject_id == thing.gateway_id

    def at_home(self, actor: Actor, thing: GatewayRequest) -> Actor:
        return replace(actor, organization_id=thing.organization_id)

    async def refused(self, refusal: Refusal[GatewayRequest, Any]) -> str:
        """Answer what was typed with the reason; an approval has no field beside which it stands."""
        if refusal.found.kind == "approval" and isinstance(refusal.error, FormInvalid | Invalid):
            return await self.again(refusal.actor, refusal.found, sentence=refusal.sentence, values=refusal.values)
        return await self.refused_answer(refusal)


REQUEST_PAGE = RequestPage(
    pages=pages,
    path=REQUEST,
    kind="request",
    template="gateway_agents/requests/show.html",
    find=visible_request,
    item=lambda _actor, request: request_item(request.id),
    news=("gateway.",),
    parts=("row", "asked"),
)
REQUEST_REGIONS = REQUEST_PAGE.regions


@action(pages, f"{REQUEST}/decisions", form=DecisionForm, refused=REQUEST_PAGE.refused)
async def decide_gateway_request(outcome: Outcome[GatewayRequest, DecisionForm]) -> ResponseReturnValue:
    """Approve or reject; only the first decision counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.answer['heading']} {outcome.form.decision}.")


@action(pages, f"{REQUEST}/answers", form=AnswerForm, refused=REQUEST_PAGE.refused)
async def answer_gateway_request(outcome: Outcome[GatewayRequest, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast="The gateway gets your answer.")
