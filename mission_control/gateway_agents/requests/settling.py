"""What gateways ask as it is kept here, on a board or without one, and its end, as gateways say it."""

from typing import cast

from mission_control.approvals.decisions import save_decision
from mission_control.approvals.models import Approval
from mission_control.boards.attempts import hold_run
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import existing
from mission_control.database.sql import Row, rows
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

type ApprovalRequest = Approval | GatewayRequest
type QuestionRequest = Question | GatewayRequest
type Request = Approval | Question | GatewayRequest

WHY = {
    "cancelled": "The gateway cancelled it: nobody waits for an answer any more.",
    "expired": "Nobody answered before it expired.",
}
GONE = "The gateway does not ask for it any more."


async def approval_of(gateway: GatewayRef, external_id: str) -> ApprovalRequest | None:
    where: Row = {"gateway_id": gateway.id, "external_id": external_id}
    return await Approval.get_or_none(**where) or await GatewayRequest.get_or_none(**where, kind="approval")


async def pending_approvals(gateway: GatewayRef) -> list[ApprovalRequest]:
    waiting = {"gateway_id": gateway.id, "status": "pending"}
    return [*await Approval.filter(**waiting), *await GatewayRequest.filter(**waiting, kind="approval")]


async def open_questions(gateway: GatewayRef) -> list[QuestionRequest]:
    boardless = GatewayRequest.filter(gateway_id=gateway.id, kind="question", status="pending")
    return [*await Question.filter(gateway_id=gateway.id, state="open"), *await boardless]


def key_of(question: Request) -> tuple[str, str]:
    request, _, key = str(question.external_id).partition("#")
    return request, key


async def parts_of(gateway_id: object, external_id: str) -> list[QuestionRequest]:
    begin = "WHERE gateway_id = ? AND substr(external_id, 1, ?) = ?"
    values = (gateway_id, len(external_id) + 1, f"{external_id}#")
    parts: list[QuestionRequest] = []
    if on_boards := await rows(f"SELECT id FROM agent_questions {begin}", *values):
        parts += await Question.filter(id__in=[row["id"] for row in on_boards]).order_by("created_at", "id")
    if others := await rows(f"SELECT id FROM gateway_requests {begin} AND kind = 'question'", *values):
        parts += await GatewayRequest.filter(id__in=[row["id"] for row in others]).order_by("created_at", "id")
    return parts


async def _system_for(request: Request) -> Actor:
    if isinstance(request, GatewayRequest):
        return system(request.organization_id)
    request.board = await Board.get(id=request.board_id)
    return system(request.board.organization_id)


async def _locked[Model: Request](request: Model) -> Model:
    """Lock one until the running command ends, and return it as it is now.

    The task of the run that asked is locked before.
    """
    if not isinstance(request, GatewayRequest):
        await hold_run(request.run_id)
    locked = cast(Model, await existing(type(request).select_for_update().get_or_none(id=request.id)))
    if not isinstance(locked, GatewayRequest) and not isinstance(request, GatewayRequest):
        locked.board = request.board
    return locked


async def end_approval(approval: ApprovalRequest, ended: Ended) -> None:
    """Close an approval as it ended on its gateway, unless that is settled."""
    await settle_approval(await _system_for(approval), approval, ended)


async def end_question(question: QuestionRequest, asked: AskedQuestion) -> None:
    """Close a question as it ended on its gateway, unless that is settled."""
    await settle_question(await _system_for(question), question, asked)


async def end(request: Request, how: str) -> None:
    """End what its gateway was not asked about: `expired`, `cancelled` or `gone`."""
    if isinstance(request, Approval) or (isinstance(request, GatewayRequest) and request.kind == "approval"):
        await end_approval(request, Ended(how))
    else:
        asked = AskedQuestion(key_of(request)[0], "", request.expires_at, [], False, how, {}, "")
        await end_question(request, asked)


async def deliver(request: Request) -> None:
    """Note that the gateway has our answer, or our withdrawal."""
    await note_delivered(await _system_for(request), request)


async def deliver_all(parts: list[QuestionRequest]) -> None:
    """Note it of all questions of a request; those without an answer were cancelled with it."""
    for part in parts:
        await (end(part, "cancelled") if part.state == "open" else deliver(part))


