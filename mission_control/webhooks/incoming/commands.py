"""Webhooks as people change them, and received calls: checked, stored, and agents notified of them."""

import json
from dataclasses import dataclass
from urllib.parse import parse_qs
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import agents_to_notify
from mission_control.agents.reactions import NOTICE
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Gone, Invalid, existing
from mission_control.core.limits import FailureLimit
from mission_control.core.secrets import decrypt, encrypt
from mission_control.core.values import JsonObject, new_id, new_secret, to_json
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import deliver, record
from mission_control.http.proxies import rate_limit_key
from mission_control.memory.commands import write_memory
from mission_control.webhooks.forges.calls import take
from mission_control.webhooks.forges.providers import EVENT_HEADERS, new_forge_secret
from mission_control.webhooks.incoming.calls import (
    ADVICE,
    BEGIN,
    END,
    LONGEST_PREVIEW,
    clean,
    decoded,
    is_signed,
    kept_headers,
    neutralize_markers,
)
from mission_control.webhooks.incoming.queries import (
    BoardWebhookCreate,
    BoardWebhookUpdate,
    endpoint_path,
    payload_read,
)
from mission_control.webhooks.models import Webhook, WebhookPayload

WORDS = Notices({"WEBHOOK EVENT RECEIVED": "webhook"})

EVENTS = (
    Kind.named(
        "webhook.created", "A webhook was created, by which other systems write to a board.", "made the webhook"
    ),
    Kind.named("webhook.updated", "A webhook's fields or its secret changed.", "changed the webhook"),
    Kind.named("webhook.secret_rotated", "A webhook got a new random secret.", "changed the secret of the webhook"),
    Kind.named("webhook.deleted", "A webhook was deleted with what it had received.", "deleted the webhook"),
    Kind.named(
        "webhook.received",
        "A webhook received a call; its payload is in the board's memory.",
        "took a call of the webhook",
    ),
    Kind.named(
        "webhook.replayed", "A person had an agent notified of a payload again.", "sent again what came by the webhook"
    ),
    Kind.named("webhook.notified", "An agent received the notice of a payload."),
    Kind.named("webhook.notify_failed", "The notice of a payload was given up."),
)


@command("webhook.create")
async def create_webhook(actor: Actor, board: Board, new: BoardWebhookCreate, key: str) -> tuple[Webhook, str | None]:
    """Create a webhook. Return its random secret, unless the caller chose a secret or none (null).

    Clients that know nothing of secrets cannot pass one on, so unsigned calls are accepted
    until one is signed with the random secret. Raises Invalid for an agent of another board.
    """
    await _check_agent(board.id, new.agent_id)
    webhook = Webhook(board_id=board.id, **new.model_dump(exclude={"secret"}))
    chosen = "secret" in new.model_fields_set
    secret = new.secret if chosen else _new_secret(webhook)
    _check_forge(webhook, secret)
    webhook.secret = _sealed(secret, key)
    webhook.takes_unsigned = not chosen and webhook.forge is None
    webhook.board = board
    await webhook.save(force_create=True)
    record("webhook.created", webhook, f"Webhook created: {webhook.description}", **_visible_fields(webhook))
    return webhook, None if chosen else secret


_UNSIGNED = object()  # no secret at all: any that is sent is another


@command("webhook.update")
async def update_webhook(actor: Actor, webhook: Webhook, change: BoardWebhookUpdate, key: str) -> Webhook:
    """Change the fields that were sent. Setting a field to its current value is a no-op."""
    sent = change.model_dump(exclude_unset=True)
    await _check_agent(webhook.board_id, sent.get("agent_id"))
    webhook = await locked_webhook(webhook)
    secret = None if webhook.secret is None else decrypt(webhook.secret, key)
    before = _visible_fields(webhook)
    stored = {name: getattr(webhook, name) for name in sent} | {
        "secret": _UNSIGNED if webhook.takes_unsigned else secret
    }
    changes = {name: value for name, value in sent.items() if stored[name] != value}
    if not changes:
        return webhook
    if "repository" in changes and None in (webhook.forge, changes["repository"]):
        raise Invalid("repository belongs to a forge, which needs one.")
    _check_forge(webhook, changes.get("secret", secret))
    has_new_secret = changes.get("secret") is not None
    if "secret" in changes:
        changes |= {"secret": _sealed(sent["secret"], key), "takes_unsigned": False}
    webhook.update_from_dict(changes)
    webhook.updated_at = times.clock_now()
    await webhook.save(update_fields=[*changes, "updated_at"])
    _record_update(webhook, before, has_new_secret=has_new_secret)
    return webhook


def _record_update(webhook: Webhook, before: JsonObject, *, has_new_secret: bool) -> None:
    after = _visible_fields(webhook)
    changed = [name for name in after if after[name] != before[name]]
    record(
        "webhook.updated",
        webhook,
        f"Webhook changed: {webhook.description}",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        has_new_secret=has_new_secret,
    )


