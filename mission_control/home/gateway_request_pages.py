"""Pages of requests for agents that are on no board: one by itself, deciding and answering."""

from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.home import gateway_request_queries
from mission_control.home.gateway_request_queries import visible_request
from mission_control.home.models import GatewayRequest
from mission_control.home.question_pages import AnswerForm
from mission_control.log.models import Event
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("gateway_requests_pages", __name__)
REQUEST = "/gateways/requests/<uuid:gateway_request_id>"
PAGE, TEMPLATE = "gateway-request", "gateway_requests/show.html"
NOTHING_TYPED: dict[str, Any] = {"sentence": "", "typed": "", "values": {}, "errors": {}}


class DecisionForm(Form):
    """A person's decision."""

    decision: Literal["approved", "rejected"]
    always: bool = False
    substance: str | None = None
    next: str = "/approvals"

    def body(self, found: GatewayRequest) -> Fields:
        always = self.always and self.decision == "approved"
        return {"decision": self.decision, "always": always, "substance": self.substance}


@pages.get(REQUEST)
async def one_request(gateway_request_id: UUID) -> ResponseReturnValue:
    """Show one request in any state."""
    actor = await signed_in()
    return await _as_it_is(actor, await visible_request(actor, gateway_request_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView(View):
    """A viewer's page of one request."""

    request_id: UUID
    gateway_id: UUID

    async def block(self, name: str) -> str | None:
        """Return one block of the page; None when the request is gone."""
        item = await self.reads.get(
            ("gateway-request", self.request_id), lambda: gateway_request_queries.item(self.request_id)
        )
        if item is None:
            return None
        return await render_block(TEMPLATE, name, **NOTHING_TYPED, item=item, next_url=item.url)


@pages.get(f"{REQUEST}/live")
async def one_live(gateway_request_id: UUID) -> Response:
    """Keep the page of one request live."""
    actor = await signed_in()
    request = await visible_request(actor, gateway_request_id)

    async def look(viewer: Actor, reads: Reads) -> RequestView | None:
        is_there = await GatewayRequest.filter(id=request.id).exists()
        view = RequestView(
            actor=viewer, pages=(PAGE,), active="approvals", reads=reads,
            request_id=request.id, gateway_id=request.gateway_id,
        )  # fmt: skip
        return view if is_there and can(viewer, "gateway.manage", request.organization_id) else None

    return await live_page(replace(actor, organization_id=request.organization_id), look)


async def _row(view: RequestView) -> str | None:
    return await view.block("row")


async def _asked(view: RequestView) -> str | None:
    return await view.block("asked")


NEWS = Concerns[RequestView](
    ("gateway.",), (), lambda view, news: isinstance(news, Event) and news.subject_id == view.gateway_id
)
REGIONS = (
    Region(PAGE, "#request-row", NEWS, _row),
    Region(PAGE, "#request-asked", NEWS, _asked),
)


async def _refused(refusal: Refusal[GatewayRequest, object]) -> ResponseReturnValue:
    """Answer what was typed with the reason; the request as it is when somebody else was faster."""
    error, found = refusal.error, refusal.found
    if isinstance(error, FormInvalid | Invalid):
        errors = {name or "answer": text for name, text in refusal.errors.items()}
        if found.kind == "approval":
            return await _as_it_is(refusal.actor, found, sentence=refusal.sentence, values=refusal.values)
        return await _as_it_is(refusal.actor, found, values=refusal.values, errors=errors)
    if isinstance(error, Conflict):
        typed = refusal.values.get("answer") or ""
        return await _as_it_is(refusal.actor, found, sentence=error.sentence, typed=typed)
    raise error


@action(pages, f"{REQUEST}/decisions", form=DecisionForm, refused=_refused)
async def decide_gateway_request(outcome: Outcome[GatewayRequest, DecisionForm]) -> ResponseReturnValue:
    """Approve or reject; only the first decision counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.answer['heading']} {outcome.form.decision}.")


@action(pages, f"{REQUEST}/answers", form=AnswerForm, refused=_refused)
async def answer_gateway_request(outcome: Outcome[GatewayRequest, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast="The gateway gets your answer.")


async def _as_it_is(actor: Actor, request: GatewayRequest, **more: object) -> str:
    """Return the request as it is now: its row for htmx, else its page."""
    item = await gateway_request_queries.item(request.id)
    if item is None:
        raise NotFound()
    context: dict[str, Any] = {"item": item, **NOTHING_TYPED, **more}
    context["next_url"] = safe_next(context["values"].get("next") or item.url)
    if is_htmx():
        return await render_block(TEMPLATE, "row", **context)
    actor = replace(actor, organization_id=request.organization_id)
    return await shell_page(actor, TEMPLATE, active="approvals", **context)
