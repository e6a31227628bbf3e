"""The calls that a webhook received, over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.webhooks import ingest
from mission_control.webhooks.api import BASE, TAGS
from mission_control.webhooks.models import Webhook, WebhookPayload
from mission_control.webhooks.queries import (
    BoardWebhookPayloadRead,
    ReplayRead,
    list_payloads,
    payload_read,
    visible_payload,
    visible_webhook,
)

api = Api("webhook_payloads_api", __name__, url_prefix="/api/v1/boards/<board_id>/webhooks")


@operation(
    api,
    "GET",
    "/<webhook_id>/payloads",
    operation_id=f"list_board_webhook_payloads_{BASE}__webhook_id__payloads_get",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.read",
    query=Paging,
    returns=Page[BoardWebhookPayloadRead],
)
async def list_received(actor: Actor, webhook: Webhook, query: Paging) -> dict[str, Any]:
    """List the calls that a webhook received, newest first."""
    payloads, total = await list_payloads(webhook, query)
    return page(payloads, total, query)


@operation(
    api,
    "GET",
    "/<webhook_id>/payloads/<payload_id>",
    operation_id=f"get_board_webhook_payload_{BASE}__webhook_id__payloads__payload_id__get",
    tags=TAGS,
    who="user",
    find=visible_payload,
    verb="webhook.read",
    returns=BoardWebhookPayloadRead,
)
async def read_received(actor: Actor, payload: WebhookPayload) -> dict[str, Any]:
    """Read one call that a webhook received."""
    return await payload_read(payload.id)


@operation(
    api,
    "POST",
    "/<webhook_id>/payloads/<payload_id>/replays",
    operation_id="replay_board_webhook_payload",
    tags=TAGS,
    who="user",
    find=visible_payload,
    verb="webhook.replay",
    returns=ReplayRead,
    errors={409: ErrorResponse},
)
async def replay(actor: Actor, payload: WebhookPayload) -> ReplayRead:
    """Notify the webhook's agent, or the lead, of a payload again."""
    agent_id = await ingest.replay(actor, payload)
    return ReplayRead(webhook_id=payload.webhook.id, payload_id=payload.id, agent_id=agent_id)
