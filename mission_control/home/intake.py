"""Bring in what gateways ask, from events and from lists after each connection, and close it as they say."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.approvals.commands import save_request
from mission_control.approvals.decisions import locked_approval, save_decision
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import ACTIONS, CHANNEL
from mission_control.boards.attempts import only_run_of
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import rows
from mission_control.gateways.errors import GatewayError, Unreachable
from mission_control.gateways.events import GatewayRef, Handle, Handlers, when_connected
from mission_control.home import answers, boardless
from mission_control.home.asking import LISTS, Asker, asker_of, boardless_asker, end_of_approval, listed, question_of
from mission_control.home.gateway_request_reading import (
    AskedApproval,
    AskedQuestion,
    Ended,
    read_approval,
    read_question,
    read_resolved,
    settled_by,
    text,
)
from mission_control.home.models import GatewayRequest, Question
from mission_control.home.question_commands import ask_people, snippet
from mission_control.knowledge.memory_commands import write_memory
from mission_control.log import channels
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import acting_as, record

EVENTS = (
    Kind("approval.ended_on_gateway", "A gateway's approval was decided there, expired, or was cancelled."),
    Kind("approval.answered", "A gateway got the decision about what it had asked for."),
    Kind(
        "question.ended_on_gateway",
        "A question of a gateway was answered there, expired, or was cancelled.",
        "closed, as its gateway did:",
    ),
    Kind("question.delivered", "A gateway got the answer to its question.", "told the gateway the answer to:"),
)

# What a gateway asks for beyond that stays there, so that one that runs wild fills nobody's queue.
MOST_PENDING = 500

_log = logging.getLogger(__name__)


async def bring_in_approval(gateway: GatewayRef, asked: AskedApproval) -> bool:
    """Make an approval of ours of one that a gateway asks for; False when there is nothing new to make."""
    if await kept(gateway.id, asked.external_id) is not None:
        return False
    if len(await pending(gateway.id)) >= MOST_PENDING:
        about = {"gateway_id": str(gateway.id), "gateway_agent_id": asked.agent_id}
        _log.warning("a gateway asks for more approvals than are kept", extra=about)
        return False
    actor, asker = system(gateway.organization_id), await asker_of(gateway, asked.agent_id)
    if asker is None:
        unplaced = await boardless_asker(gateway, asked.agent_id)
        return await boardless.keep_requests(actor, [boardless.approval_of(gateway, unplaced, asked)])
    return await keep_approval(actor, gateway, asker, asked)


async def kept(gateway_id: UUID, external_id: str) -> Approval | GatewayRequest | None:
    """Return our approval of a gateway's id, on a board or without one."""
    on_board = await Approval.get_or_none(gateway_id=gateway_id, external_id=external_id)
    return on_board or await GatewayRequest.get_or_none(gateway_id=gateway_id, external_id=external_id, kind="approval")


async def pending(gateway_id: UUID) -> list[Approval | GatewayRequest]:
    """Return our approvals that wait for a decision, of a gateway."""
    waiting = {"gateway_id": gateway_id, "status": "pending"}
    return [*await Approval.filter(**waiting), *await GatewayRequest.filter(**waiting, kind="approval")]


@command("gateway_request.keep")
async def keep_approval(actor: Actor, gateway: GatewayRef, asker: Asker, asked: AskedApproval) -> bool:
    """Store an approval in the name of the agent, once for each id of the gateway."""
    approval = Approval(
        board_id=asker.board.id,
        agent_id=asker.id,
        action_type=asked.action_type,
        payload=asked.payload_of(asker.name),
        confidence=0,
        gateway_id=gateway.id,
        external_id=asked.external_id,
        expires_at=asked.expires_at,
        run_id=await only_run_of(asker.id),
    )
    approval.board = asker.board
    try:
        async with in_transaction():
            with acting_as(asker.actor):
                await save_request(approval, [], {})
    except IntegrityError:
        return False  # the list and the event came at the same moment
    return True


