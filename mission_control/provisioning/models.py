"""Jobs that create, change and remove agents on gateways."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField


class ProvisioningJob(Model):
    """One run through the steps for an agent: `waiting`, `running` under a lease, `done`, `failed`.

    `action` is `provision`, `update`, `adopt` or `remove`; `options` are those of the request. `steps` are the steps
    with their states and times, in order, as people see them. The job of a removal outlives its agent: `target` holds
    what it needs to know.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    gateway: Any = fields.ForeignKeyField("models.Gateway", related_name=False, on_delete=fields.CASCADE)
    agent_id: Any = fields.UUIDField(null=True)
    sync_id: Any = fields.UUIDField(null=True)
    action = fields.CharField(max_length=16)
    options: Any = fields.JSONField(default=dict)
    target: Any = fields.JSONField(default=dict)
    steps: Any = fields.JSONField(default=list)
    state = fields.CharField(max_length=16, default="waiting")
    attempts = fields.IntField(default=0)
    due_at = UtcDatetimeField(default=now)
    leased_by: Any = fields.CharField(max_length=64, null=True)
    leased_until: Any = UtcDatetimeField(null=True)
    last_error: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)
    finished_at: Any = UtcDatetimeField(null=True)

    organization_id: Any
    gateway_id: Any

    class Meta:
        table = "provisioning_jobs"
        indexes = (
            Index(fields=("state", "due_at")),
            Index(fields=("agent_id", "created_at")),
            Index(fields=("gateway_id", "created_at")),
            Index(fields=("sync_id",)),
        )
