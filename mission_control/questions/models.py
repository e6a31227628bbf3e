"""Questions of agents."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import Asked, UtcDatetimeField, json_field, nullable, reference


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