async def end_approval_of(gateway: GatewayRef, external_id: str, ended: Ended) -> None:
    approval = await kept(gateway.id, external_id)
    if approval is not None:
        await end_approval(approval, ended)


async def end_approval(approval: Approval | GatewayRequest, ended: Ended) -> None:
    """Close an approval as it ended on its gateway, unless that is settled."""
    if isinstance(approval, GatewayRequest):
        await boardless.settle_approval(system(approval.organization_id), approval, ended)
        return
    approval.board = await Board.get(id=approval.board_id)
    await settle_approval(system(approval.board.organization_id), approval, ended)


@command("gateway_request.keep")
async def settle_approval(actor: Actor, approval: Approval, ended: Ended) -> None:
    """Note that the gateway has our answer, or take over what was decided there first."""
    approval = await locked_approval(approval)
    if approval.status != "pending" and approval.answer_state != "waiting":
        return
    if approval.status != "pending" and ended.agrees_with(approval.status):
        await Approval.filter(id=approval.id).update(answer_state="sent")
        record("approval.answered", approval.scope(), _sentence("Gateway told", approval), **_facts(approval))
        return
    was_answered = approval.status != "pending"
    approval.status, approval.decision, approval.note = ended.decision, ended.decision, ended.note_after(was_answered)
    approval.resolved_by_user_id, approval.resolved_by_kind = None, "gateway"
    approval.resolved_by_name = settled_by(ended.by)
    approval.resolved_at = approval.updated_at = times.clock_now()
    approval.answer_state = "late" if was_answered else None
    await save_decision(approval)
    facts = {**_facts(approval), "decision": approval.decision, "note": approval.note, "how": ended.how}
    record("approval.ended_on_gateway", approval.scope(), _sentence("Approval ended on the gateway", approval), **facts)


def _facts(approval: Approval) -> dict[str, Any]:
    named = {"agent_id": approval.agent_id, "approval_id": approval.id, "action_type": approval.action_type}
    return {**named, "task_ids": []}


def _sentence(what: str, approval: Approval) -> str:
    return f"{what}: {approval.action_type}."


type Kept = Question | GatewayRequest


async def parts_of(gateway_id: UUID, external_id: str) -> list[Kept]:
    """Return our questions of one request of a gateway, on a board or without one."""
    begin = "WHERE gateway_id = ? AND substr(external_id, 1, ?) = ?"
    values = (gateway_id, len(external_id) + 1, f"{external_id}#")
    asked = await rows(f"SELECT id FROM agent_questions {begin}", *values)
    strange = await rows(f"SELECT id FROM gateway_requests {begin} AND kind = 'question'", *values)
    found: list[Kept] = []
    if asked:
        found += await Question.filter(id__in=[row["id"] for row in asked]).order_by("created_at", "id")
    if strange:
        found += await GatewayRequest.filter(id__in=[row["id"] for row in strange]).order_by("created_at", "id")
    return found


async def open_questions(gateway_id: UUID) -> list[Kept]:
    """Return our questions that wait for an answer, of a gateway."""
    strange = GatewayRequest.filter(gateway_id=gateway_id, kind="question", status="pending")
    return [*await Question.filter(gateway_id=gateway_id, state="open"), *await strange]


async def bring_in_questions(gateway: GatewayRef, asked: AskedQuestion) -> bool:
    """Make questions of ours of one that a gateway asks; False when there is nothing new to make.

    One that asks for a secret stays on the gateway, because answers are kept in the board's memory here.
    """
    if asked.status != "pending" or not asked.parts or await parts_of(gateway.id, asked.id):
        return False
    about = {"gateway_id": str(gateway.id), "gateway_agent_id": asked.agent_id}
    if asked.is_secret:
        _log.debug("a gateway asks for a secret, which is given on the gateway", extra=about)
        return False
    if len(await open_questions(gateway.id)) >= MOST_PENDING:
        _log.warning("a gateway asks more questions than are kept", extra=about)
        return False
    actor, asker = system(gateway.organization_id), await asker_of(gateway, asked.agent_id)
    if asker is None:
        unplaced = await boardless_asker(gateway, asked.agent_id)
        return await boardless.keep_requests(actor, boardless.questions_of(gateway, unplaced, asked))
    try:
        await keep_questions(actor, gateway, asker, asked)
    except IntegrityError:
        return False  # the list and the event came at the same moment
    return True


