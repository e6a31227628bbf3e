"""Commands on questions of gateways: bring them in, and close them as the gateway says."""

import logging
from uuid import UUID

from tortoise.exceptions import IntegrityError

from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import acting_as, record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.database.sql import rows
from mission_control.gateway_requests import boardless
from mission_control.gateway_requests.approvals import MOST_PENDING
from mission_control.gateway_requests.asked_questions import AskedQuestion
from mission_control.gateway_requests.askers import Asker, asker_of, boardless_asker
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateways.events import GatewayRef
from mission_control.memory.commands import write_memory
from mission_control.questions.commands import ask_people, snippet
from mission_control.questions.models import Question

_log = logging.getLogger(__name__)

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


async def bring_in(gateway: GatewayRef, asked: AskedQuestion) -> bool:
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
    asker = await asker_of(gateway, asked.agent_id)
    if asker is None:
        unplaced = await boardless_asker(gateway, asked.agent_id)
        return await boardless.bring_in(gateway, boardless.questions_of(gateway, unplaced, asked))
    try:
        await keep_questions(system(gateway.organization_id), gateway, asker, asked)
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


async def end(question: Kept, asked: AskedQuestion) -> None:
    """Close a question as it ended on its gateway, unless that is settled."""
    if isinstance(question, GatewayRequest):
        await boardless.end_question(question, asked)
        return
    question.board = await Board.get(id=question.board_id)
    await settle(system(question.board.organization_id), question, asked)


@command("gateway_request.keep")
async def settle(actor: Actor, question: Question, asked: AskedQuestion) -> None:
    """Note that the gateway has our answer, or take over what was answered there first."""
    board, question = question.board, await Question.select_for_update().get(id=question.id)
    question.board = board
    if question.state != "open" and question.answer_state != "waiting":
        return
    if question.state == "withdrawn" or (question.state == "answered" and asked.status != "answered"):
        await Question.filter(id=question.id).update(answer_state="late" if question.state == "answered" else "sent")
    else:
        await _take_over(actor, question, asked)
    how = boardless.ENDED.get(asked.status, "ended")
    record(
        "question.ended_on_gateway",
        question,
        f"Question {how} on the gateway: {snippet(question.content)}",
        question_id=question.id,
        how=how,
    )


async def _take_over(actor: Actor, question: Question, asked: AskedQuestion) -> None:
    """Store the end of a question on its gateway; the caller holds it."""
    question.answer_state = "late" if question.state == "answered" else None
    question.state, question.answered_by_user_id, question.chosen_option_id = "withdrawn", None, None
    if asked.status == "answered":
        values = asked.answers.get(str(question.external_id).partition("#")[2], [])
        question.state, question.answer = "answered", ", ".join(values) or "(no text)"
        question.answered_by_name = f"{asked.resolved_by} on the gateway" if asked.resolved_by else "The gateway"
        question.answered_at = clock.now()
        await write_memory(actor, question.board, question.answer, question.reply_tags, question.reply_source)
    await question.save()


@command("gateway_request.keep")
async def note_answered(actor: Actor, question: Question) -> None:
    """Note that the gateway has our answer."""
    question.board = await Board.get(id=question.board_id)
    if await Question.filter(id=question.id, answer_state="waiting").update(answer_state="sent"):
        what = f"Gateway has the answer: {snippet(question.content)}"
        record("question.delivered", question, what, question_id=question.id)
