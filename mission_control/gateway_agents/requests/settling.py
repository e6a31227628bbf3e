"""What gateways ask as it is kept here, on a board or without one, and its end, as gateways say it."""

from typing import Any

from mission_control.approvals.decisions import save_decision
from mission_control.approvals.models import Approval
from mission_control.boards.attempts import hold_run
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import existing
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.unit_of_work import record
from mission_control.gateway_agents.requests.commands import facts_of, what_of
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.reading import AskedQuestion, Ended, settled_by
from mission_control.gateways.connections.events import GatewayRef
from mission_control.memory.commands import write_memory
from mission_control.questions.commands import snippet
from mission_control.questions.models import Question
from mission_control.runs.permissions.requests import approval_facts

type KeptApproval = Approval | GatewayRequest
type KeptQuestion = Question | GatewayRequest
type Kept = Approval | Question | GatewayRequest

WHY = {
    "cancelled": "The gateway cancelled it: nobody waits for an answer any more.",
    "expired": "Nobody answered before it expired.",
}
GONE = "The gateway does not ask for it any more."


async def kept_approval(gateway: GatewayRef, external_id: str) -> KeptApproval | None:
    where: dict[str, Any] = {"gateway_id": gateway.id, "external_id": external_id}
    return await Approval.get_or_none(**where) or await GatewayRequest.get_or_none(**where, kind="approval")


async def pending_approvals(gateway: GatewayRef) -> list[KeptApproval]:
    waiting = {"gateway_id": gateway.id, "status": "pending"}
    return [*await Approval.filter(**waiting), *await GatewayRequest.filter(**waiting, kind="approval")]


async def open_questions(gateway: GatewayRef) -> list[KeptQuestion]:
    boardless = GatewayRequest.filter(gateway_id=gateway.id, kind="question", status="pending")
    return [*await Question.filter(gateway_id=gateway.id, state="open"), *await boardless]


def key_of(question: Kept) -> tuple[str, str]:
    request, _, key = str(question.external_id).partition("#")
    return request, key


async def parts_of(gateway_id: object, external_id: str) -> list[KeptQuestion]:
    begin = "WHERE gateway_id = ? AND substr(external_id, 1, ?) = ?"
    values = (gateway_id, len(external_id) + 1, f"{external_id}#")
    found: list[KeptQuestion] = []
    if asked := await rows(f"SELECT id FROM agent_questions {begin}", *values):
        found += await Question.filter(id__in=[row["id"] for row in asked]).order_by("created_at", "id")
    if asked := await rows(f"SELECT id FROM gateway_requests {begin} AND kind = 'question'", *values):
        found += await GatewayRequest.filter(id__in=[row["id"] for row in asked]).order_by("created_at", "id")
    return found


async def _system_for(kept: Kept) -> Actor:
    if isinstance(kept, GatewayRequest):
        return system(kept.organization_id)
    kept.board = await Board.get(id=kept.board_id)
    return system(kept.board.organization_id)


async def _locked(kept: Kept) -> Any:
    """Lock one until the running command ends, and return it as it is now, of the same model.

    The task of the run that asked is locked before.
    """
    if not isinstance(kept, GatewayRequest):
        await hold_run(kept.run_id)
    found: Any = await existing(type(kept).select_for_update().get_or_none(id=kept.id))
    if not isinstance(kept, GatewayRequest):
        found.board = kept.board
    return found


async def end_approval(approval: KeptApproval, ended: Ended) -> None:
    """Close an approval as it ended on its gateway, unless that is settled."""
    await settle_approval(await _system_for(approval), approval, ended)


async def end_question(question: KeptQuestion, asked: AskedQuestion) -> None:
    """Close a question as it ended on its gateway, unless that is settled."""
    await settle_question(await _system_for(question), question, asked)


async def end(kept: Kept, how: str) -> None:
    """End what its gateway was not asked about: `expired`, `cancelled` or `gone`."""
    if isinstance(kept, Approval) or (isinstance(kept, GatewayRequest) and kept.kind == "approval"):
        await end_approval(kept, Ended(how))
    else:
        asked = AskedQuestion(key_of(kept)[0], "", kept.expires_at, [], False, how, {}, "")
        await end_question(kept, asked)


async def deliver(kept: Kept) -> None:
    """Note that the gateway has our answer, or our withdrawal."""
    await note_delivered(await _system_for(kept), kept)


