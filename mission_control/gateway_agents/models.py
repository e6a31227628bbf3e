"""The rows of the room `fleet`."""

from collections.abc import Iterable
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core import times
from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.core.values import JsonObject, new_id
from mission_control.database.records import Changing, Identified, UtcDatetimeField, json_field, nullable, reference
from mission_control.events.leases import Leased


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
    "create": "Create the agent", "list": "Wait until the gateway knows it", "config": "Write its configuration",
    "files": "Write its files", "session": "Prepare its session", "wake": "Wake it",
    "check_in": "Wait for its first call", "remove": "Remove the agent", "find": "Find the agent",
    "credentials": "Add its credentials", "unlink": "Remove what was added", "rest": "End what it does",
}  # fmt: skip
REMOVALS = ("remove", "unlink")
# Jobs that need nothing but what they hold themselves.
ALONE = (*REMOVALS, "rest")


# The steps of jobs, as they are stored and as people see them.
def plan_of(action: str, options: JsonObject) -> list[str]:
    if action == "remove":
        return ["remove"]
    if action in ("unlink", "rest"):
        return [action]
    waking = ["wake", "check_in"] if options.get("wake") else []
    if action == "adopt":
        return ["find", "credentials", *waking]
    return ["create", "list", "config", "files", "session", *waking]


def new_steps(keys: Iterable[str]) -> list[JsonObject]:
    return [{"key": key, "state": "waiting", "at": None, "note": ""} for key in keys]


def marked(steps: list[JsonObject], key: str, state: str, note: str = "") -> list[JsonObject]:
    mark = {"state": state, "at": times.wire(times.clock_now()), "note": note}
    return [step | mark if step["key"] == key else step for step in steps]


def next_step(steps: list[JsonObject]) -> str | None:
    return next((step["key"] for step in steps if step["state"] not in ("done", "skipped")), None)


class CatalogueRow(Changing):
    """What skills and packs have in common."""

    organization = reference("Organization")
    name = fields.TextField()
    description = nullable(fields.TextField)
    source_url = fields.CharField(max_length=2000)
    metadata = json_field(default=dict)

    organization_id: UUID

    class Meta:
        abstract = True

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class Skill(CatalogueRow):
    """An entry of the organization's catalogue."""

    category = nullable(fields.TextField)
    risk = nullable(fields.TextField)
    source = nullable(fields.TextField)
    content = nullable(fields.TextField)

    class Meta:
        table = "marketplace_skills"
        unique_together = (("organization", "source_url"),)


class SkillPack(CatalogueRow):
    """A repository that skills are read from."""

    branch = fields.CharField(max_length=255, default="main")

    class Meta:
        table = "skill_packs"
        unique_together = (("organization", "source_url"),)


class InstalledSkill(Changing):
    """What was asked of a gateway about a skill: to have it (`is_wanted`) or to be without it, by which delivery."""

    gateway = reference("Gateway")
    skill = reference("Skill")
    is_wanted = fields.BooleanField(default=True)
    delivery_id = nullable(fields.UUIDField)

    gateway_id: UUID
    skill_id: UUID

    class Meta:
        table = "gateway_installed_skills"
        unique_together = (("gateway", "skill"),)


class OnboardingSession(Changing):
    """One conversation about a board: `active`, `completed` by the agent, `confirmed` by a person, or cancelled.

    While the agent has to answer, `delivery_id` names the message that it has to answer; `silent_at` is when the wait
    became too long.
    """

    board = reference("Board")
    session_key = fields.TextField(default="")
    status = fields.CharField(max_length=16, default="active")
    messages = json_field(default=list)
    draft_goal = json_field(null=True)
    delivery_id = nullable(fields.UUIDField)
    silent_at = UtcDatetimeField(null=True)
    cancelled_at = UtcDatetimeField(null=True)

    board_id: UUID

    class Meta:
        table = "board_onboarding_sessions"
        indexes = (Index(fields=("board_id", "updated_at")),)


class SessionUsage(Identified):
    """The tokens and the cost of a session that were counted; cost is in millionths of a US dollar.

    `session_id` tells a session that began anew from the one before. `session_key` has only the agent of the key
    (`agent:<id>`), because a session that is deleted lives on under another key, with its id and its usage.
    """

    gateway = reference("Gateway")
    session_key = fields.TextField()
    session_id = fields.TextField(default="")
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cost_micros = fields.BigIntField(default=0)
    updated_at = UtcDatetimeField(default=now)

    gateway_id: UUID

    class Meta:
        table = "gateway_session_usage"
        unique_together = (("gateway", "session_key", "session_id"),)