@command("gateway_request.keep")
async def keep_questions(actor: Actor, gateway: GatewayRef, asker: Asker, asked: AskedQuestion) -> None:
    """Ask the questions in the name of the agent, each once."""
    for part in asked.parts:
        with acting_as(asker.actor):
            question = await ask_people(asker.actor, asker.board, part.as_question())
        question.gateway_id, question.external_id = gateway.id, asked.external_id(part)
        question.expires_at = asked.expires_at
        await question.save(update_fields=["gateway_id", "external_id", "expires_at"])


async def end_question(question: Kept, asked: AskedQuestion) -> None:
    """Close a question as it ended on its gateway, unless that is settled."""
    if isinstance(question, GatewayRequest):
        await boardless.settle_question(system(question.organization_id), question, asked)
        return
    question.board = await Board.get(id=question.board_id)
    await settle_question(system(question.board.organization_id), question, asked)


@command("gateway_request.keep")
async def settle_question(actor: Actor, question: Question, asked: AskedQuestion) -> None:
    """Note that the gateway has our answer, or take over what was answered there first."""
    board, question = question.board, await Question.select_for_update().get(id=question.id)
    question.board = board
    if question.state != "open" and question.answer_state != "waiting":
        return
    if question.state == "withdrawn" or (question.state == "answered" and asked.status != "answered"):
        await Question.filter(id=question.id).update(answer_state="late" if question.state == "answered" else "sent")
    else:
        await _take_over(actor, question, asked)
    sentence = f"Question {asked.how} on the gateway: {snippet(question.content)}"
    record("question.ended_on_gateway", question, sentence, question_id=question.id, how=asked.how)


async def _take_over(actor: Actor, question: Question, asked: AskedQuestion) -> None:
    """Store the end of a question on its gateway; the caller holds it."""
    question.answer_state = "late" if question.state == "answered" else None
    question.state, question.answered_by_user_id, question.chosen_option_id = "withdrawn", None, None
    if asked.status == "answered":
        question.state, question.answer = "answered", asked.answer_to(question.external_id)
        question.answered_by_name = settled_by(asked.resolved_by)
        question.answered_at = times.clock_now()
        await write_memory(actor, question.board, question.answer, question.reply_tags, question.reply_source)
    await question.save()


@command("gateway_request.keep")
async def note_answered(actor: Actor, question: Question) -> None:
    """Note that the gateway has our answer."""
    question.board = await Board.get(id=question.board_id)
    if await Question.filter(id=question.id, answer_state="waiting").update(answer_state="sent"):
        what = f"Gateway has the answer: {snippet(question.content)}"
        record("question.delivered", question, what, question_id=question.id)


# Seconds before the lists are asked for again; events wait for so long.
PAUSES = (1.0, 5.0)
KINDS = {action: kind for kind, action in ACTIONS.items()}


def approval_requested(kind: str) -> Handle:
    """Return what brings in an approval of a kind when its event comes."""

    async def bring(gateway: GatewayRef, event: Mapping[str, object]) -> None:
        asked = read_approval(kind, event)
        if asked is not None:
            await bring_in_approval(gateway, asked)

    return bring


