"""Rights on webhooks. Webhooks and payloads come with their board."""

from typing import Any

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.webhooks.models import Webhook, WebhookPayload

rules = Rules()


@rules.rule("webhook.create")
def may_create_webhook(actor: Actor, board: Board) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(board)


@rules.rule("webhook.read")
def may_read_webhook(actor: Actor, thing: Webhook | WebhookPayload) -> bool:
    """People who reach the board."""
    return actor.is_user and actor.reads(thing.board)


@rules.rule("webhook.read_payload")
def may_read_payload(actor: Actor, payload: WebhookPayload) -> bool:
    """The board's agents."""
    return actor.is_agent and actor.reads(payload.board)


@rules.rule("webhook.update")
@rules.rule("webhook.delete")
@rules.rule("webhook.rotate_secret")
@rules.rule("webhook.replay")
@rules.rule("webhook.test")
def may_change_webhook(actor: Actor, thing: Webhook | WebhookPayload) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(thing.board)


@rules.rule("webhook.receive")
def may_receive(actor: Actor, thing: Any) -> bool:
    """Only the system, after it has checked the signature."""
    return False
