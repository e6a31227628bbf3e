"""Messages to the outside: rows written with the change that caused them."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField, json_field, reference


class Delivery(Model):
    """A message on its way: `waiting`, `sending` under a lease, `sent`, or `failed` for good."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization", null=True)
    seq = fields.BigIntField(null=True)
    kind = fields.CharField(max_length=64)
    agent = reference("Agent", null=True)
    board_id = fields.UUIDField(null=True)
    task_id = fields.UUIDField(null=True)
    header = fields.TextField()
    text = fields.TextField()
    data = json_field(default=dict)
    state = fields.CharField(max_length=16, default="waiting")
    attempts = fields.IntField(default=0)
    due_at = UtcDatetimeField(default=now)
    leased_by = fields.CharField(max_length=64, null=True)
    leased_until = UtcDatetimeField(null=True)
    last_error = fields.TextField(null=True)
    sent_at = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    organization_id: UUID | None
    agent_id: UUID | None

    class Meta:
        table = "deliveries"
        indexes = (
            Index(fields=("state", "kind", "due_at")),
            Index(fields=("agent_id", "state", "created_at")),
            Index(fields=("agent_id", "seq")),
        )
