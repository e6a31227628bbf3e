"""Read webhooks and the calls that they received: who may, shapes, statements."""

import re
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from mission_control.boards.forge_states import repository_of
from mission_control.boards.models import Board
from mission_control.boards.queries import on_visible_board
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import existing
from mission_control.core.values import Body, JsonObject, NonEmptyStr, NotNull, OptionalText, Paging, Schema, example
from mission_control.database.sql import select, select_one
from mission_control.http.registry import lookup
from mission_control.webhooks.forges.providers import Forge
from mission_control.webhooks.models import Webhook, WebhookPayload

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
LONGEST_HEADER = 255
NOT_SIGNED_YET = (
    "Unsigned calls are taken until the first one that is signed with the secret; until then, anybody who knows the"
    " address can write to this board."
)
UNSIGNED = "Anybody who knows the address can write to this board. Set a secret, so that only signed calls are taken."


def _header_name(value: str | None) -> str | None:
    if value is None:
        return None
    value = value.strip()
    if len(value) > LONGEST_HEADER or not HEADER_NAME.fullmatch(value):
        raise ValueError("this cannot be the name of an HTTP header")
    return value


def _repository(value: str | None) -> str | None:
    if value is not None and not repository_of(value):
        raise ValueError("this must be the http or https address of a repository, or of what it belongs to")
    return value


HeaderName = Annotated[OptionalText, AfterValidator(_header_name)]
Repository = Annotated[
    Annotated[OptionalText, AfterValidator(_repository)],
    Field(description="The address of the repository that a `forge` tells of, or of its group"),
]


class BoardWebhookUpdate(Schema):
    """Changes of a webhook. Absent fields stay as they are, null clears."""

    description: Annotated[NonEmptyStr | None, NotNull] = None
    enabled: Annotated[bool | None, NotNull] = None
    agent_id: UUID | None = None
    secret: OptionalText = None
    signature_header: HeaderName = None
    repository: Repository = None


class BoardWebhookCreate(BoardWebhookUpdate):
    """A webhook to create. Without `secret` it gets a random one, with null it has none.

    With `forge` its calls are no notices: they say what became of pull requests, pushes and checks.
    """

    model_config = example(description="What the build server reports")

    description: NonEmptyStr
    enabled: bool = True
    forge: Annotated[Forge | None, Field(description="Who calls: GitHub, GitLab, or Forgejo (also Gitea)")] = None

    @model_validator(mode="after")
    def _whole_forge(self) -> Self:
        if (self.forge is None) != (self.repository is None):
            raise ValueError("send forge and repository together")
        return self


class BoardWebhookRead(Schema):
    """A webhook. `warning` says what is unsafe about it.

    `secret` is null, except in the answer to the request that created the webhook without naming one.
    """

    id: UUID
    board_id: UUID
    agent_id: UUID | None
    description: str
    enabled: bool
    has_secret: bool
    signature_header: str | None
    forge: Annotated[Forge | None, Field(description="Who calls: GitHub, GitLab, or Forgejo (also Gitea)")]
    repository: Annotated[str | None, Field(description="The repository that it tells of, or its group")]
    endpoint_path: str
    endpoint_url: str | None
    created_at: datetime
    updated_at: datetime
    warning: str | None
    secret: str | None = None

    @classmethod
    def of(cls, webhook: Webhook, base_url: str, secret: str | None = None) -> "BoardWebhookRead":
        path, has_secret = endpoint_path(webhook), webhook.secret is not None
        computed: JsonObject = {
            "has_secret": has_secret,
            "endpoint_path": path,
            "endpoint_url": f"{base_url}{path}",
            "warning": NOT_SIGNED_YET if has_secret and webhook.takes_unsigned else None if has_secret else UNSIGNED,
            "secret": secret,
        }
        stored: JsonObject = {name: getattr(webhook, name) for name in cls.model_fields if name not in computed}
        return cls.model_construct(**stored, **computed)


def endpoint_path(webhook: Webhook) -> str:
    return f"/api/v1/boards/{webhook.board_id}/webhooks/{webhook.id}"


