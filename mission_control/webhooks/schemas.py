"""Shapes of webhooks."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from mission_control.core.schemas import Body, NonEmptyStr, NotNull, OptionalText, example
from mission_control.webhooks.models import Webhook

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


HeaderName = Annotated[OptionalText, AfterValidator(_header_name)]


class BoardWebhookCreate(BaseModel):
    """A webhook to create. Without `secret` it gets a random one, with null it has none."""

    model_config = example(description="What the build server reports")

    description: NonEmptyStr
    enabled: bool = True
    agent_id: UUID | None = None
    secret: OptionalText = None
    signature_header: HeaderName = None


class BoardWebhookUpdate(BaseModel):
    """Changes of a webhook. Absent fields stay as they are, null clears."""

    description: Annotated[NonEmptyStr | None, NotNull] = None
    enabled: Annotated[bool | None, NotNull] = None
    agent_id: UUID | None = None
    secret: OptionalText = None
    signature_header: HeaderName = None


class BoardWebhookRead(BaseModel):
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
    endpoint_path: str
    endpoint_url: str | None
    created_at: datetime
    updated_at: datetime
    warning: str | None
    secret: str | None = None

    @classmethod
    def of(cls, webhook: Webhook, base_url: str, secret: str | None = None) -> "BoardWebhookRead":
        """Return the answer for a webhook."""
        path = endpoint_path(webhook)
        return cls(
            id=webhook.id,
            board_id=webhook.board_id,
            agent_id=webhook.agent_id,
            description=webhook.description,
            enabled=webhook.enabled,
            has_secret=webhook.secret is not None,
            signature_header=webhook.signature_header,
            endpoint_path=path,
            endpoint_url=f"{base_url}{path}",
            created_at=webhook.created_at,
            updated_at=webhook.updated_at,
            warning=UNSIGNED if webhook.secret is None else NOT_SIGNED_YET if webhook.takes_unsigned else None,
            secret=secret,
        )


def endpoint_path(webhook: Webhook) -> str:
    """Return the path at which a webhook is called."""
    return f"/api/v1/boards/{webhook.board_id}/webhooks/{webhook.id}"


class WebhookSecret(BaseModel):
    """A new secret, shown this once."""

    webhook_id: UUID
    secret: str


SAMPLE = '{"event": "test", "from": "Mission Control"}'


class WebhookTest(Body):
    """A call to try a webhook with: its text and what that is."""

    model_config = example(content=SAMPLE)

    content: str = Field(SAMPLE, max_length=100_000)
    content_type: str = Field("application/json", max_length=255, pattern=r"^[\x20-\x7e]+$")


class BoardWebhookPayloadRead(BaseModel):
    """One call that a webhook received.

    `is_signed` is null for calls from before this was kept, and for tests, which people send from here.
    """

    id: UUID
    board_id: UUID
    webhook_id: UUID
    payload: dict[str, Any] | list[Any] | str | int | float | bool | None
    headers: dict[str, str] | None
    source_ip: str | None
    content_type: str | None
    is_signed: bool | None
    is_test: bool
    received_at: datetime


class PayloadQuery(BaseModel):
    """How much of a payload to answer."""

    max_chars: int | None = Field(None, ge=1, le=1_000_000)


class BoardWebhookIngestResponse(BaseModel):
    """A call that was accepted."""

    ok: bool = True
    board_id: UUID
    webhook_id: UUID
    payload_id: UUID


class ReplayRead(BaseModel):
    """The agent that was notified again."""

    ok: bool = True
    webhook_id: UUID
    payload_id: UUID
    agent_id: UUID
