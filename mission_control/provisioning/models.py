"""Jobs that create, change and remove agents on gateways."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField, json_field, nullable, reference
from mission_control.work.leases import Leased


class ProvisioningJob(Leased):
    """One run through the steps for an agent: `waiting`, `running` under a lease, `done`, `failed`.

    `action` is `provision`, `update`, `adopt`, `remove`, `unlink` (an adopted agent), or `sync` for the parent of the
    jobs of a template sync, whose `sync_id` is its id. `options` are those of the request. `steps` are the steps with
    their states and times, in order, as people see them. `target` holds what a job has to remember between its steps;
    that of a removal outlives its agent. A job that `awaits_check_in` ends when its agent calls.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization")
    gateway = reference("Gateway")
    agent_id = nullable(fields.UUIDField)
    sync_id = nullable(fields.UUIDField)
    action = fields.CharField(max_length=16)
    options = json_field(default=dict)
    target = json_field(default=dict)
    steps = json_field(default=list)
    awaits_check_in = fields.BooleanField(default=False)
    updated_at = UtcDatetimeField(default=now)
    finished_at = UtcDatetimeField(null=True)

    organization_id: UUID
    gateway_id: UUID

    class Meta:
        table = "provisioning_jobs"
        indexes = (
            Index(fields=("state", "due_at")),
            Index(fields=("agent_id", "created_at")),
            Index(fields=("gateway_id", "created_at")),
            Index(fields=("sync_id",)),
        )
