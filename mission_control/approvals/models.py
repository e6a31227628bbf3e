"""Approvals: what an agent asks a person to decide."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Approval(Model):
    """One request for a decision. `decision` distinguishes a rejection from work sent back for changes.

    `closed` is the decision of one that became moot; its status is `rejected`, and `note` says why.

    `run_id` names the run that asked: of the only task that it names, or of an asker that works on one task.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    requested_by_user: Any = fields.ForeignKeyField(
        "models.User", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    action_type = fields.TextField()
    payload: Any = fields.JSONField(null=True)
    confidence = fields.FloatField()
    rubric_scores: Any = fields.JSONField(null=True)
    status = fields.CharField(max_length=16, default="pending")
    decision: Any = fields.CharField(max_length=32, null=True)
    note: Any = fields.TextField(null=True)
    resolved_by_user: Any = fields.ForeignKeyField(
        "models.User", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    resolved_by_kind: Any = fields.CharField(max_length=16, null=True)
    resolved_at: Any = UtcDatetimeField(null=True)
    run_id: Any = fields.UUIDField(null=True)
    # Of an approval that a gateway asks for: its id there, and until when it may be decided; who decided it there; our
    # answer (`allow-once`, `allow-always`, `deny`), which is `waiting` to be sent, `sent`, or `late`.
    gateway_id: Any = fields.UUIDField(null=True)
    external_id: Any = fields.TextField(null=True)
    expires_at: Any = UtcDatetimeField(null=True)
    resolved_by_name: Any = fields.TextField(null=True)
    answer: Any = fields.CharField(max_length=16, null=True)
    answer_state: Any = fields.CharField(max_length=16, null=True)
    # When it should be decided, and what happens otherwise: `remind`, `send_back`, or `ask` the person named. After
    # that `decide_by` is null, and `reminded_at` or `asked_user_id` say what happened.
    decide_by: Any = UtcDatetimeField(null=True)
    otherwise: Any = fields.CharField(max_length=16, null=True)
    otherwise_user_id: Any = fields.UUIDField(null=True)
    reminded_at: Any = UtcDatetimeField(null=True)
    asked_user_id: Any = fields.UUIDField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    board_id: Any
    agent_id: Any
    requested_by_user_id: Any
    resolved_by_user_id: Any

    class Meta:
        table = "approvals"
        indexes = (
            Index(fields=("board_id", "created_at")),
            Index(fields=("status", "created_at")),
        )

    def scope(self, task_id: Any = None) -> Scope:
        """Return the scope of events about this approval; `board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id,
            board_id=self.board_id,
            task_id=task_id,
            subject_id=self.id,
        )


class ApprovalTask(Model):
    """A task that an approval is about. `is_pending` repeats the approval's state for a unique index.

    `asked_attempt` is the task's attempt when it was asked: only one of the present attempt lets the task be done.
    `run_id` is the run that the task had then. `decided_attempt` is the attempt after the decision took effect, and
    `outcome` what it did to the task; `closed` when the request became moot for this task.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    approval: Any = fields.ForeignKeyField("models.Approval", related_name=False, on_delete=fields.CASCADE)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    is_pending = fields.BooleanField(default=True)
    asked_attempt: Any = fields.IntField(null=True)
    run_id: Any = fields.UUIDField(null=True)
    decided_attempt: Any = fields.IntField(null=True)
    outcome: Any = fields.CharField(max_length=16, null=True)
    outcome_reason: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)

    approval_id: Any
    task_id: Any

    class Meta:
        table = "approval_task_links"
        unique_together = (("approval", "task"),)
        indexes = (Index(fields=("task_id",)),)