@command("gateway_request.keep")
async def note_delivered(actor: Actor, kept: Kept) -> None:
    if not await type(kept).filter(id=kept.id, answer_state="waiting").update(answer_state="sent"):
        return
    if isinstance(kept, Approval):
        record("approval.answered", kept.scope(), f"Gateway told: {kept.action_type}.", **approval_facts(kept))
    elif isinstance(kept, Question):
        record("question.delivered", kept, f"Gateway has the answer: {snippet(kept.content)}", question_id=kept.id)
    else:
        sentence = f"Gateway has the answer to: {what_of(kept)}."
        record("gateway.request.delivered", kept.scope(), sentence, **facts_of(kept))


@command("gateway_request.keep")
async def settle_approval(actor: Actor, kept: KeptApproval, ended: Ended) -> None:
    """Note that the gateway has our answer, or take over what was decided there first."""
    kept = await _locked(kept)
    was_answered = kept.status != "pending"
    if was_answered and kept.answer_state != "waiting":
        return
    if was_answered and ended.agrees_with(kept.status):
        await note_delivered(actor, kept)
        return
    kept.status, kept.note = ended.decision, ended.note_after(was_answered)
    if isinstance(kept, GatewayRequest):
        await _take_over(kept, "late" if was_answered else None, ended.by, ended.how)
        return
    kept.decision, kept.answer_state = ended.decision, "late" if was_answered else None
    kept.resolved_by_user_id, kept.resolved_by_kind, kept.resolved_by_name = None, "gateway", settled_by(ended.by)
    kept.resolved_at = kept.updated_at = times.clock_now()
    await save_decision(kept)
    facts = {**approval_facts(kept), "decision": kept.decision, "note": kept.note, "how": ended.how}
    sentence = f"Approval ended on the gateway: {kept.action_type}."
    record("approval.ended_on_gateway", kept.scope(), sentence, **facts)


@command("gateway_request.keep")
async def settle_question(actor: Actor, kept: KeptQuestion, asked: AskedQuestion) -> None:
    """Note that the gateway has our answer, or take over what was answered there first."""
    kept = await _locked(kept)
    was_answered, is_answered = kept.state == "answered", asked.status == "answered"
    if kept.state != "open" and kept.answer_state != "waiting":
        return
    if isinstance(kept, GatewayRequest):
        answer_state = None if kept.state == "open" else "late"
        late = "Our answer came too late. " if was_answered else ""
        kept.status, kept.note = "withdrawn", late + WHY.get(asked.status, GONE)
        if is_answered:
            kept.status, kept.note = "answered", None
            kept.answer, kept.chosen_option_id = asked.answer_to(kept.external_id), None
        await _take_over(kept, answer_state, asked.resolved_by, asked.how)
        return
    if kept.state == "withdrawn" or (was_answered and not is_answered):
        await Question.filter(id=kept.id).update(answer_state="late" if was_answered else "sent")
    else:
        kept.answer_state = "late" if was_answered else None
        kept.state, kept.answered_by_user_id, kept.chosen_option_id = "withdrawn", None, None
        if is_answered:
            kept.state, kept.answer = "answered", asked.answer_to(kept.external_id)
            kept.answered_by_name, kept.answered_at = settled_by(asked.resolved_by), times.clock_now()
            await write_memory(actor, kept.board, kept.answer, kept.reply_tags, kept.reply_source)
        await kept.save()
    sentence = f"Question {asked.how} on the gateway: {snippet(kept.content)}"
    record("question.ended_on_gateway", kept, sentence, question_id=kept.id, how=asked.how)


async def _take_over(request: GatewayRequest, answer_state: str | None, by: str, how: str) -> None:
    """Store the end of a request on its gateway; the caller holds it."""
    request.answer_state, request.resolved_at = answer_state, times.clock_now()
    request.resolved_by_user_id, request.resolved_by_name = None, settled_by(by)
    await request.save()
    sentence = f"Ended on the gateway: {what_of(request)}."
    record("gateway.request.ended", request.scope(), sentence, **facts_of(request), status=request.status, how=how)


async def close(parts: list[KeptQuestion], asked: AskedQuestion | None) -> None:
    """Close our questions as the gateway keeps them; an answer that it has from us was told before a crash."""
    for part in parts:
        key = key_of(part)[1]
        item = next((one for one in asked.parts if one.id == key), None) if asked is not None else None
        if asked is None:
            await end(part, "gone")
        elif item is not None and part.state == "answered" and asked.answers.get(key) == item.values(*said_in(part)):
            await deliver(part)
        else:
            await end_question(part, asked)


def said_in(question: KeptQuestion) -> tuple[str | None, str | None]:
    labels = {option["id"]: option["label"] for option in question.options or []}
    label = labels.get(question.chosen_option_id)
    words = str(question.answer or "").removeprefix(label or "").strip()
    return label, words or None
