"""Received calls: check them, store them, notify the board."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.agents.queries import agents_to_notify
from mission_control.agents.reactions import NOTICE
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Gone, NotFound
from mission_control.core.ids import new_id
from mission_control.core.json import to_json
from mission_control.core.limits import FailureLimit
from mission_control.core.secrets import decrypt
from mission_control.http.proxies import rate_limit_key
from mission_control.memory.commands import write_memory
from mission_control.webhooks.commands import locked_webhook, require_signatures
from mission_control.webhooks.models import Webhook, WebhookPayload
from mission_control.webhooks.queries import payload_read
from mission_control.webhooks.received import decoded, is_signed, kept_headers
from mission_control.webhooks.texts import memory_text, notice_text

calls = FailureLimit(60, 60.0)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a webhook."""

    body: bytes
    headers: list[tuple[str, str]]
    content_type: str | None
    source_ip: str


async def listening_webhook(board_id: UUID, webhook_id: UUID, source_ip: str) -> Webhook:
    """Return the webhook at an address. Raises Gone when it is off, and an error over the caller's rate limit."""
    board = await Board.get_or_none(id=board_id, deleted_at=None)
    if board is None:
        raise NotFound()
    key = rate_limit_key(source_ip)
    calls.check(key)
    calls.failed(key)
    webhook = await Webhook.get_or_none(id=webhook_id, board_id=board.id)
    if webhook is None:
        raise NotFound()
    if not webhook.enabled:
        raise Gone("This webhook is switched off.")
    webhook.board = board
    return webhook


def check_signature(webhook: Webhook, call: Call, key: str) -> bool:
    """Return whether the call is signed with the webhook's secret. Raises Forbidden when it must be and is not."""
    if webhook.secret is None:
        return False
    headers = {name.lower(): value for name, value in call.headers}
    configured = (webhook.signature_header or "").lower() or None
    signed = is_signed(call.body, decrypt(webhook.secret, key), headers, configured)
    if signed is None and not webhook.takes_unsigned:
        raise Forbidden("The signature is missing.")
    if not signed and not webhook.takes_unsigned:
        raise Forbidden("The signature is invalid.")
    return bool(signed)


@command("webhook.receive")
async def receive(actor: Actor, webhook: Webhook, call: Call, *, is_signed: bool = False) -> WebhookPayload:
    """Store a call, write it into the board's memory and notify the responsible agent."""
    return await _receive(actor, webhook, call, is_signed=is_signed)


@command("webhook.test")
async def send_test(actor: Actor, webhook: Webhook, call: Call) -> WebhookPayload:
    """Do with a call of the actor's own what is done with one from outside. Raises Conflict for one that is off."""
    if not webhook.enabled:
        raise Conflict("This webhook is switched off. Switch it on to test it.")
    return await _receive(actor, webhook, call, is_signed=None)


async def _receive(actor: Actor, webhook: Webhook, call: Call, *, is_signed: bool | None) -> WebhookPayload:
    board = await locked_board(webhook.board)
    webhook = await locked_webhook(webhook)
    if is_signed and webhook.takes_unsigned:
        await require_signatures(webhook)
    content = decoded(call.body, call.content_type)
    payload = WebhookPayload(
        id=new_id(),
        board_id=board.id,
        webhook_id=webhook.id,
        headers=kept_headers(call.headers, webhook.signature_header),
        source_ip=call.source_ip,
        content_type=call.content_type,
        is_signed=is_signed,
        is_test=is_signed is None,
        received_at=clock.now(),
    )
    payload.payload = to_json(content).decode()  # encoded here: the field would store a plain text as JSON
    await payload.save(force_create=True)
    tags = ["webhook", f"webhook:{webhook.id}", f"payload:{payload.id}"]
    await write_memory(actor, board, memory_text(webhook, payload, content), tags, "webhook")
    agent_id = await _recipient(webhook)
    ending = "." if agent_id else "; the board has nobody to notify."
    what = "a test" if payload.is_test else "something"
    message = f"Webhook received {what}: {webhook.description.rstrip('.')}{ending}"
    record("webhook.received", webhook, message, payload_id=payload.id, told_agent_id=agent_id)
    if agent_id is not None:
        _notify(board, webhook, payload, content, agent_id)
    return payload


@command("webhook.replay")
async def replay(actor: Actor, payload: WebhookPayload) -> UUID:
    """Notify an agent of a payload again and return the agent's id. Raises Conflict without an agent to notify."""
    webhook = await locked_webhook(payload.webhook)
    agent_id = await _recipient(webhook)
    if agent_id is None:
        raise Conflict("The webhook has no agent and the board has no lead, so nobody can be notified.")
    stored = await payload_read(payload.id)
    message = f"Webhook payload sent again: {webhook.description}"
    record("webhook.replayed", webhook, message, payload_id=payload.id, told_agent_id=agent_id)
    _notify(payload.board, webhook, payload, stored["payload"], agent_id)
    return agent_id


async def _recipient(webhook: Webhook) -> UUID | None:
    """Return the webhook's agent while it is on the board and can be reached, else the lead."""
    agents = await agents_to_notify([webhook.board_id])
    chosen = [one for one in agents if one.id == webhook.agent_id] or [one for one in agents if one.is_board_lead]
    return chosen[0].id if chosen else None


def _notify(board: Board, webhook: Webhook, payload: WebhookPayload, content: Any, agent_id: UUID) -> None:
    deliver(
        NOTICE,
        webhook.scope(),
        agent_id=agent_id,
        header="WEBHOOK EVENT RECEIVED",
        text=notice_text(board, webhook, payload, content),
        webhook_id=str(webhook.id),
        payload_id=str(payload.id),
        succeeded="webhook.notified",
        failed="webhook.notify_failed",
    )
