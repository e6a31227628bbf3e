"""Commands of people on requests for agents that are on no board: decide and answer. The first answer counts."""

from mission_control.approvals.outside import CHANNEL, answer_of
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Invalid
from mission_control.core.substance import refuse_changed
from mission_control.gateway_requests.boardless import facts_of, locked_request, what_of
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.queries import decider_of, parts_of_requests
from mission_control.questions.commands import answer_text

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
    if request.expires_at is not None and request.expires_at <= clock.now():
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
    request.resolved_at = clock.now()
    await request.save(
        update_fields=[
            "status", "answer", "answer_state", "chosen_option_id", "resolved_by_user_id", "resolved_by_name",
            "resolved_at",
        ]
    )  # fmt: skip
    notify(CHANNEL)
