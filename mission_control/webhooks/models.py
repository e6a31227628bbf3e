"""Webhooks with what they received, and outgoing webhooks with what they sent."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.core.values import new_id
from mission_control.database.records import (
    Changing,
    Identified,
    Owned,
    UtcDatetimeField,
    json_field,
    nullable,
    reference,
    sealed,
)
from mission_control.events.leases import Leased


class Webhook(Changing):
    """An address at which another system writes to a board. The secret is encrypted.

    With `takes_unsigned` the secret is not enforced yet; the first signed call ends that. Where it is a `forge` that
    calls, it tells of its `repository`, or of all that are below that address.
    """

    board = reference("Board")
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    description = fields.TextField()
    enabled = fields.BooleanField(default=True)
    secret = sealed(nullable(fields.TextField))
    takes_unsigned = fields.BooleanField(default=False)
    signature_header = nullable(fields.CharField, max_length=255)
    forge = nullable(fields.CharField, max_length=16)
    repository = nullable(fields.TextField)

    board_id: UUID
    agent_id: UUID | None

    class Meta:
        table = "board_webhooks"
        indexes = (Index(fields=("board_id", "created_at")),)

    def scope(self) -> Scope:
        """Return where an event about this webhook belongs; `board` must be loaded."""
        return Scope(organization_id=self.board.organization_id, board_id=self.board_id, subject_id=self.id)


class WebhookPayload(Identified):
    """One call that a webhook received."""

    board = reference("Board")
    webhook = reference("Webhook")
    payload = json_field(null=True)
    headers = json_field(null=True)
    source_ip = nullable(fields.TextField)
    content_type = nullable(fields.TextField)
    is_signed = nullable(fields.BooleanField)  # None: from before this was kept
    is_test = fields.BooleanField(default=False)
    received_at = UtcDatetimeField(default=now)

    board_id: UUID
    webhook_id: UUID

    class Meta:
        table = "board_webhook_payloads"
        indexes = (Index(fields=("board_id", "webhook_id", "received_at")),)


class OutgoingWebhook(Owned):
    """An address to which the events of a board, or of the organization, are sent. Address and secrets are encrypted.

    `state` is `on`, `paused` by a person, `failed` when Mission Control paused it, or `gone` when its receiver answered
    410; `reason` says why in the last two. `kinds` are names of events, and families such as `task.*`; none means all.
    `position` is the number in the log up to which its deliveries were written. `failing_since` is when the first of
    the last attempts failed that all did, `given_up` how many deliveries were given up since one arrived. The receiver
    takes nothing before `not_before`. `former_secret` signs too until `former_until`.
    """

    board = reference("Board", null=True)
    description = fields.TextField()
    url = sealed(fields.TextField())
    kinds = json_field(default=list)
    secret = sealed(fields.TextField())
    former_secret = sealed(nullable(fields.TextField))
    former_until = UtcDatetimeField(null=True)
    state = fields.CharField(max_length=16, default="on")
    state_at = UtcDatetimeField(default=now)
    reason = nullable(fields.TextField)
    position = fields.BigIntField(default=0)
    failing_since = UtcDatetimeField(null=True)
    given_up = fields.IntField(default=0)
    not_before = UtcDatetimeField(null=True)

    board_id: UUID | None

    class Meta:
        table = "outgoing_webhooks"
        indexes = (Index(fields=("organization_id", "created_at")), Index(fields=("board_id", "created_at")))

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, board_id=self.board_id, subject_id=self.id)


class OutgoingDelivery(Leased):
    """A message of an outgoing webhook: `waiting`, `sending` under a lease, `sent`, or `failed` for good.

    `message_id` stays the same when it is sent again. `seq` is the number of its event, from which its text is read at
    each attempt; what is in no log has it in `data`. `status`, `answer` and `duration_ms` are of the last attempt.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    webhook = reference("OutgoingWebhook")
    message_id = fields.UUIDField()
    seq = fields.BigIntField(null=True)
    kind = fields.CharField(max_length=96)
    data = json_field(null=True)
    happened_at = UtcDatetimeField(default=now)
    is_replay = fields.BooleanField(default=False)
    status = fields.IntField(null=True)
    answer = nullable(fields.TextField)
    duration_ms = fields.IntField(null=True)
    tried_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)

    webhook_id: UUID

    class Meta:
        table = "outgoing_deliveries"
        indexes = (
            Index(fields=("webhook_id", "state", "due_at")),
            Index(fields=("webhook_id", "created_at")),
            Index(fields=("webhook_id", "message_id")),
        )
