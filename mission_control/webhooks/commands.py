"""Commands that change webhooks."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.ids import new_secret
from mission_control.core.secrets import decrypt, encrypt
from mission_control.webhooks.models import Webhook
from mission_control.webhooks.queries import BoardWebhookCreate, BoardWebhookUpdate
from mission_control.work.deliveries import Delivery

NOT_ITS_AGENT = "agent_id must name an agent of this board."


@command("webhook.create")
async def create_webhook(actor: Actor, board: Board, new: BoardWebhookCreate, key: str) -> tuple[Webhook, str | None]:
    """Create a webhook. Return its random secret, unless the caller chose a secret or none (null).

    Clients that know nothing of secrets cannot pass one on, so unsigned calls are accepted
    until one is signed with the random secret. Raises Invalid for an agent of another board.
    """
    await _check_agent(board.id, new.agent_id)
    webhook = Webhook(board_id=board.id, **new.model_dump(exclude={"secret"}))
    chosen = "secret" in new.model_fields_set
    secret = new.secret if chosen else new_secret("mcw")
    webhook.secret = encrypt(secret, key) if secret else None
    webhook.takes_unsigned = not chosen
    webhook.board = board
    await webhook.save(force_create=True)
    record("webhook.created", webhook, f"Webhook created: {webhook.description}", **_visible_fields(webhook))
    return webhook, None if chosen else secret


@command("webhook.update")
async def update_webhook(actor: Actor, webhook: Webhook, change: BoardWebhookUpdate, key: str) -> Webhook:
    """Change the fields that were sent. Setting a field to its current value is a no-op."""
    sent = change.model_dump(exclude_unset=True)
    if "agent_id" in sent:
        await _check_agent(webhook.board_id, sent["agent_id"])
    webhook = await locked_webhook(webhook)
    if "secret" in sent and sent["secret"] == _secret_of(webhook, key) and not webhook.takes_unsigned:
        del sent["secret"]
    before = _visible_fields(webhook)
    changes = {name: value for name, value in sent.items() if name == "secret" or getattr(webhook, name) != value}
    if not changes:
        return webhook
    has_new_secret = changes.get("secret") is not None
    if has_new_secret:
        changes["secret"] = encrypt(changes["secret"], key)
    if "secret" in changes:
        changes["takes_unsigned"] = False
    webhook.update_from_dict(changes)
    webhook.updated_at = clock.now()
    await webhook.save(update_fields=[*changes, "updated_at"])
    _record_update(webhook, before, has_new_secret=has_new_secret)
    return webhook


def _record_update(webhook: Webhook, before: dict[str, Any], *, has_new_secret: bool) -> None:
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
    secret = new_secret("mcw")
    webhook.secret, webhook.takes_unsigned, webhook.updated_at = encrypt(secret, key), False, clock.now()
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


async def require_signatures(webhook: Webhook) -> None:
    """Inside a command that has locked the webhook: accept only signed calls from now on."""
    before = _visible_fields(webhook)
    webhook.takes_unsigned, webhook.updated_at = False, clock.now()
    await webhook.save(update_fields=["takes_unsigned", "updated_at"])
    _record_update(webhook, before, has_new_secret=False)


async def locked_webhook(webhook: Webhook) -> Webhook:
    """Return the webhook as it is now, locked until the command ends. Raises NotFound when it has been deleted."""
    found = await Webhook.select_for_update().get_or_none(id=webhook.id)
    if found is None:
        raise NotFound()
    found.board = webhook.board
    return found


async def _check_agent(board_id: UUID, agent_id: UUID | None) -> None:
    if agent_id is not None and not await Agent.exists(id=agent_id, board_id=board_id):
        raise Invalid(NOT_ITS_AGENT)


def _secret_of(webhook: Webhook, key: str) -> str | None:
    return None if webhook.secret is None else decrypt(webhook.secret, key)


def _visible_fields(webhook: Webhook) -> dict[str, Any]:
    return {
        "description": webhook.description,
        "enabled": webhook.enabled,
        "agent_id": webhook.agent_id,
        "signature_header": webhook.signature_header,
        "has_secret": webhook.secret is not None,
        "takes_unsigned": webhook.secret is None or webhook.takes_unsigned,
    }
