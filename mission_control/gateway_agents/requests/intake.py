"""Bring in what gateways ask, from events and from lists after each connection, and close it as they say."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace

from tortoise.exceptions import IntegrityError

from mission_control.approvals.commands import save_request
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import CHANNEL
from mission_control.boards.attempts import only_run_of
from mission_control.boards.models import Board
from mission_control.core.actor import Actor, system
from mission_control.database.records import insert
from mission_control.database.sql import Row
from mission_control.events import wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import acting_as, record
from mission_control.gateway_agents.requests import settling
from mission_control.gateway_agents.requests.calls import (
    KINDS,
    LISTS,
    Asker,
    asker_of,
    end_of_approval,
    listed,
    question_of,
)
from mission_control.gateway_agents.requests.commands import facts_of, what_of
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.reading import (
    AskedApproval,
    AskedQuestion,
    Ended,
    read_approval,
    read_question,
    read_resolved,
    text,
)
from mission_control.gateways.connections.events import GatewayRef, Handle, Handlers, when_connected
from mission_control.gateways.protocol.errors import GatewayError, Unreachable
from mission_control.gateways.protocol.payload import Payload
from mission_control.questions.commands import ask_people

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
    if await settling.approval_of(gateway, asked.external_id) is not None:
        return False
    if len(await settling.pending_approvals(gateway)) >= MOST_PENDING:
        _log.warning("a gateway asks for more approvals than are kept", extra=_about(gateway, asked.agent_id))
        return False
    asker = await asker_of(gateway, asked.agent_id)
    return await _is_new(keep_approval(system(gateway.organization_id), gateway, asker, asked))


async def _is_new(keeping: Awaitable[None]) -> bool:
    try:
        await keeping
    except IntegrityError:
        return False  # the list and the event came at the same moment
    return True


def _about(gateway: GatewayRef, agent_id: str = "") -> dict[str, str]:
    return {"gateway_id": str(gateway.id)} | ({"gateway_agent_id": agent_id} if agent_id else {})


@command("gateway_request.keep")
async def keep_approval(actor: Actor, gateway: GatewayRef, asker: Asker, asked: AskedApproval) -> None:
    """Store an approval in the name of the agent, once for each id of the gateway."""
    common = {
        "action_type": asked.action_type,
        "payload": asked.payload_of(asker.name),
        "gateway_id": gateway.id,
        "external_id": asked.external_id,
        "expires_at": asked.expires_at,
        "agent_id": asker.id,
    }
    if asker.board is None:
        await _keep_requests([GatewayRequest(**common, **_of(gateway, asker), kind="approval", allows_text=False)])
        return
    run_id = await only_run_of(asker.id)
    approval = Approval(**common, board_id=asker.board.id, confidence=0, run_id=run_id)
    approval.board = asker.board
    with acting_as(_as_actor(asker, asker.board)):
        await save_request(approval, [], {})


def _of(gateway: GatewayRef, asker: Asker) -> Row:
    named = {"gateway_agent_id": asker.gateway_agent_id, "agent_name": asker.name}
    return {"organization_id": gateway.organization_id, **named}


def _as_actor(asker: Asker, board: Board) -> Actor:
    return Actor("agent", asker.id, asker.name, board.organization_id, surface="gateway", board_id=board.id)


async def _keep_requests(requests: list[GatewayRequest]) -> None:
    await insert(*requests)
    for request in requests:
        sentence = f"Brought in: {what_of(request)}."
        record("gateway.request.asked", request.scope(), sentence, **facts_of(request), status="pending")


async def bring_in_questions(gateway: GatewayRef, asked: AskedQuestion) -> bool:
    """Make questions of ours of one that a gateway asks; False when there is nothing new to make.

    One that asks for a secret stays on the gateway, because answers are kept in the board's memory here.
    """
    if asked.status != "pending" or not asked.parts or await settling.parts_of(gateway.id, asked.id):
        return False
    about = _about(gateway, asked.agent_id)
    if asked.is_secret:
        _log.debug("a gateway asks for a secret, which is given on the gateway", extra=about)
        return False
    if len(await settling.open_questions(gateway)) >= MOST_PENDING:
        _log.warning("a gateway asks more questions than are kept", extra=about)
        return False
    asker = await asker_of(gateway, asked.agent_id)
    return await _is_new(keep_questions(system(gateway.organization_id), gateway, asker, asked))


@command("gateway_request.keep")
async def keep_questions(actor: Actor, gateway: GatewayRef, asker: Asker, asked: AskedQuestion) -> None:
    """Ask the questions in the name of the agent, each once."""
    questions = {asked.external_id(part): part.as_question() for part in asked.parts}
    if asker.board is None:
        await _keep_requests(
            [
                GatewayRequest(
                    **_of(gateway, asker),
                    gateway_id=gateway.id,
                    agent_id=asker.id,
                    kind="question",
                    external_id=external_id,
                    content=new.content,
                    options=[option.model_dump() for option in new.options],
                    allows_text=new.allows_text,
                    expires_at=asked.expires_at,
                )
                for external_id, new in questions.items()
            ]
        )
        return
    agent = _as_actor(asker, asker.board)
    for external_id, new in questions.items():
        with acting_as(agent):
            question = await ask_people(agent, asker.board, new)
        question.gateway_id, question.external_id, question.expires_at = gateway.id, external_id, asked.expires_at
        await question.save(update_fields=["gateway_id", "external_id", "expires_at"])


# Seconds before the lists are asked for again; events wait for so long.
PAUSES = (1.0, 5.0)


def approval_requested(kind: str) -> Handle:

    async def bring(gateway: GatewayRef, event: Payload) -> None:
        asked = read_approval(kind, event)
        if asked is not None:
            await bring_in_approval(gateway, asked)

    return bring


async def approval_resolved(gateway: GatewayRef, event: Payload) -> None:
    """Close our approval as the gateway's record says, or as its event does where it keeps no record."""
    external_id = text(event.get("id"), 512)
    approval = await settling.approval_of(gateway, external_id)
    if approval is None or (approval.status != "pending" and approval.answer_state != "waiting"):
        return
    ended = await end_of_approval(gateway.id, external_id)
    if ended is None or ended.status == "gone":
        ended = read_resolved(event)
    by = text(event.get("resolvedBy"), 200)
    await settling.end_approval(approval, replace(ended, by=by or ended.by))