@command("webhook.rotate_secret")
async def rotate_secret(actor: Actor, webhook: Webhook, key: str) -> str:
    """Give a webhook a new random secret and return it. It replaces the old one at once."""
    webhook = await locked_webhook(webhook)
    secret = _new_secret(webhook)
    webhook.secret, webhook.takes_unsigned, webhook.updated_at = encrypt(secret, key), False, times.clock_now()
    await webhook.save(update_fields=["secret", "takes_unsigned", "updated_at"])
    record("webhook.secret_rotated", webhook, f"Secret of a webhook changed: {webhook.description}")
    return secret


@command("webhook.delete")
async def delete_webhook(actor: Actor, webhook: Webhook) -> None:
    """Delete a webhook with its payloads. Waiting notices about it are dropped; memory entries stay."""
    webhook = await locked_webhook(webhook)
    waiting = await Delivery.filter(board_id=webhook.board_id, state="waiting").only("id", "data")
    dropped = [one.id for one in waiting if one.data.get("webhook_id") == str(webhook.id)]
    await Delivery.filter(id__in=dropped).delete()
    await webhook.delete()
    record("webhook.deleted", webhook, f"Webhook deleted: {webhook.description}", **_visible_fields(webhook))


async def locked_webhook(webhook: Webhook) -> Webhook:
    """Return the webhook as it is now, locked until the command ends. Raises NotFound when it has been deleted."""
    found = await existing(Webhook.select_for_update().get_or_none(id=webhook.id))
    found.board = webhook.board
    return found


async def _check_agent(board_id: UUID, agent_id: UUID | None) -> None:
    if agent_id is not None and not await Agent.exists(id=agent_id, board_id=board_id):
        raise Invalid("agent_id must name an agent of this board.")


def _new_secret(webhook: Webhook) -> str:
    return new_forge_secret(webhook.forge) if webhook.forge else new_secret("mcw")


def _sealed(secret: str | None, key: str) -> str | None:
    return encrypt(secret, key) if secret else None


def _check_forge(webhook: Webhook, secret: str | None) -> None:
    if webhook.forge is not None and not secret:
        raise Invalid("The calls of a forge must be signed: they need a secret.")


def _visible_fields(webhook: Webhook) -> JsonObject:
    same = ("description", "enabled", "agent_id", "signature_header", "forge", "repository")
    takes_unsigned = webhook.secret is None or webhook.takes_unsigned
    secret = {"has_secret": webhook.secret is not None, "takes_unsigned": takes_unsigned}
    return {name: getattr(webhook, name) for name in same} | secret


KEPT_CALLS = 100  # of a forge, which calls often


def notice_text(board: Board, webhook: Webhook, payload: WebhookPayload, content: object) -> str:
    task = (
        "Decide by the instruction what the payload means for the board: change tasks or make new ones, and name the"
        f" payload id in them. Older payloads are in the memory that is no chat:"
        f" GET /api/v1/agent/boards/{board.id}/memory?is_chat=false."
    )
    lines = [f"Board: {board.name}", *_facts(webhook, payload), "", task, "", *_fenced(webhook, payload, content)]
    return "\n".join(lines)


def _facts(webhook: Webhook, payload: WebhookPayload) -> list[str]:
    path = f"{endpoint_path(webhook).replace('/api/v1/', '/api/v1/agent/', 1)}/payloads/{payload.id}"
    return [
        f"Webhook ID: {webhook.id}",
        f"Payload ID: {payload.id}",
        f"Whole payload: GET {path}",
        f"Instruction: {webhook.description}",
    ]


