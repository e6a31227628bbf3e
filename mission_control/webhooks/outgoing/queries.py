"""Read outgoing webhooks and what they sent: who may, shapes, statements."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from mission_control.agents.notices import LONGEST_URL
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import NotFound, existing
from mission_control.core.secrets import decrypt
from mission_control.core.values import Body, Change, FromRow, Moment, NonEmptyStr, NotNull, Paging, Schema, example
from mission_control.database.records import find, find_all
from mission_control.database.sql import as_moment, in_list, rows
from mission_control.http.registry import lookup
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.kinds import Kinds

SAMPLE_URL = "https://example.org/hooks/mission-control"

State = Literal["on", "paused", "failed", "gone"]
DeliveryState = Literal["waiting", "sending", "sent", "failed"]
OPEN = "state IN ('waiting', 'sending')"

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_URL)]
Description = Annotated[NonEmptyStr, Field(max_length=200, description="What it is for, in a few words")]


class OutgoingWebhookQuery(Paging):
    """Of which board to list the outgoing webhooks; without one, those of the organization as a whole."""

    board_id: UUID | None = None


class OutgoingWebhookUpdate(Body, Change):
    """Changes of an outgoing webhook. Absent fields stay as they are."""

    model_config = Body.model_config | example(kinds=["task.*", "approval.requested"])

    description: Annotated[Description | None, NotNull] = None
    url: Annotated[Url | None, NotNull] = None
    kinds: Annotated[Kinds | None, NotNull] = None


class OutgoingWebhookCreate(Body):
    """An outgoing webhook to create: of a board, or without `board_id` of the organization."""

    model_config = Body.model_config | example(description="Our data warehouse", url=SAMPLE_URL, kinds=["task.*"])

    description: Description
    url: Url
    kinds: Kinds = []
    board_id: UUID | None = None


class OutgoingWebhookRead(FromRow):
    """An outgoing webhook.

    `state` is `on`, `paused` by a person, `failed` where Mission Control paused it because its receiver took nothing
    for long, or `gone` where the receiver answered 410; `reason` says more in these two.
    """

    id: UUID
    board_id: UUID | None
    description: str
    url: str
    kinds: list[str]
    state: State
    state_at: Annotated[datetime, Field(description="Since when it is in this state")]
    reason: str | None
    failing_since: Annotated[datetime | None, Field(description="Since when no attempt has worked")]
    waiting: Annotated[int, Field(description="How many messages wait to be sent, or to be tried again")]
    last_sent_at: Annotated[datetime | None, Field(description="When the receiver took a message last")]
    former_until: Annotated[datetime | None, Field(description="Until when the secret before this one signs, too")]
    created_at: datetime
    updated_at: datetime


class OutgoingWebhookCreated(OutgoingWebhookRead):
    """An outgoing webhook just made; the secret is shown here and never again."""

    secret: str


class OutgoingWebhookSecret(Schema):
    """A new secret, shown this once. Messages carry a signature by the one before as well, until `former_until`."""

    outgoing_webhook_id: UUID
    secret: str
    former_until: Annotated[datetime, Field(description="Until when the secret before this one signs, too")]


class OutgoingWebhookResumption(Body):
    """How an outgoing webhook goes on."""

    model_config = Body.model_config | example(skip_missed=False)

    skip_missed: Annotated[bool, Field(description="Send nothing of what happened until now")] = False


class OutgoingWebhookResend(Body):
    """From when on to send everything again."""

    model_config = Body.model_config | example(since="2026-11-02T09:00:00Z")

    since: Annotated[Moment, Field(description="Events from this moment on are sent again")]


class OutgoingDeliveryQuery(Paging):
    """Which deliveries to list."""

    state: DeliveryState | None = None


class OutgoingDeliveryRead(FromRow):
    """A message of an outgoing webhook, and what became of it.

    `message_id` is its `webhook-id`: the same at each attempt, and when it is sent again. `due_at` is when a waiting
    one is tried next.
    """

    id: UUID
    message_id: Annotated[UUID, Field(description="Its `webhook-id`")]
    kind: Annotated[str, Field(description="What happened: the `type` of the message")]
    seq: Annotated[int | None, Field(description="The number of the event in the log; null for what is in none")]
    state: DeliveryState
    is_replay: Annotated[bool, Field(description="Whether it was sent before")]
    attempts: Annotated[int, Field(description="How often it was tried; waits that the receiver asked for not counted")]
    status: Annotated[int | None, Field(description="The receiver's status at the last attempt")]
    answer: Annotated[str | None, Field(description="How the receiver's answer began, at the last attempt")]
    last_error: str | None
    duration_ms: Annotated[int | None, Field(description="How long the last attempt took")]
    happened_at: Annotated[datetime, Field(description="When that happened which it tells of")]
    created_at: datetime
    due_at: Annotated[datetime, Field(description="When it is tried next, while it waits")]
    tried_at: Annotated[datetime | None, Field(description="When it was tried last")]
    ended_at: Annotated[datetime | None, Field(description="When it arrived, or was given up")]


class OutgoingDeliveryDetail(OutgoingDeliveryRead):
    """A message of an outgoing webhook with its body, as an attempt would send it now."""

    body: Annotated[dict[str, Any] | None, Field(description="`type`, `timestamp` and `data`")]


@lookup
async def visible_outgoing_webhook(actor: Actor, outgoing_webhook_id: UUID) -> OutgoingWebhook:
    """Return an outgoing webhook with its board. Raise NotFound when the actor sees neither board nor organization."""
    webhook = await existing(find(OutgoingWebhook, "id = ?", outgoing_webhook_id))
    if webhook.board_id is not None:
        webhook.board = await visible_board(actor, webhook.board_id)
    elif not (actor.is_user and actor.administers(webhook.organization_id)):
        raise NotFound()
    return webhook


@lookup
async def visible_outgoing_delivery(
    actor: Actor, outgoing_webhook_id: UUID, outgoing_delivery_id: UUID
) -> OutgoingDelivery:
    """Return a message of an outgoing webhook that the actor sees. Raise NotFound otherwise."""
    webhook = await visible_outgoing_webhook(actor, outgoing_webhook_id)
    delivery = await existing(find(OutgoingDelivery, "id = ? AND webhook_id = ?", outgoing_delivery_id, webhook.id))
    delivery.webhook = webhook
    return delivery


async def webhooks_at(
    organization_id: UUID, board_id: UUID | None, paging: Paging
) -> tuple[list[OutgoingWebhook], int]:
    found = OutgoingWebhook.filter(organization_id=organization_id, board_id=board_id)
    page = found.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return await page, await found.count()


async def read_webhooks(webhooks: list[OutgoingWebhook], key: str) -> list[OutgoingWebhookRead]:
    if not webhooks:
        return []
    marks, ids = in_list([webhook.id for webhook in webhooks])
    found = await rows(
        f"SELECT w.id, (SELECT COUNT(*) FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.{OPEN}) AS waiting,"
        " (SELECT MAX(d.ended_at) FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.state = 'sent')"
        f" AS last_sent_at FROM outgoing_webhooks w WHERE w.id IN ({marks})",
        *ids,
    )
    figures = {
        str(row["id"]): {"waiting": int(row["waiting"]), "last_sent_at": as_moment(row["last_sent_at"])}
        for row in found
    }
    return [
        OutgoingWebhookRead.of(webhook, url=decrypt(webhook.url, key), **figures[str(webhook.id)])
        for webhook in webhooks
        if str(webhook.id) in figures
    ]


async def deliveries_of(webhook_id: UUID, query: OutgoingDeliveryQuery) -> tuple[list[OutgoingDelivery], int]:
    where, values = "webhook_id = ?", list[object]([webhook_id])
    if query.state is not None:
        where, values = f"{where} AND state = ?", [*values, query.state]
    found = await find_all(
        OutgoingDelivery, f"{where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
        *values, query.limit, query.offset,
    )  # fmt: skip
    [row] = await rows(f"SELECT COUNT(*) AS n FROM outgoing_deliveries WHERE {where}", *values)
    return found, int(row["n"])


@rule("outgoing_webhook.create", "outgoing_webhook.list")
def may_create_outgoing_webhook(actor: Actor, board: Board | None) -> bool:
    """People with write access to the board; without a board, owners and admins of the organization."""
    return actor.is_user and (actor.administers(actor.organization_id) if board is None else actor.writes(board))


@rule(
    "outgoing_webhook.read",
    "outgoing_webhook.update",
    "outgoing_webhook.delete",
    "outgoing_webhook.rotate_secret",
    "outgoing_webhook.pause",
    "outgoing_webhook.resume",
    "outgoing_webhook.resend",
    "outgoing_webhook.test",
)
def may_change_outgoing_webhook(actor: Actor, thing: OutgoingWebhook | OutgoingDelivery) -> bool:
    """People with write access to its board; of one without a board, owners and admins: its address is a secret."""
    webhook = thing.webhook if isinstance(thing, OutgoingDelivery) else thing
    if webhook.board_id is None:
        return actor.is_user and actor.administers(webhook.organization_id)
    return actor.is_user and actor.writes(webhook.board)


# The loop, for what commands have written into the log.
ONLY_SYSTEM = OnlySystem("outgoing_webhook.queue", "outgoing_webhook.settle")
