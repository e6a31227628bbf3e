"""The calls that a webhook received, over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.webhooks import ingest
from mission_control.webhooks.models import Webhook, WebhookPayload
from mission_control.webhooks.queries import (
    BoardWebhookPayloadRead,
    ReplayRead,
    list_payloads,
    payload_read,
)

api = Api(__name__, "board-webhooks", below="/boards/<board_id>/webhooks")


@api.get("/<webhook_id>/payloads", Page[BoardWebhookPayloadRead], rule="webhook.read")
async def list_board_webhook_payloads(actor: Actor, webhook: Webhook, query: Paging) -> dict[str, Any]:
    """List the calls that a webhook received, newest first."""
    payloads, total = await list_payloads(webhook, query)
    return page(payloads, total, query)


@api.get("/<webhook_id>/payloads/<payload_id>", BoardWebhookPayloadRead, rule="webhook.read")
async def get_board_webhook_payload(actor: Actor, payload: WebhookPayload) -> dict[str, Any]:
    """Read one call that a webhook received."""
    return await payload_read(payload.id)


@api.post("/<webhook_id>/payloads/<payload_id>/replays", rule="webhook.replay", errors={409: ErrorResponse})
async def replay_board_webhook_payload(actor: Actor, payload: WebhookPayload) -> ReplayRead:
    """Notify the webhook's agent, or the lead, of a payload again."""
    agent_id = await ingest.replay(actor, payload)
    return ReplayRead(webhook_id=payload.webhook.id, payload_id=payload.id, agent_id=agent_id)