@command("gateway_request.keep")
async def note_delivered(actor: Actor, request: Request) -> None:
    if not await type(request).filter(id=request.id, answer_state="waiting").update(answer_state="sent"):
        return
    if isinstance(request, Approval):
        record("approval.answered", request.scope(), f"Gateway told: {request.action_type}.", **approval_facts(request))
    elif isinstance(request, Question):
        sentence = f"Gateway has the answer: {snippet(request.content)}"
        record("question.delivered", request, sentence, question_id=request.id)
    else:
        sentence = f"Gateway has the answer to: {what_of(request)}."
        record("gateway.request.delivered", request.scope(), sentence, **facts_of(request))


@command("gateway_request.keep")
async def settle_approval(actor: Actor, request: ApprovalRequest, ended: Ended) -> None:
    """Note that the gateway has our answer, or take over what was decided there first."""
    request = await _locked(request)
    was_answered = request.status != "pending"
    if was_answered and request.answer_state != "waiting":
        return
    if was_answered and ended.agrees_with(request.status):
        await note_delivered(actor, request)
        return
    request.status, request.note = ended.decision, ended.note_after(was_answered)
    if isinstance(request, GatewayRequest):
        await _take_over(request, "late" if was_answered else None, ended.by, ended.how)
        return
    request.decision, request.answer_state = ended.decision, "late" if was_answered else None
    request.resolved_by_user_id, request.resolved_by_kind = None, "gateway"
    request.resolved_by_name, request.resolved_at = settled_by(ended.by), times.clock_now()
    request.updated_at = request.resolved_at
    await save_decision(request)
    facts = {**approval_facts(request), "decision": request.decision, "note": request.note, "how": ended.how}
    sentence = f"Approval ended on the gateway: {request.action_type}."
    record("approval.ended_on_gateway", request.scope(), sentence, **facts)


@command("gateway_request.keep")
async def settle_question(actor: Actor, request: QuestionRequest, asked: AskedQuestion) -> None:
    """Note that the gateway has our answer, or take over what was answered there first."""
    request = await _locked(request)
    if request.state != "open" and request.answer_state != "waiting":
        return
    if isinstance(request, GatewayRequest):
        await _take_over_answer(request, asked)
    else:
        await _settle_question_of_board(actor, request, asked)


async def _take_over_answer(request: GatewayRequest, asked: AskedQuestion) -> None:
    answer_state = None if request.state == "open" else "late"
    if asked.status == "answered":
        request.status, request.note = "answered", None
        request.answer, request.chosen_option_id = asked.answer_to(request.external_id), None
    else:
        late = "Our answer came too late. " if request.state == "answered" else ""
        request.status, request.note = "withdrawn", late + WHY.get(asked.status, GONE)
    await _take_over(request, answer_state, asked.resolved_by, asked.how)


async def _settle_question_of_board(actor: Actor, question: Question, asked: AskedQuestion) -> None:
    was_answered, is_answered = question.state == "answered", asked.status == "answered"
    if question.state == "withdrawn" or (was_answered and not is_answered):
        await Question.filter(id=question.id).update(answer_state="late" if was_answered else "sent")
    else:
        question.answer_state = "late" if was_answered else None
        question.state, question.answered_by_user_id, question.chosen_option_id = "withdrawn", None, None
        if is_answered:
            question.state, question.answer = "answered", asked.answer_to(question.external_id)
            question.answered_by_name, question.answered_at = settled_by(asked.resolved_by), times.clock_now()
            await write_memory(actor, question.board, question.answer, question.reply_tags, question.reply_source)
        await question.save()
    sentence = f"Question {asked.how} on the gateway: {snippet(question.content)}"
    record("question.ended_on_gateway", question, sentence, question_id=question.id, how=asked.how)


async def _take_over(request: GatewayRequest, answer_state: str | None, by: str, how: str) -> None:
    """Store the end of a request on its gateway; the caller holds it."""
    request.answer_state, request.resolved_at = answer_state, times.clock_now()
    request.resolved_by_user_id, request.resolved_by_name = None, settled_by(by)
    await request.save()
    sentence = f"Ended on the gateway: {what_of(request)}."
    record("gateway.request.ended", request.scope(), sentence, **facts_of(request), status=request.status, how=how)


async def close(parts: list[QuestionRequest], asked: AskedQuestion | None) -> None:
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


def said_in(question: QuestionRequest) -> tuple[str | None, str | None]:
    labels = {option["id"]: option["label"] for option in question.options or []}
    label = labels.get(question.chosen_option_id)
    words = str(question.answer or "").removeprefix(label or "").strip()
    return label, words or None
