"""Questions of agents to people."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Question(Model):
    """An agent's question to people: `open`, `answered`, or `withdrawn`. The answer is also an entry of the memory.

    `options` are those of `schemas.OptionRead`; `chosen_option_id` is the one that a person chose. `run_id` names the
    run that asked; with its end the question is withdrawn by itself (`closed_at`), and `closed_reason` says why.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    content = fields.TextField()
    correlation_id = fields.TextField(null=True)
    preferred_channel = fields.TextField(null=True)
    reply_tags: Any = fields.JSONField(default=list)
    reply_source = fields.TextField(null=True)
    options: Any = fields.JSONField(null=True)
    allows_text = fields.BooleanField(default=True)
    chosen_option_id: Any = fields.CharField(max_length=64, null=True)
    state = fields.CharField(max_length=16, default="open")
    answer: Any = fields.TextField(null=True)
    answered_by_user: Any = fields.ForeignKeyField(
        "models.User", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    answered_at: Any = UtcDatetimeField(null=True)
    # Of a question that a gateway asks: its id there, and until when it may be answered; who answered it there; the
    # state of our answer, which is `waiting` to be sent, `sent`, or `late`.
    gateway_id: Any = fields.UUIDField(null=True)
    external_id: Any = fields.TextField(null=True)
    expires_at: Any = UtcDatetimeField(null=True)
    answered_by_name: Any = fields.TextField(null=True)
    answer_state: Any = fields.CharField(max_length=16, null=True)
    # When it should be answered, and what happens otherwise: `remind`, `ask` the person named, or the `option` named is
    # taken. After that `decide_by` is null, and `reminded_at` or `asked_user_id` say what happened.
    decide_by: Any = UtcDatetimeField(null=True)
    otherwise: Any = fields.CharField(max_length=16, null=True)
    otherwise_user_id: Any = fields.UUIDField(null=True)
    otherwise_option_id: Any = fields.CharField(max_length=64, null=True)
    reminded_at: Any = UtcDatetimeField(null=True)
    asked_user_id: Any = fields.UUIDField(null=True)
    run_id: Any = fields.UUIDField(null=True)
    closed_reason: Any = fields.TextField(null=True)
    closed_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    board_id: Any
    agent_id: Any
    answered_by_user_id: Any

    class Meta:
        table = "agent_questions"
        indexes = (Index(fields=("board_id", "state", "created_at")),)

    def scope(self) -> Scope:
        """Return the scope of events about this question; `board` must be loaded."""
        return Scope(self.board.organization_id, self.board_id, agent_id=self.agent_id, subject_id=self.id)
