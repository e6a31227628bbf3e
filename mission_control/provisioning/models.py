"""Jobs that create, change and remove agents on gateways."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core import clock
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


LABELS = {
    "create": "Create the agent",
    "list": "Wait until the gateway knows it",
    "config": "Write its configuration",
    "files": "Write its files",
    "session": "Prepare its session",
    "wake": "Wake it",
    "check_in": "Wait for its first call",
    "remove": "Remove the agent",
    "find": "Find the agent",
    "credentials": "Add its credentials",
    "unlink": "Remove what was added",
    "rest": "End what it does",
}
ENDED = ("done", "skipped")
REMOVALS = ("remove", "unlink")
# Jobs that need nothing but what they hold themselves.
ALONE = (*REMOVALS, "rest")


# The steps of jobs, as they are stored and as people see them.
def plan_of(action: str, options: dict[str, Any]) -> list[str]:
    """Return the keys of the steps of a job, in order."""
    if action == "remove":
        return ["remove"]
    if action in ("unlink", "rest"):
        return [action]
    waking = ["wake", "check_in"] if options.get("wake") else []
    if action == "adopt":
        return ["find", "credentials", *waking]
    return ["create", "list", "config", "files", "session", *waking]


def new_steps(keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return the steps of a job that has not begun."""
    return [{"key": key, "state": "waiting", "at": None, "note": ""} for key in keys]


def marked(steps: list[dict[str, object]], key: str, state: str, note: str = "") -> list[dict[str, object]]:
    """Return the steps with one of them in another state, as of now."""
    now = clock.wire(clock.now())
    return [one | {"state": state, "at": now, "note": note} if one["key"] == key else one for one in steps]


def next_step(steps: list[dict[str, Any]]) -> str | None:
    """Return the key of the first step that has not ended."""
    return next((one["key"] for one in steps if one["state"] not in ENDED), None)


def step_of(steps: list[dict[str, object]], key: str) -> dict[str, object] | None:
    return next((one for one in steps if one["key"] == key), None)
