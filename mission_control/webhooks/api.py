"""Webhooks of a board over HTTP."""

from typing import Any
from uuid import UUID

from quart import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, system
from mission_control.core.errors import TooLarge
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.http.body_limit import admit_body
from mission_control.http.proxies import client_ip
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.webhooks import commands, ingest
from mission_control.webhooks.models import Webhook
from mission_control.webhooks.queries import (
    BoardWebhookCreate,
    BoardWebhookIngestResponse,
    BoardWebhookRead,
    BoardWebhookUpdate,
    WebhookSecret,
    WebhookTest,
    list_webhooks,
    visible_webhook,
)

api = Api("webhooks_api", __name__, url_prefix="/api/v1/boards/<board_id>/webhooks")
TAGS = ("board-webhooks",)
BASE = "api_v1_boards__board_id__webhooks"


def _key() -> str:
    key: str = current_app.config["SECRET_KEY"]
    return key


def _webhook_read(webhook: Webhook, secret: str | None = None) -> BoardWebhookRead:
    base = current_app.config["SETTINGS"].base_url or request.host_url.rstrip("/")
    return BoardWebhookRead.of(webhook, base, secret)


@operation(
    api,
    "GET",
    "",
    operation_id=f"list_board_webhooks_{BASE}_get",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="board.read",
    query=Paging,
    returns=Page[BoardWebhookRead],
)
async def list_of_board(actor: Actor, board: Board, query: Paging) -> dict[str, Any]:
    """List the webhooks of a board, newest first."""
    webhooks, total = await list_webhooks(board, query)
    return page([_webhook_read(one) for one in webhooks], total, query)


@operation(
    api,
    "POST",
    "",
    operation_id=f"create_board_webhook_{BASE}_post",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="webhook.create",
    body=BoardWebhookCreate,
    returns=BoardWebhookRead,
)
async def create(actor: Actor, board: Board, data: BoardWebhookCreate) -> BoardWebhookRead:
    """Create an address at which another system can write to the board.

    Without `secret` the answer holds a random one, this once; unsigned calls are accepted until the first call
    that is signed with it. With `"secret": null` there is no secret, and everybody who knows the address can write.
    """
    webhook, secret = await commands.create_webhook(actor, board, data, _key())
    return _webhook_read(webhook, secret)


@operation(
    api,
    "GET",
    "/<webhook_id>",
    operation_id=f"get_board_webhook_{BASE}__webhook_id__get",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.read",
    returns=BoardWebhookRead,
)
async def read(actor: Actor, webhook: Webhook) -> BoardWebhookRead:
    """Read a webhook."""
    return _webhook_read(webhook)


@operation(
    api,
    "PATCH",
    "/<webhook_id>",
    operation_id=f"update_board_webhook_{BASE}__webhook_id__patch",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.update",
    body=BoardWebhookUpdate,
    returns=BoardWebhookRead,
)
async def update(actor: Actor, webhook: Webhook, data: BoardWebhookUpdate) -> BoardWebhookRead:
    """Change the fields of a webhook that are sent. A new secret applies at once."""
    return _webhook_read(await commands.update_webhook(actor, webhook, data.model_dump(exclude_unset=True), _key()))


@operation(
    api,
    "DELETE",
    "/<webhook_id>",
    operation_id=f"delete_board_webhook_{BASE}__webhook_id__delete",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.delete",
    returns=OkResponse,
)
async def delete(actor: Actor, webhook: Webhook) -> dict[str, bool]:
    """Delete a webhook and the calls it received. Their entries in the board's memory stay."""
    await commands.delete_webhook(actor, webhook)
    return OK


@operation(
    api,
    "POST",
    "/<webhook_id>/secret-rotations",
    operation_id="rotate_board_webhook_secret",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.rotate_secret",
    returns=WebhookSecret,
)
async def rotate(actor: Actor, webhook: Webhook) -> WebhookSecret:
    """Give a webhook a new random secret.

    It is returned this once. Calls signed with the old one are refused from now on.
    """
    return WebhookSecret(webhook_id=webhook.id, secret=await commands.rotate_secret(actor, webhook, _key()))


@operation(
    api,
    "POST",
    "/<webhook_id>/tests",
    operation_id="test_board_webhook",
    tags=TAGS,
    who="user",
    find=visible_webhook,
    verb="webhook.test",
    body=WebhookTest,
    returns=BoardWebhookIngestResponse,
    errors={409: ErrorResponse},
)
async def send_test(actor: Actor, webhook: Webhook, data: WebhookTest) -> BoardWebhookIngestResponse:
    """Try a webhook: the call is stored, written into the memory, and its agent notified, as one from outside."""
    headers = [("Content-Type", data.content_type), ("X-Mission-Control-Test", "true")]
    call = ingest.Call(data.content.encode(), headers, data.content_type, client_ip())
    payload = await ingest.send_test(actor, webhook, call)
    return BoardWebhookIngestResponse(board_id=webhook.board_id, webhook_id=webhook.id, payload_id=payload.id)


async def listening(actor: Actor | None, board_id: UUID, webhook_id: UUID) -> Webhook:
    """Return the webhook that is called, for any caller."""
    return await ingest.listening_webhook(board_id, webhook_id, client_ip())


@operation(
    api,
    "POST",
    "/<webhook_id>",
    operation_id=f"ingest_board_webhook_{BASE}__webhook_id__post",
    tags=TAGS,
    who="anyone",
    find=listening,
    returns=BoardWebhookIngestResponse,
    errors={403: ErrorResponse, 410: ErrorResponse, 413: ErrorResponse, 429: ErrorResponse},
    status=202,
)
async def receive(actor: Actor | None, webhook: Webhook) -> BoardWebhookIngestResponse:
    """Send a call to a board.

    The body may be anything. When the webhook has a secret, the call must carry the HMAC-SHA256 of the body in
    hexadecimal digits, in the header that the webhook names, else in X-Hub-Signature-256 or X-Webhook-Signature.
    """
    admit_body()  # knowing a webhook's address is a credential
    call = ingest.Call(await _body(), list(request.headers.items()), request.content_type, client_ip())
    is_signed = ingest.check_signature(webhook, call, _key())
    payload = await ingest.receive(system(webhook.board.organization_id), webhook, call, is_signed=is_signed)
    return BoardWebhookIngestResponse(board_id=webhook.board_id, webhook_id=webhook.id, payload_id=payload.id)


async def _body() -> bytes:
    try:
        body: Any = await request.get_data(cache=False)
    except RequestEntityTooLarge:
        most = current_app.config["SETTINGS"].webhook_max_payload_bytes
        raise TooLarge(f"A payload may have at most {most} bytes.") from None
    return bytes(body)
