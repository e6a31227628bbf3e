"""The rows of the room `home`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import Asked, Dated, UtcDatetimeField, json_field, nullable, reference


class Question(Asked):
    """An agent's question to people: `open`, `answered`, or `withdrawn`. The answer is also an entry of the memory.

    `options` are those of `schemas.OptionRead`; `chosen_option_id` is the one that a person chose. `run_id` names the
    run that asked; with its end the question is withdrawn by itself (`closed_at`), and `closed_reason` says why.
    """

    board = reference("Board")
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    content = fields.TextField()
    correlation_id = fields.TextField(null=True)
    preferred_channel = fields.TextField(null=True)
    reply_tags = json_field(default=list)
    reply_source = fields.TextField(null=True)
    options = json_field(null=True)
    allows_text = fields.BooleanField(default=True)
    chosen_option_id = nullable(fields.CharField, max_length=64)
    state = fields.CharField(max_length=16, default="open")
    answer = nullable(fields.TextField)
    answered_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    answered_at = UtcDatetimeField(null=True)
    answered_by_name = nullable(fields.TextField)  # on the gateway that asked
    otherwise_option_id = nullable(fields.CharField, max_length=64)
    closed_reason = nullable(fields.TextField)
    closed_at = UtcDatetimeField(null=True)

    agent_id: UUID | None
    answered_by_user_id: UUID | None

    class Meta:
        table = "agent_questions"
        indexes = (Index(fields=("board_id", "state", "created_at")),)

    def scope(self) -> Scope:
        """Return the scope of events about this question; `board` must be loaded."""
        return Scope(self.board.organization_id, self.board_id, agent_id=self.agent_id, subject_id=self.id)


class GatewayRequest(Dated):
    """What a gateway asks for an agent without a board: `kind` is `approval` or `question`.

    An approval is `pending`, `approved` or `rejected`, and has `action_type` and `payload` as those of boards. A
    question is `pending`, `answered` or `withdrawn`, and has `content`, `options`, `allows_text` and
    `chosen_option_id`. `answer` is what the gateway gets; `answer_state` is `waiting` to be sent, `sent`, or `late`.
    `agent_name` is the agent's name here or, where it is unknown, its id on the gateway.
    """

    organization = reference("Organization")
    gateway = reference("Gateway")
    kind = fields.CharField(max_length=16)
    external_id = fields.TextField()
    gateway_agent_id = fields.TextField()
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    action_type = nullable(fields.TextField)
    payload = json_field(null=True)
    content = nullable(fields.TextField)
    options = json_field(null=True)
    allows_text = fields.BooleanField(default=True)
    chosen_option_id = nullable(fields.CharField, max_length=64)
    expires_at = UtcDatetimeField(null=True)
    status = fields.CharField(max_length=16, default="pending")
    answer = nullable(fields.TextField)
    answer_state = nullable(fields.CharField, max_length=16)
    note = nullable(fields.TextField)
    resolved_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    resolved_by_name = nullable(fields.TextField)
    resolved_at = UtcDatetimeField(null=True)

    organization_id: UUID
    gateway_id: UUID
    agent_id: UUID | None
    resolved_by_user_id: UUID | None

    class Meta:
        table = "gateway_requests"
        unique_together = (("gateway", "external_id"),)
        indexes = (Index(fields=("organization_id", "status", "created_at")),)

    @property
    def state(self) -> str:
        return "open" if self.status == "pending" else self.status

    def scope(self) -> Scope:
        """Return the scope of events about this request, which stand on its gateway's page."""
        return Scope(organization_id=self.organization_id, subject_id=self.gateway_id)


class Notification(Dated):
    """Something that concerns a person by name: `kind` is `mention`, `assignment` or `note`.

    A mention stands in the comment `comment_id` or in the entry `memory_id`, whose words are read there, so that what
    is deleted is gone here, too. A note is one that did not reach its agent. `actor_kind` and `actor_id` say who did
    it; `actor_name` is kept for agents.
    """

    organization = reference("Organization")
    user = reference("User")
    kind = fields.CharField(max_length=16)
    board = reference("Board")
    task = reference("Task", null=True)
    comment_id = nullable(fields.UUIDField)
    memory_id = nullable(fields.UUIDField)
    actor_kind = fields.CharField(max_length=16)
    actor_id = nullable(fields.UUIDField)
    actor_name = nullable(fields.TextField)
    read_at = UtcDatetimeField(null=True)

    organization_id: UUID
    user_id: UUID
    board_id: UUID
    task_id: UUID | None

    class Meta:
        table = "notifications"
        indexes = (Index(fields=("user_id", "organization_id", "created_at")),)
