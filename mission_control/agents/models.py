"""Agents: programs that work on boards."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, Dated, UtcDatetimeField, json_field, nullable, reference


class Agent(Changing):
    """A lead or worker of a board. Without a gateway it is a direct agent: any program with a token."""

    organization = reference("Organization")
    board = reference("Board", null=True)
    gateway_id = fields.UUIDField(null=True, db_index=True)
    name = fields.TextField()
    status = fields.CharField(max_length=64, default="provisioning")
    is_board_lead = fields.BooleanField(default=False)
    heartbeat_config = json_field(null=True)
    identity_profile = json_field(null=True)
    identity_template = fields.TextField(null=True)
    soul_template = fields.TextField(null=True)
    openclaw_session_id = fields.TextField(null=True)
    # On a gateway: its agent there, the folder of its files, and its token for them, encrypted.
    gateway_agent_id = nullable(fields.TextField)
    workspace_path = nullable(fields.TextField)
    workspace_token = nullable(fields.TextField)
    is_adopted = fields.BooleanField(default=False)
    last_provision_error = nullable(fields.TextField)
    wake_attempts = fields.IntField(default=0)
    last_wake_sent_at = UtcDatetimeField(null=True)
    checkin_deadline_at = UtcDatetimeField(null=True)
    # Since when its gateway has been away, and since when it has been in a turn there.
    gateway_away_at = UtcDatetimeField(null=True)
    run_began_at = UtcDatetimeField(null=True)
    wip_limit = nullable(fields.IntField)
    claim_tags = json_field(null=True)
    callback_url = nullable(fields.TextField)
    callback_secret = nullable(fields.TextField)
    work_state = fields.CharField(max_length=16, default="running")
    work_state_reason = nullable(fields.TextField)
    work_state_at = UtcDatetimeField(null=True)
    last_seen_at = UtcDatetimeField(null=True)

    organization_id: UUID
    board_id: UUID | None

    class Meta:
        table = "agents"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("board_id", "created_at")),
            Index(fields=("last_seen_at",)),
        )

    def scope(self) -> Scope:
        """Return the scope of events about this agent."""
        return Scope(
            organization_id=self.organization_id,
            board_id=self.board_id,
            agent_id=self.id,
            subject_id=self.id,
        )


class AgentSoul(Dated):
    """A version of an agent's soul, its author and the reason; the newest is the current one."""

    agent = reference("Agent")
    content = fields.TextField()
    source_url = fields.TextField(null=True)
    reason = fields.TextField(null=True)
    author_kind = fields.CharField(max_length=16)
    author_id = fields.UUIDField(null=True)
    author_name = fields.TextField(null=True)

    agent_id: UUID

    class Meta:
        table = "agent_souls"
        indexes = (Index(fields=("agent_id", "created_at")),)
