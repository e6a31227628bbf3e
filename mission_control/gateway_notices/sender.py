"""Send notices to agents on gateways: each is a message to the agent's session, in order, and arrives once.

The delivery's id is the message's idempotency key. A gateway forgets keys when it restarts, so before a message is sent
again the session's history is asked for it. An agent with a callback gets its notices there and not here.

What tells an agent to stop ends its turn first: a message to a busy session is read only after the turn.

A gateway that is away, starts or is busy costs no attempt: notices wait for it, however long. Attempts are counted for
refusals, which waiting does not cure, and the last of them gives the notice up.
"""

from collections import Counter
from uuid import UUID

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.delivery.models import Delivery
from mission_control.gateway_notices.arrivals import arrivals
from mission_control.gateway_notices.messages import message_of
from mission_control.gateway_notices.stopping import end_turns_for
from mission_control.gateways import calls, connector
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.models import ProvisioningJob
from mission_control.sending.loop import NotNow, Sender

CALL_SECONDS = 12.0
AT_ONCE = 8  # of one gateway; the loop sends 20 at a time in all
BUSY_SECONDS = 2.0
SETTING_UP_SECONDS = 10.0
OPEN = ("waiting", "running")
# Agents of gateways that were woken or have called, without a callback, whose board is not in the trash.
REACHED = (
    "agent_id IN (SELECT a.id FROM agents a JOIN gateways g ON g.id = a.gateway_id LEFT JOIN boards b ON b.id ="
    " a.board_id WHERE a.openclaw_session_id IS NOT NULL AND a.callback_url IS NULL AND b.deleted_at IS NULL"
    " AND (a.last_seen_at IS NOT NULL OR a.last_wake_sent_at IS NOT NULL) AND g.id IN ({gateways}))"
)

_sending: Counter[UUID] = Counter()


def senders(app: Quart) -> list[Sender]:
    """Return who sends notices to gateways."""
    return [Sender(NOTICE, send_notice, only=_reached, name="gateway", is_able=lambda: bool(_free()))]


def _free() -> list[UUID]:
    """Return the gateways that this process is connected to and that take more messages now."""
    return sorted(one for one in connector.held_here() if _sending[one] < AT_ONCE)


def _reached() -> str:
    return REACHED.format(gateways=", ".join(f"'{one}'" for one in _free()) or "NULL")


async def send_notice(delivery: Delivery) -> None:
    """Send a notice to the session of its agent. Raise NotNow while its gateway or its agent is not there."""
    agent = await Agent.get(id=delivery.agent_id)
    gateway_id = agent.gateway_id
    assert gateway_id is not None  # by the sender's condition
    _sending[gateway_id] += 1
    try:
        await _send(delivery, agent, gateway_id)
    except GatewayError as error:
        await _wait_if_it_helps(agent, error)
        raise
    finally:
        _sending[gateway_id] -= 1
        if not _sending[gateway_id]:
            del _sending[gateway_id]


async def _send(delivery: Delivery, agent: Agent, gateway_id: UUID) -> None:
    key, session = str(delivery.id), str(agent.openclaw_session_id)
    await end_turns_for(delivery, agent, gateway_id, seconds=CALL_SECONDS)
    if delivery.attempts > 1 or delivery.last_error:
        known = await arrivals(gateway_id, session, CALL_SECONDS)
        if known.has(delivery.id):
            return
        key = known.next_key(delivery.id)
    answer = await calls.call(
        gateway_id,
        "chat.send",
        {
            "sessionKey": session,
            "message": message_of(delivery),
            "deliver": bool(delivery.data.get("deliver")),
            "idempotencyKey": key,
        },
        seconds=CALL_SECONDS,
    )
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise GatewayError("RUN_FAILED", str(answer.get("summary") or answer.get("error") or "The gateway refused it."))


async def _wait_if_it_helps(agent: Agent, error: GatewayError) -> None:
    """Raise NotNow for what passes by itself: a gateway that is away or busy, an agent that is being set up."""
    if error.is_retryable:
        raise NotNow(error.message, error.retry_after or BUSY_SECONDS) from error
    if await ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN).exists():
        raise NotNow(f"The agent is being set up. {error.message}", SETTING_UP_SECONDS) from error
