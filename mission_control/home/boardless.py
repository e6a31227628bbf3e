"""Commands on requests for agents that are on no board: bring them in, answer them, and close them as gateways say."""

import logging
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.approvals.payloads import CHANNEL, answer_of
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound
from mission_control.core.substance import refuse_changed
from mission_control.database.records import insert
from mission_control.gateways.events import GatewayRef
from mission_control.home.asking import Boardless
from mission_control.home.gateway_request_queries import decider_of, parts_of_requests
from mission_control.home.gateway_request_reading import AskedApproval, AskedQuestion, Ended, settled_by
from mission_control.home.models import GatewayRequest
from mission_control.home.question_commands import answer_text
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import notify, record

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

WHY = {
    "cancelled": "The gateway cancelled it: nobody waits for an answer any more.",
    "expired": "Nobody answered before it expired.",
}
GONE = "The gateway does not ask for it any more."

_log = logging.getLogger(__name__)


def approval_of(gateway: GatewayRef, asker: Boardless, asked: AskedApproval) -> GatewayRequest:
    return GatewayRequest(
        **_common(gateway, asker),
        kind="approval",
        external_id=asked.external_id,
        action_type=asked.action_type,
        payload=asked.payload_of(asker.name),
        allows_text=False,
        expires_at=asked.expires_at,
    )


def questions_of(gateway: GatewayRef, asker: Boardless, asked: AskedQuestion) -> list[GatewayRequest]:
    return [
        GatewayRequest(
            **_common(gateway, asker),
            kind="question",
            external_id=asked.external_id(part),
            content=(question := part.as_question()).content,
            options=[one.model_dump() for one in question.options],
            allows_text=question.allows_text,
            expires_at=asked.expires_at,
        )
        for part in asked.parts
    ]


def _common(gateway: GatewayRef, asker: Boardless) -> dict[str, object]:
    return {
        "organization_id": gateway.organization_id,
        "gateway_id": gateway.id,
        "gateway_agent_id": asker.gateway_agent_id,
        "agent_id": asker.id,
        "agent_name": asker.name,
    }


@command("gateway_request.keep")
async def keep_requests(actor: Actor, requests: list[GatewayRequest]) -> bool:
    """Store requests, each once for its id on the gateway; False when they are here already."""
    try:
        async with in_transaction():
            await insert(*requests)
    except IntegrityError:
        return False  # the list and the event came at the same moment
    for one in requests:
        record(
            "gateway.request.asked",
            one.scope(),
            f"Brought in: {what_of(one)}.",
            **facts_of(one),
            status="pending",
        )
    return True


def what_of(request: GatewayRequest) -> str:
    """Return what it is, without its words: they are for admins, and events are for everybody."""
    return f"a {'question' if request.kind == 'question' else 'request'} of {request.agent_name}"


def facts_of(request: GatewayRequest) -> dict[str, Any]:
    """Return what events about a request hold."""
    return {
        "gateway_id": request.gateway_id,
        "gateway_request_id": request.id,
        "request_kind": request.kind,
        "agent_id": request.agent_id,
    }


@command("gateway_request.keep")
async def settle_approval(actor: Actor, request: GatewayRequest, ended: Ended) -> None:
    """Note that the gateway has our answer, or take over what was decided there first."""
    request = await locked_request(request.id)
    if request.status != "pending" and request.answer_state != "waiting":
        return
    was_answered = request.status != "pending"
    if was_answered and ended.agrees_with(request.status):
        await _note_delivered(request)
        return
    await _take_over(request, ended.decision, ended.by, ended.note_after(was_answered))
    _record_end(request, ended.how)


@command("gateway_request.keep")
async def settle_question(actor: Actor, request: GatewayRequest, asked: AskedQuestion) -> None:
    """Note that the gateway has another end than ours, and take it over."""
    request = await locked_request(request.id)
    if request.status != "pending" and request.answer_state != "waiting":
        return
    was_answered = request.status == "answered"
    if asked.status == "answered":
        request.answer, request.chosen_option_id = asked.answer_to(request.external_id), None
        await _take_over(request, "answered", asked.resolved_by, None)
    else:
        late = "Our answer came too late. " if was_answered else ""
        await _take_over(request, "withdrawn", asked.resolved_by, late + WHY.get(asked.status, GONE))
    _record_end(request, asked.how)


@command("gateway_request.keep")
async def note_delivered(actor: Actor, request: GatewayRequest) -> None:
    """Note that the gateway has our answer."""
    request = await locked_request(request.id)
    if request.answer_state == "waiting":
        await _note_delivered(request)


async def _note_delivered(request: GatewayRequest) -> None:
    request.answer_state = "sent"
    await request.save(update_fields=["answer_state"])
    record(
        "gateway.request.delivered",
        request.scope(),
        f"Gateway has the answer to: {what_of(request)}.",
        **facts_of(request),
    )


async def _take_over(request: GatewayRequest, status: str, by: str, note: str | None) -> None:
    """Store the end of a request on its gateway; the caller holds it."""
    request.answer_state = None if request.status == "pending" else "late"
    request.status, request.note = status, note
    request.resolved_by_user_id = None
    request.resolved_by_name = settled_by(by)
    request.resolved_at = times.clock_now()
    await request.save(
        update_fields=[
            "status", "answer", "answer_state", "note", "chosen_option_id", "resolved_by_user_id", "resolved_by_name",
            "resolved_at",
        ]
    )  # fmt: skip


def _record_end(request: GatewayRequest, how: str) -> None:
    sentence = f"Ended on the gateway: {what_of(request)}."
    record("gateway.request.ended", request.scope(), sentence, **facts_of(request), status=request.status, how=how)


async def locked_request(request_id: UUID) -> GatewayRequest:
    """Lock a request until the running command ends, and return it as it is now."""
    found = await GatewayRequest.select_for_update().get_or_none(id=request_id)
    if found is None:
        raise NotFound()
    return found


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
    await request.save(
        update_fields=[
            "status", "answer", "answer_state", "chosen_option_id", "resolved_by_user_id", "resolved_by_name",
            "resolved_at",
        ]
    )  # fmt: skip
    notify(CHANNEL)
