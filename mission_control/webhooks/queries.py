"""Queries of webhooks and of the calls that they received."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import as_json, rows, wire_moment
from mission_control.webhooks.models import Webhook, WebhookPayload

PAYLOADS = (
    "SELECT id, board_id, webhook_id, payload, headers, source_ip, content_type, is_signed, is_test, received_at"
    " FROM board_webhook_payloads"
)


async def visible_webhook(actor: Actor, board_id: UUID, webhook_id: UUID) -> Webhook:
    """Return a board's webhook. Raises NotFound when the actor does not reach it."""
    board = await visible_board(actor, board_id)
    webhook = await Webhook.get_or_none(id=webhook_id, board_id=board.id)
    if webhook is None:
        raise NotFound()
    webhook.board = board
    return webhook


async def visible_payload(actor: Actor, board_id: UUID, webhook_id: UUID, payload_id: UUID) -> WebhookPayload:
    """Return a received call without its payload. Raises NotFound when the actor does not reach the webhook."""
    webhook = await visible_webhook(actor, board_id, webhook_id)
    payload = await WebhookPayload.filter(id=payload_id, webhook_id=webhook.id).only("id", "webhook_id").first()
    if payload is None:
        raise NotFound()
    payload.board, payload.webhook = webhook.board, webhook
    return payload


async def list_webhooks(board: Board, paging: Paging) -> tuple[list[Webhook], int]:
    """Return a page of the board's webhooks, newest first, and how many there are."""
    webhooks = Webhook.filter(board_id=board.id)
    found = await webhooks.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return found, await webhooks.count()


async def list_payloads(webhook: Webhook, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the calls that a webhook received, newest first, and how many there are."""
    found = await rows(
        f"{PAYLOADS} WHERE webhook_id = ? ORDER BY received_at DESC, id DESC LIMIT ? OFFSET ?",
        webhook.id,
        paging.limit,
        paging.offset,
    )
    [total] = await rows("SELECT COUNT(*) AS n FROM board_webhook_payloads WHERE webhook_id = ?", webhook.id)
    return [_serialize(row) for row in found], int(total["n"])


async def payload_read(payload_id: UUID) -> dict[str, Any]:
    """Return one received call as it is sent."""
    found = await rows(f"{PAYLOADS} WHERE id = ?", payload_id)
    if not found:
        raise NotFound()
    return _serialize(found[0])


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "board_id": row["board_id"],
        "webhook_id": row["webhook_id"],
        "payload": as_json(row["payload"]),
        "headers": as_json(row["headers"]),
        "source_ip": row["source_ip"],
        "content_type": row["content_type"],
        "is_signed": None if row["is_signed"] is None else bool(row["is_signed"]),
        "is_test": bool(row["is_test"]),
        "received_at": wire_moment(row["received_at"]),
    }