async def approval_resolved(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    """Close our approval as the gateway's record says, or as its event does where it keeps no record."""
    external_id = text(event.get("id"), 512)
    approval = await kept(gateway.id, external_id)
    if approval is None or (approval.status != "pending" and approval.answer_state != "waiting"):
        return
    ended = await end_of_approval(gateway.id, external_id)
    if ended is None or ended.status == "gone":
        ended = read_resolved(event)
    by = text(event.get("resolvedBy"), 200)
    await end_approval(approval, replace(ended, by=by or ended.by))


async def question_requested(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    """Bring in a question when its event comes."""
    asked = read_question(event)
    if asked is not None:
        await bring_in_questions(gateway, asked)


async def question_resolved(gateway: GatewayRef, event: Mapping[str, object]) -> None:
    """Close our questions as the gateway's record says."""
    parts = await parts_of(gateway.id, text(event.get("id"), 512))
    if any(one.state == "open" or one.answer_state == "waiting" for one in parts):
        said = await question_of(gateway.id, text(event.get("id"), 512)) or event
        await answers.close(parts, read_question(said))


@when_connected
async def catch_up(gateway: GatewayRef) -> None:
    """After a connection: bring in what waits on the gateway, and close what ended there since.

    A connection that is lost on the way is followed by another one, after which this begins anew. What the gateway
    refuses or does not answer is asked again after a while.
    """
    for pause in (*PAUSES, None):
        try:
            await _catch_up(gateway)
        except GatewayError as error:
            if isinstance(error, Unreachable) and error.code != "TIMEOUT":
                _log.info("a gateway went away while it said what waits: %s", error, extra=_about(gateway))
                return
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


def _about(gateway: GatewayRef) -> dict[str, str]:
    return {"gateway_id": str(gateway.id)}


async def _catch_up(gateway: GatewayRef) -> None:
    kinds = {kind: await listed(gateway.id, method) for kind, method in LISTS.items()}
    for kind, waiting in kinds.items():
        for one in waiting or ():
            asked = read_approval(kind, one)
            if asked is not None and await bring_in_approval(gateway, asked):
                await _close_ended(gateway, asked.external_id)
    await _close_approvals(gateway, kinds)
    await _catch_up_questions(gateway)
    channels.channels_notify([CHANNEL])


async def _close_ended(gateway: GatewayRef, external_id: str) -> None:
    """Close an approval whose end was told between the list and its arrival here."""
    ended = await end_of_approval(gateway.id, external_id)
    if ended is not None:
        await end_approval_of(gateway, external_id, ended)


async def _close_approvals(gateway: GatewayRef, kinds: Mapping[str, list[Mapping[str, object]] | None]) -> None:
    for approval in await pending(gateway.id):
        waiting = kinds.get(KINDS.get(approval.action_type or "", ""))
        if waiting is None or any(one.get("id") == approval.external_id for one in waiting):
            continue
        ended = await end_of_approval(gateway.id, str(approval.external_id))
        await end_approval(approval, ended or Ended("gone"))


async def _catch_up_questions(gateway: GatewayRef) -> None:
    waiting = await listed(gateway.id, "question.list")
    if waiting is None:
        return
    found = [asked for one in waiting if (asked := read_question(one)) is not None]
    for asked in found:
        await bring_in_questions(gateway, asked)
    known = {asked.id for asked in found}
    ours = await open_questions(gateway.id)
    for request in {answers.key_of(one)[0] for one in ours} - known:
        said = await question_of(gateway.id, request)
        asked_there = read_question(said) if said is not None else None
        if asked_there is None or asked_there.status != "pending":
            await answers.close(await parts_of(gateway.id, request), asked_there)


HANDLERS = Handlers(
    {
        "exec.approval.requested": approval_requested("exec"),
        "plugin.approval.requested": approval_requested("plugin"),
        "openclaw.approval.requested": approval_requested("system-agent"),
        "exec.approval.resolved": approval_resolved,
        "plugin.approval.resolved": approval_resolved,
        "openclaw.approval.resolved": approval_resolved,
        "question.requested": question_requested,
        "question.resolved": question_resolved,
    }
)
