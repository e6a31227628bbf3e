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

    `action` is `provision`, `update`, `adopt`, `remove`, `unlink` (an adopted agent), or `sync` for the parent of the
    jobs of a template sync, whose `sync_id` is its id. `options` are those of the request. `steps` are the steps with
    their states and times, in order, as people see them. `target` holds what a job has to remember between its steps;
    that of a removal outlives its agent. A job that `awaits_check_in` ends when its agent calls.
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
    awaits_check_in = fields.BooleanField(default=False)
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