def _fenced(webhook: Webhook, payload: WebhookPayload, content: object) -> list[str]:
    """Return the preview between markers with the payload's id, which its sender cannot have known."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
    text = neutralize_markers(text)
    rest = len(text) - LONGEST_PREVIEW
    more = [f"({rest} more characters; read the whole payload at the address above)"] if rest > 0 else []
    return [ADVICE, f"{BEGIN} {payload.id}", text[:LONGEST_PREVIEW], f"{END} {payload.id}", *more]


calls = FailureLimit(60, 60.0)


@dataclass(frozen=True, slots=True)
class Call:
    body: bytes
    headers: list[tuple[str, str]]
    content_type: str | None
    source_ip: str


async def listening_webhook(board_id: UUID, webhook_id: UUID, source_ip: str) -> Webhook:
    """Return the webhook at an address. Raises Gone when it is off, and an error over the caller's rate limit."""
    board = await existing(Board.get_or_none(id=board_id, deleted_at=None))
    key = rate_limit_key(source_ip)
    calls.check(key)
    calls.failed(key)
    webhook = await existing(Webhook.get_or_none(id=webhook_id, board_id=board.id))
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
    signed = is_signed(call.body, decrypt(webhook.secret, key), headers, configured, webhook.forge)
    if not signed and not webhook.takes_unsigned:
        raise Forbidden(f"The signature is {'missing' if signed is None else 'invalid'}.")
    if webhook.forge and signed:  # a busy repository tells more in a minute than a stranger is allowed to try
        calls.forget(rate_limit_key(call.source_ip))
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
    if is_signed and webhook.takes_unsigned:  # only signed calls from now on
        before = _visible_fields(webhook)
        webhook.takes_unsigned, webhook.updated_at = False, times.clock_now()
        await webhook.save(update_fields=["takes_unsigned", "updated_at"])
        _record_update(webhook, before, has_new_secret=False)
    content = decoded(call.body, call.content_type)
    if webhook.forge is not None:
        content = await _taken(actor, webhook, call, content, is_signed=bool(is_signed))
    payload = WebhookPayload(
        id=new_id(),
        board_id=board.id,
        webhook_id=webhook.id,
        headers=kept_headers(call.headers, webhook.signature_header),
        source_ip=call.source_ip,
        content_type=call.content_type,
        is_signed=is_signed,
        is_test=is_signed is None,
        received_at=times.clock_now(),
    )
    payload.payload = to_json(content).decode()  # encoded here: the field would store a plain text as JSON
    await payload.save(force_create=True)
    if webhook.forge is not None:
        message = f"Webhook received something: {webhook.description.rstrip('.')}."
        record("webhook.received", webhook, message, payload_id=payload.id, told_agent_id=None)
        await _forget_old_calls(webhook)
        return payload
    tags = ["webhook", f"webhook:{webhook.id}", f"payload:{payload.id}"]
    entry = ["WEBHOOK PAYLOAD RECEIVED", *_facts(webhook, payload), "", *_fenced(webhook, payload, content)]
    await write_memory(actor, board, "\n".join(entry), tags, "webhook")
    agent_id = await _recipient(webhook)
    ending = "." if agent_id else "; the board has nobody to notify."
    what = "a test" if payload.is_test else "something"
    message = f"Webhook received {what}: {webhook.description.rstrip('.')}{ending}"
    record("webhook.received", webhook, message, payload_id=payload.id, told_agent_id=agent_id)
    if agent_id is not None:
        _notify(board, webhook, payload, content, agent_id)
    return payload


async def _taken(actor: Actor, webhook: Webhook, call: Call, content: object, *, is_signed: bool) -> JsonObject:
    """Return what is kept of a forge's call: what it told, and no more of its payload. A test tells nothing."""
    headers = {name.lower(): value for name, value in call.headers}
    event = next((clean(headers[name]) for name in EVENT_HEADERS if headers.get(name)), None)
    if isinstance(content, str):  # GitHub can send forms, too
        content = decoded(parse_qs(content).get("payload", [""])[0].encode(), "application/json")
    kept = await take(actor, webhook, content) if is_signed else {"ignored": "Only signed calls of the forge count."}
    return {"event": event, **kept}


async def _forget_old_calls(webhook: Webhook) -> None:
    oldest = WebhookPayload.filter(webhook_id=webhook.id).order_by("-received_at", "-id").offset(KEPT_CALLS).limit(100)
    if ids := await oldest.values_list("id", flat=True):
        await WebhookPayload.filter(id__in=ids).delete()


@command("webhook.resend")
async def resend(actor: Actor, payload: WebhookPayload) -> UUID:
    """Notify an agent of a payload again and return the agent's id. Raises Conflict without an agent to notify."""
    webhook = await locked_webhook(payload.webhook)
    if webhook.forge is not None:
        raise Conflict("What a forge tells is shown by the tasks; nobody is notified of it.")
    agent_id = await _recipient(webhook)
    if agent_id is None:
        raise Conflict("The webhook has no agent and the board has no lead, so nobody can be notified.")
    stored = await payload_read(payload.id)
    message = f"Webhook payload sent again: {webhook.description}"
    record("webhook.replayed", webhook, message, payload_id=payload.id, told_agent_id=agent_id)
    _notify(payload.board, webhook, payload, stored.payload, agent_id)
    return agent_id


async def _recipient(webhook: Webhook) -> UUID | None:
    """Return the webhook's agent while it is on the board and can be reached, else the lead."""
    agents = await agents_to_notify([webhook.board_id])
    chosen = [agent for agent in agents if agent.id == webhook.agent_id] or [
        agent for agent in agents if agent.is_board_lead
    ]
    return chosen[0].id if chosen else None


def _notify(board: Board, webhook: Webhook, payload: WebhookPayload, content: object, agent_id: UUID) -> None:
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
