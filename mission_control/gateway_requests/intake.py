"""Bring in what gateways ask: from their events, and from their lists after each connection."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mission_control.approvals.payloads import ACTIONS, CHANNEL
from mission_control.gateway_requests import answers, keeping
from mission_control.gateway_requests.asking import LISTS, end_of_approval, listed, question_of
from mission_control.gateway_requests.reading import Ended, read_approval, read_question, read_resolved, text
from mission_control.gateways.events import GatewayRef, Handle
from mission_control.live import channels
from mission_control.openclaw.errors import GatewayError, Unreachable

_log = logging.getLogger(__name__)

# Seconds before the lists are asked for again; events wait for so long.
PAUSES = (1.0, 5.0)
KINDS = {action: kind for kind, action in ACTIONS.items()}


def approval_requested(kind: str) -> Handle:
    """Return what brings in an approval of a kind when its event comes."""

    async def bring(gateway: GatewayRef, event: Mapping[str, Any]) -> None:
        asked = read_approval(kind, event)
        if asked is not None:
            await keeping.bring_in_approval(gateway, asked)

    return bring


async def approval_resolved(gateway: GatewayRef, event: Mapping[str, Any]) -> None:
    """Close our approval as the gateway's record says, or as its event does where it keeps no record."""
    external_id = text(event.get("id"), 512)
    approval = await keeping.kept(gateway.id, external_id)
    if approval is None or (approval.status != "pending" and approval.answer_state != "waiting"):
        return
    ended = await end_of_approval(gateway.id, external_id)
    if ended is None or ended.status == "gone":
        ended = read_resolved(event)
    by = text(event.get("resolvedBy"), 200)
    await keeping.end_approval(approval, replace(ended, by=by or ended.by))


async def question_requested(gateway: GatewayRef, event: Mapping[str, Any]) -> None:
    """Bring in a question when its event comes."""
    asked = read_question(event)
    if asked is not None:
        await keeping.bring_in_questions(gateway, asked)


async def question_resolved(gateway: GatewayRef, event: Mapping[str, Any]) -> None:
    """Close our questions as the gateway's record says."""
    parts = await keeping.parts_of(gateway.id, text(event.get("id"), 512))
    if any(one.state == "open" or one.answer_state == "waiting" for one in parts):
        said = await question_of(gateway.id, text(event.get("id"), 512)) or event
        await answers.close(parts, read_question(said))


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
            if asked is not None and await keeping.bring_in_approval(gateway, asked):
                await _close_ended(gateway, asked.external_id)
    await _close_approvals(gateway, kinds)
    await _catch_up_questions(gateway)
    channels.notify([CHANNEL])


async def _close_ended(gateway: GatewayRef, external_id: str) -> None:
    """Close an approval whose end was told between the list and its arrival here."""
    ended = await end_of_approval(gateway.id, external_id)
    if ended is not None:
        await keeping.end_approval_of(gateway, external_id, ended)


async def _close_approvals(gateway: GatewayRef, kinds: Mapping[str, list[Mapping[str, Any]] | None]) -> None:
    for approval in await keeping.pending(gateway.id):
        waiting = kinds.get(KINDS.get(approval.action_type or "", ""))
        if waiting is None or any(one.get("id") == approval.external_id for one in waiting):
            continue
        ended = await end_of_approval(gateway.id, str(approval.external_id))
        await keeping.end_approval(approval, ended or Ended("gone"))


async def _catch_up_questions(gateway: GatewayRef) -> None:
    waiting = await listed(gateway.id, "question.list")
    if waiting is None:
        return
    found = [asked for one in waiting if (asked := read_question(one)) is not None]
    for asked in found:
        await keeping.bring_in_questions(gateway, asked)
    known = {asked.id for asked in found}
    ours = await keeping.open_questions(gateway.id)
    for request in {answers.key_of(one)[0] for one in ours} - known:
        said = await question_of(gateway.id, request)
        asked_there = read_question(said) if said is not None else None
        if asked_there is None or asked_there.status != "pending":
            await answers.close(await keeping.parts_of(gateway.id, request), asked_there)
