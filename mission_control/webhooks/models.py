"""Webhooks and the calls that they received."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Webhook(Model):
    """An address at which another system writes to a board. The secret is encrypted.

    With `takes_unsigned` the secret is not enforced yet; the first signed call ends that.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    description = fields.TextField()
    enabled = fields.BooleanField(default=True)
    secret: Any = fields.TextField(null=True)
    takes_unsigned = fields.BooleanField(default=False)
    signature_header: Any = fields.CharField(max_length=255, null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    board_id: Any
    agent_id: Any

    class Meta:
        table = "board_webhooks"
        indexes = (Index(fields=("board_id", "created_at")),)

    def scope(self) -> Scope:
        """Return where an event about this webhook belongs; `board` must be loaded."""
        return Scope(organization_id=self.board.organization_id, board_id=self.board_id, subject_id=self.id)


class WebhookPayload(Model):
    """One call that a webhook received."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    webhook: Any = fields.ForeignKeyField("models.Webhook", related_name=False, on_delete=fields.CASCADE)
    payload: Any = fields.JSONField(null=True)
    headers: Any = fields.JSONField(null=True)
    source_ip: Any = fields.TextField(null=True)
    content_type: Any = fields.TextField(null=True)
    is_signed: Any = fields.BooleanField(null=True)  # None: from before this was kept
    is_test = fields.BooleanField(default=False)
    received_at = UtcDatetimeField(default=now)

    board_id: Any
    webhook_id: Any

    class Meta:
        table = "board_webhook_payloads"
        indexes = (Index(fields=("board_id", "webhook_id", "received_at")),)
