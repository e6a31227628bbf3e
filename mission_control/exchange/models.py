"""The rows of the room `exchange`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.database.records import (
    Changing,
    Dated,
    Identified,
    UtcDatetimeField,
    json_field,
    nullable,
    reference,
    sealed,
)


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


class BoardImport(Dated):
    """A board's file that was read and waits for its import, or has been imported: kept for a day.

    `content` is the file, compressed. `preview` is what it would bring; `job_id` the job that imports it.
    """

    organization = reference("Organization")
    user = reference("User")
    content = fields.BinaryField()
    preview = json_field(default=dict)
    job_id = nullable(fields.UUIDField)

    organization_id: UUID
    user_id: UUID

    class Meta:
        table = "board_imports"
        indexes = (("organization_id", "created_at"), ("user_id",))
