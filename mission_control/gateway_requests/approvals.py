"""Commands on approvals of gateways: bring them in, and close them as the gateway says."""

import logging
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.approvals.decisions import locked_approval, save_decision
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import acting_as, record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.database.records import insert
from mission_control.gateway_requests import boardless
from mission_control.gateway_requests.askers import Asker, asker_of, boardless_asker
from mission_control.gateway_requests.models import GatewayRequest
from mission_control.gateway_requests.reading import AskedApproval, Ended
from mission_control.gateways.events import GatewayRef
from mission_control.runs.attempts import only_run_of

# What a gateway asks for beyond that stays there, so that one that runs wild fills nobody's queue.
MOST_PENDING = 500

_log = logging.getLogger(__name__)


async def bring_in(gateway: GatewayRef, asked: AskedApproval) -> bool:
    """Make an approval of ours of one that a gateway asks for; False when there is nothing new to make."""
    if await kept(gateway.id, asked.external_id) is not None:
        return False
    if len(await pending(gateway.id)) >= MOST_PENDING:
        about = {"gateway_id": str(gateway.id), "gateway_agent_id": asked.agent_id}
        _log.warning("a gateway asks for more approvals than are kept", extra=about)
        return False
    asker = await asker_of(gateway, asked.agent_id)
    if asker is None:
        unplaced = await boardless_asker(gateway, asked.agent_id)
        return await boardless.bring_in(gateway, [boardless.approval_of(gateway, unplaced, asked)])
    return await keep_approval(system(gateway.organization_id), gateway, asker, asked)


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
    what = "run a command" if asked.kind == "exec" else "do something that its gateway asks about"
    approval = Approval(
        board_id=asker.board.id,
        agent_id=asker.id,
        action_type=asked.action_type,
        payload={"reason": f"{asker.name} wants to {what}.", **asked.payload},
        confidence=0,
        gateway_id=gateway.id,
        external_id=asked.external_id,
        expires_at=asked.expires_at,
        run_id=await only_run_of(asker.id),
    )
    approval.board = asker.board
    try:
        async with in_transaction():
            await insert(approval)
    except IntegrityError:
        return False  # the list and the event came at the same moment
    with acting_as(asker.actor):
        record(
            "approval.requested",
            approval.scope(),
            f"Approval requested: {approval.action_type}.",
            agent_id=asker.id,
            approval_id=approval.id,
            action_type=approval.action_type,
            task_ids=[],
            status="pending",
        )
    return True


async def end(gateway: GatewayRef, external_id: str, ended: Ended) -> None:
    """Close the approval with this id as it ended on its gateway."""
    approval = await kept(gateway.id, external_id)
    if approval is not None:
        await end_approval(approval, ended)


async def end_approval(approval: Approval | GatewayRequest, ended: Ended) -> None:
    """Close an approval as it ended on its gateway, unless that is settled."""
    if isinstance(approval, GatewayRequest):
        await boardless.end_approval(approval, ended)
        return
    approval.board = await Board.get(id=approval.board_id)
    await settle(system(approval.board.organization_id), approval, ended)


@command("gateway_request.keep")
async def settle(actor: Actor, approval: Approval, ended: Ended) -> None:
    """Note that the gateway has our answer, or take over what was decided there first."""
    approval = await locked_approval(approval)
    if approval.status != "pending" and approval.answer_state != "waiting":
        return
    if approval.status != "pending" and ended.agrees_with(approval.status):
        await Approval.filter(id=approval.id).update(answer_state="sent")
        record("approval.answered", approval.scope(), _sentence("Gateway told", approval), **_facts(approval))
        return
    was_answered = approval.status != "pending"
    approval.status, approval.decision, approval.note = ended.decision, ended.decision, ended.note
    if was_answered and ended.status in ("allowed", "denied"):
        approval.note = "It was decided on the gateway before our answer arrived."
    elif was_answered:
        approval.note = f"Our answer came too late. {ended.note}"
    approval.resolved_by_user_id, approval.resolved_by_kind = None, "gateway"
    approval.resolved_by_name = f"{ended.by} on the gateway" if ended.by else "The gateway"
    approval.resolved_at = approval.updated_at = clock.now()
    approval.answer_state = "late" if was_answered else None
    await save_decision(approval)
    facts = {**_facts(approval), "decision": approval.decision, "note": approval.note, "how": ended.how}
    record("approval.ended_on_gateway", approval.scope(), _sentence("Approval ended on the gateway", approval), **facts)


def _facts(approval: Approval) -> dict[str, Any]:
    named = {"agent_id": approval.agent_id, "approval_id": approval.id, "action_type": approval.action_type}
    return {**named, "task_ids": []}


def _sentence(what: str, approval: Approval) -> str:
    return f"{what}: {approval.action_type}."