async def question_requested(gateway: GatewayRef, event: Payload) -> None:
    asked = read_question(event)
    if asked is not None:
        await bring_in_questions(gateway, asked)


async def question_resolved(gateway: GatewayRef, event: Payload) -> None:
    """Close our questions as the gateway's record says."""
    parts = await settling.parts_of(gateway.id, text(event.get("id"), 512))
    if any(part.state == "open" or part.answer_state == "waiting" for part in parts):
        await settling.close(parts, await question_of(gateway.id, text(event.get("id"), 512)) or read_question(event))


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


async def _catch_up(gateway: GatewayRef) -> None:
    kinds = {kind: await listed(gateway.id, method) for kind, method in LISTS.items()}
    for kind, waiting in kinds.items():
        for item in waiting or ():
            await _bring_in_listed(gateway, read_approval(kind, item))
    await _end_missing(gateway, kinds)
    await _catch_up_questions(gateway)
    wakeup_channels.channels_notify([CHANNEL])


async def _end_missing(gateway: GatewayRef, kinds: dict[str, list[Payload] | None]) -> None:
    """End our approvals that a gateway no longer lists."""
    for approval in await settling.pending_approvals(gateway):
        there = kinds.get(KINDS.get(approval.action_type or "", ""))
        if there is not None and all(item.get("id") != approval.external_id for item in there):
            ended = await end_of_approval(gateway.id, str(approval.external_id))
            await settling.end_approval(approval, ended or Ended("gone"))


async def _bring_in_listed(gateway: GatewayRef, asked: AskedApproval | None) -> None:
    """Bring in an approval of a list; it may have ended between the list and its arrival here."""
    if asked is None or not await bring_in_approval(gateway, asked):
        return
    ended = await end_of_approval(gateway.id, asked.external_id)
    approval = await settling.approval_of(gateway, asked.external_id)
    if ended is not None and approval is not None:
        await settling.end_approval(approval, ended)


async def _catch_up_questions(gateway: GatewayRef) -> None:
    waiting = await listed(gateway.id, "question.list")
    if waiting is None:
        return
    listed_there = [asked for item in waiting if (asked := read_question(item)) is not None]
    for asked in listed_there:
        await bring_in_questions(gateway, asked)
    ours = {settling.key_of(question)[0] for question in await settling.open_questions(gateway)}
    for request in ours - {asked.id for asked in listed_there}:
        there = await question_of(gateway.id, request)
        if there is None or there.status != "pending":
            await settling.close(await settling.parts_of(gateway.id, request), there)


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