class WebhookSecret(Schema):
    """A new secret, shown this once."""

    webhook_id: UUID
    secret: str


SAMPLE = '{"event": "test", "from": "Mission Control"}'


class WebhookTest(Body):
    """A call to try a webhook with: its text and what that is."""

    model_config = example(content=SAMPLE)

    content: str = Field(SAMPLE, max_length=100_000)
    content_type: str = Field("application/json", max_length=255, pattern=r"^[\x20-\x7e]+$")


class BoardWebhookPayloadRead(Schema):
    """One call that a webhook received.

    `is_signed` is null for calls from before this was kept, and for tests, which people send from here.
    """

    id: UUID
    board_id: UUID
    webhook_id: UUID
    payload: JsonObject | list[Any] | str | int | float | bool | None
    headers: dict[str, str] | None
    source_ip: str | None
    content_type: str | None
    is_signed: bool | None
    is_test: bool
    received_at: datetime


class PayloadQuery(Schema):
    """How much of a payload to answer."""

    max_chars: int | None = Field(None, ge=1, le=1_000_000)


class BoardWebhookIngestResponse(Schema):
    """A call that was accepted."""

    ok: bool = True
    board_id: UUID
    webhook_id: UUID
    payload_id: UUID


class ResendRead(Schema):
    """The agent that was notified again."""

    ok: bool = True
    webhook_id: UUID
    payload_id: UUID
    agent_id: UUID


PAYLOADS = f"SELECT {', '.join(BoardWebhookPayloadRead.model_fields)} FROM board_webhook_payloads"


@lookup
async def visible_webhook(actor: Actor, board_id: UUID, webhook_id: UUID) -> Webhook:
    """Return a board's webhook. Raises NotFound when the actor does not reach it."""
    return await on_visible_board(Webhook, actor, board_id, webhook_id)


@lookup
async def visible_payload(actor: Actor, board_id: UUID, webhook_id: UUID, payload_id: UUID) -> WebhookPayload:
    """Return a received call without its payload. Raises NotFound when the actor does not reach the webhook."""
    webhook = await visible_webhook(actor, board_id, webhook_id)
    payload = await existing(
        WebhookPayload.filter(id=payload_id, webhook_id=webhook.id).only("id", "webhook_id").first()
    )
    payload.board, payload.webhook = webhook.board, webhook
    return payload


async def list_webhooks(board: Board, paging: Paging) -> tuple[list[Webhook], int]:
    webhooks = Webhook.filter(board_id=board.id).order_by("-created_at", "-id")
    return await webhooks.limit(paging.limit).offset(paging.offset), await webhooks.count()


async def list_payloads(webhook: Webhook, paging: Paging) -> tuple[list[BoardWebhookPayloadRead], int]:
    found = await select(
        BoardWebhookPayloadRead,
        f"{PAYLOADS} WHERE webhook_id = ? ORDER BY received_at DESC, id DESC LIMIT ? OFFSET ?",
        webhook.id,
        paging.limit,
        paging.offset,
    )
    return found, await WebhookPayload.filter(webhook_id=webhook.id).count()


async def payload_read(payload_id: UUID) -> BoardWebhookPayloadRead:
    return await existing(select_one(BoardWebhookPayloadRead, f"{PAYLOADS} WHERE id = ?", payload_id))


@rule("webhook.create")
def may_create_webhook(actor: Actor, board: Board) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(board)


@rule("webhook.read")
def may_read_webhook(actor: Actor, thing: Webhook | WebhookPayload) -> bool:
    """People who reach the board."""
    return actor.is_user and actor.reads(thing.board)


@rule("webhook.read_payload")
def may_read_payload(actor: Actor, payload: WebhookPayload) -> bool:
    """The board's agents."""
    return actor.is_agent and actor.reads(payload.board)


@rule("webhook.update", "webhook.delete", "webhook.rotate_secret", "webhook.resend", "webhook.test")
def may_change_webhook(actor: Actor, thing: Webhook | WebhookPayload) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(thing.board)


# Only the system, after it has checked the signature.
ONLY_SYSTEM = OnlySystem("webhook.receive")
