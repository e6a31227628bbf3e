"""What the pages of webhooks show: the list with its last calls, received calls as text, the line that makes one."""

import json
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.paging import Paging
from mission_control.database.sql import as_moment, rows
from mission_control.webhooks.models import Webhook
from mission_control.webhooks.queries import BoardWebhookRead, list_payloads, list_webhooks

PAYLOADS_OF_A_PAGE = 20
LONGEST_SHOWN = 20_000
EXAMPLE = '{"event": "deploy", "state": "done"}'


@dataclass(frozen=True, slots=True)
class Listed:
    """A webhook in the list: how many calls it received, the last one, and who is notified."""

    webhook: BoardWebhookRead
    calls: int
    last_at: datetime | None
    recipient: str


@dataclass(frozen=True, slots=True)
class Received:
    """A received call as text."""

    id: UUID
    text: str
    is_cut: bool
    headers: list[tuple[str, str]]
    source_ip: str
    content_type: str
    is_signed: bool | None
    is_test: bool
    received_at: datetime | None


async def listed(board: Board, base_url: str) -> list[Listed]:
    """Return the webhooks of a board, newest first."""
    webhooks, _ = await list_webhooks(board, Paging(limit=200, offset=0))
    figures = {
        str(row["webhook_id"]): row
        for row in await rows(
            "SELECT webhook_id, COUNT(*) AS n, MAX(received_at) AS last_at FROM board_webhook_payloads"
            " WHERE board_id = ? GROUP BY webhook_id",
            board.id,
        )
    }
    agents = await rows("SELECT id, name, is_board_lead FROM agents WHERE board_id = ?", board.id)
    names = {str(row["id"]): row["name"] for row in agents}
    lead = next((row["name"] for row in agents if row["is_board_lead"]), "")
    return [_listed(one, base_url, figures.get(str(one.id)), names.get(str(one.agent_id), lead)) for one in webhooks]


def _listed(webhook: Webhook, base_url: str, figures: dict[str, Any] | None, recipient: str) -> Listed:
    read = BoardWebhookRead.of(webhook, base_url)
    if figures is None:
        return Listed(read, 0, None, recipient)
    return Listed(read, int(figures["n"]), as_moment(figures["last_at"]), recipient)


async def calls_of(webhook_id: UUID) -> int:
    """Return how many calls a webhook received."""
    [row] = await rows("SELECT COUNT(*) AS n FROM board_webhook_payloads WHERE webhook_id = ?", webhook_id)
    return int(row["n"])


async def received(webhook_id: UUID, page: int) -> tuple[list[Received], int]:
    """Return a page of the calls that a webhook received, newest first, and how many there are."""
    paging = Paging(limit=PAYLOADS_OF_A_PAGE, offset=(page - 1) * PAYLOADS_OF_A_PAGE)
    found, total = await list_payloads(Webhook(id=webhook_id), paging)
    return [_received(one) for one in found], total


def _received(row: dict[str, Any]) -> Received:
    payload = row["payload"]
    text = payload if isinstance(payload, str) else json.dumps(payload, indent=2, ensure_ascii=False)
    return Received(
        id=row["id"],
        text=text[:LONGEST_SHOWN],
        is_cut=len(text) > LONGEST_SHOWN,
        headers=sorted((row["headers"] or {}).items()),
        source_ip=row["source_ip"] or "",
        content_type=row["content_type"] or "",
        is_signed=row["is_signed"],
        is_test=row["is_test"],
        received_at=as_moment(row["received_at"]),
    )


def curl_line(webhook: BoardWebhookRead, secret: str = "") -> str:
    """Return the shell lines that call a webhook, signed where it has a secret."""
    url = shlex.quote(webhook.endpoint_url or webhook.endpoint_path)
    json_header = "-H 'Content-Type: application/json'"
    if not webhook.has_secret:
        return f"curl -X POST {url} {json_header} \\\n  -d {shlex.quote(EXAMPLE)}"
    header = webhook.signature_header or "X-Hub-Signature-256"
    key = shlex.quote(secret) if secret else "the-secret"
    return (
        f"body={shlex.quote(EXAMPLE)}\n"
        f"signature=$(printf %s \"$body\" | openssl dgst -sha256 -hmac {key} -r | cut -d' ' -f1)\n"
        f'curl -X POST {url} {json_header} \\\n  -H "{header}: sha256=$signature" -d "$body"'
    )
