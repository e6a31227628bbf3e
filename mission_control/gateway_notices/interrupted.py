"""After a gateway's restart: send again what the restart interrupted."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, signal
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.policy import Rules
from mission_control.database.sql import rows
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.gateway_notices.arrivals import arrivals
from mission_control.gateways.events import GatewayRef
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.wakes import has_checked_in, wake_again, wake_key

rules = Rules()

LOOK_BACK = timedelta(minutes=15)
READ_SECONDS = 12.0
AT_ONCE = 4
REASON = "The gateway was restarted before the agent took this up."


@rules.rule("gateway.resend_notices")
def may_resend(actor: Actor, gateway_id: UUID) -> bool:
    """Only the system itself."""
    return False


async def resend_interrupted(gateway: GatewayRef) -> None:
    """Put notices back that the gateway had taken and did not finish beginning; to be called once it is connected."""
    found = await rows(
        "SELECT d.id, d.agent_id, a.openclaw_session_id AS session FROM deliveries d JOIN agents a ON a.id = d.agent_id"
        " WHERE a.gateway_id = ? AND a.callback_url IS NULL AND a.openclaw_session_id IS NOT NULL AND d.kind = ?"
        " AND d.state = 'sent' AND d.attempts > 0 AND d.sent_at > ?",
        gateway.id,
        NOTICE,
        clock.now() - LOOK_BACK,
    )
    sessions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        sessions[row["session"]].append(row)
    few = asyncio.Semaphore(AT_ONCE)

    async def looked(session: str) -> list[UUID]:
        try:
            async with few:
                got = await arrivals(gateway.id, session, READ_SECONDS)
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return []
        return [one for row in sessions[session] if got.has_interrupted(one := UUID(str(row["id"])))]

    lost = [one for ids in await asyncio.gather(*map(looked, sessions)) for one in ids]
    if lost:
        await put_back(system(gateway.organization_id), gateway.id, lost)


async def resend_greetings(gateway: GatewayRef) -> None:
    """Wake agents again whose wake the gateway no longer knows; to be called once it is connected."""
    for job in await ProvisioningJob.filter(gateway_id=gateway.id, state="waiting", awaits_check_in=True):
        agent = await Agent.get_or_none(id=job.agent_id)
        if agent is None or has_checked_in(agent):
            continue
        try:
            got = await arrivals(gateway.id, str(agent.openclaw_session_id), READ_SECONDS)
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return
        if got.is_empty or got.has_interrupted(wake_key(job, agent.wake_attempts)):
            await wake_again(system(gateway.organization_id), job.id)


@command("gateway.resend_notices")
async def put_back(actor: Actor, gateway_id: UUID, delivery_ids: list[UUID]) -> None:
    """Let notices be sent once more."""
    again = {"state": "waiting", "due_at": clock.now(), "sent_at": None, "attempts": 0, "last_error": REASON}
    for one in await Delivery.filter(id__in=delivery_ids, state="sent"):
        if await Delivery.filter(id=one.id, state="sent").update(**again):
            signal(actor.organization_id, inbox_of=str(one.agent_id))
    notify(pace.CHANNEL)
