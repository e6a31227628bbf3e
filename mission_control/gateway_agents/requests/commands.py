"""What people decide and answer of what gateways ask for agents that are on no board, also over HTTP."""

from uuid import UUID

from mission_control.approvals.payloads import CHANNEL, answer_of
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, existing
from mission_control.core.substance import refuse_changed
from mission_control.core.values import ErrorResponse, JsonObject, Page, page
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, record
from mission_control.gateway_agents.requests import queries
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.queries import (
    GatewayRequestDecision,
    GatewayRequestQuery,
    GatewayRequestRead,
    decider_of,
    parts_of_requests,
)
from mission_control.http.operation_api import Api
from mission_control.questions.commands import answer_text
from mission_control.questions.schemas import QuestionAnswer

EVENTS = (
    Kind.named("gateway.request.asked", "A gateway asked people for an agent that is on no board.", "brought in"),
    Kind.named("gateway.request.decided", "A person approved or rejected such a request.", "decided on"),
    Kind.named("gateway.request.answered", "A person answered such a question.", "answered"),
    Kind.named(
        "gateway.request.ended",
        "Such a request was settled on the gateway, expired, or was cancelled.",
        "noted the end of",
    ),
    Kind.named("gateway.request.delivered", "A gateway got the answer to such a request.", "passed on the answer to"),
)


def what_of(request: GatewayRequest) -> str:
    """Name it without its words: they are for admins, and events are for everybody."""
    return f"a {'question' if request.kind == 'question' else 'request'} of {request.agent_name}"


def facts_of(request: GatewayRequest) -> JsonObject:
    named = {"gateway_id": request.gateway_id, "gateway_request_id": request.id}
    return {**named, "request_kind": request.kind, "agent_id": request.agent_id}


async def locked_request(request_id: UUID) -> GatewayRequest:
    """Lock a request until the running command ends, and return it as it is now."""
    return await existing(GatewayRequest.select_for_update().get_or_none(id=request_id))


SAVED = (
    "status", "answer", "answer_state", "chosen_option_id", "resolved_by_user_id", "resolved_by_name", "resolved_at",
)  # fmt: skip
WORDS = {"approved": "approved", "rejected": "rejected", "answered": "answered", "withdrawn": "ended"}


@command("gateway_request.answer")
async def decide_request(
    actor: Actor, request: GatewayRequest, decision: str, *, always: bool = False, seen: str | None = None
) -> None:
    """Approve or reject. Raise Conflict when that is settled or expired, Invalid for a question.

    `seen` is the substance that was shown: another one is a Conflict.
    """
    request = await locked_request(request.id)
    if request.kind != "approval":
        raise Invalid("This is a question: answer it.")
    await _refuse_when_over(request)
    refuse_changed(seen, (await parts_of_requests([request.id]))[request.id])
    request.answer = answer_of(request.payload, request.expires_at, decision, always=always)
    await _save(actor, request, decision)
    facts = {**facts_of(request), "decision": decision, "status": decision}
    record("gateway.request.decided", request.scope(), f"Decided on: {what_of(request)}.", **facts)


@command("gateway_request.answer")
async def answer_request(
    actor: Actor, request: GatewayRequest, answer: str | None, option_id: str | None, seen: str | None = None
) -> None:
    """Answer with an option, in one's own words, or both. Raise Conflict when that is settled, expired or changed."""
    request = await locked_request(request.id)
    if request.kind != "question":
        raise Invalid("This is an approval: approve or reject it.")
    await _refuse_when_over(request)
    if request.expires_at is not None and request.expires_at <= times.clock_now():
        raise Conflict(ErrorCode.QUESTION_EXPIRED.detail())
    refuse_changed(seen, (await parts_of_requests([request.id]))[request.id])
    request.answer = answer_text(request.options, answer, option_id, allows_text=request.allows_text)
    request.chosen_option_id = option_id
    await _save(actor, request, "answered")
    facts = {**facts_of(request), "status": "answered"}
    record("gateway.request.answered", request.scope(), f"Answered: {what_of(request)}.", **facts)


async def _refuse_when_over(request: GatewayRequest) -> None:
    if request.status == "pending":
        return
    if request.status == "withdrawn":
        raise Conflict(ErrorCode.REQUEST_OVER.detail(request.note or "The gateway does not ask for it any more."))
    who = await decider_of(request)
    raise Conflict(ErrorCode.REQUEST_OVER.detail(f"{who} {WORDS[request.status]} this already."))


async def _save(actor: Actor, request: GatewayRequest, status: str) -> None:
    request.status, request.answer_state = status, "waiting"
    request.resolved_by_user_id, request.resolved_by_name = actor.user_id, actor.name
    request.resolved_at = times.clock_now()
    await request.save(update_fields=SAVED)
    notify(CHANNEL)


api = Api(__name__, "gateways", below="/gateways/requests")


@api.get("", Page[GatewayRequestRead], rule="gateway.manage")
async def list_gateway_requests(actor: Actor, query: GatewayRequestQuery) -> JsonObject:
    """List what gateways ask for agents that are on no board, newest first.

    What they ask for agents of boards is in the approvals and questions of those boards.
    """
    return page(*await queries.list_requests(actor, query), query)


@api.get("/<gateway_request_id>", GatewayRequestRead)
async def get_gateway_request(actor: Actor, request: GatewayRequest) -> JsonObject:
    """Read a request of a gateway and how it ended."""
    return await queries.read_request(request.id)


@api.post(
    "/<gateway_request_id>/decisions", GatewayRequestRead, rule="gateway_request.answer", errors={409: ErrorResponse}
)
async def decide_gateway_request(actor: Actor, request: GatewayRequest, data: GatewayRequestDecision) -> JsonObject:
    """Approve or reject what a gateway asks for. The first decision counts; a second gets 409.

    The gateway gets the answer in the background; what it has from somebody else by then counts.
    """
    await decide_request(actor, request, data.decision, always=data.always, seen=data.substance)
    return await queries.read_request(request.id)


@api.post(
    "/<gateway_request_id>/answers", GatewayRequestRead, rule="gateway_request.answer", errors={409: ErrorResponse}
)
async def answer_gateway_request(actor: Actor, request: GatewayRequest, data: QuestionAnswer) -> JsonObject:
    """Answer a question of a gateway with one of its options or in your own words. The first answer counts.

    Questions that a gateway asks together are sent together, once each has an answer.
    """
    await answer_request(actor, request, data.answer, data.option_id, data.substance)
    return await queries.read_request(request.id)
