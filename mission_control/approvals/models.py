"""Approvals: what an agent asks a person to decide."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.database.records import Asked, Changing, Dated, UtcDatetimeField, json_field, nullable, reference


class Approval(Asked, Changing):
    """One request for a decision. `decision` distinguishes a rejection from work sent back for changes.

    `closed` is the decision of one that became moot; its status is `rejected`, and `note` says why.

    `run_id` names the run that asked: of the only task that it names, or of an asker that works on one task.
    """

    board = reference("Board")
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    requested_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    action_type = fields.TextField()
    payload = json_field(null=True)
    confidence = fields.FloatField()
    rubric_scores = json_field(null=True)
    status = fields.CharField(max_length=16, default="pending")
    decision = nullable(fields.CharField, max_length=32)
    note = nullable(fields.TextField)
    resolved_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    resolved_by_kind = nullable(fields.CharField, max_length=16)
    resolved_at = UtcDatetimeField(null=True)
    # The session whose program asks; its `external_id` names the call, and is one while it waits.
    session_id = nullable(fields.UUIDField)
    # Who decided outside, and our answer to what asked there: `allow-once`, `allow-always`, `deny` or `stop`.
    resolved_by_name = nullable(fields.TextField)
    answer = nullable(fields.CharField, max_length=16)

    agent_id: UUID | None
    requested_by_user_id: UUID | None
    resolved_by_user_id: UUID | None

    class Meta:
        table = "approvals"
        indexes = (
            Index(fields=("board_id", "created_at")),
            Index(fields=("board_id", "resolved_at", "id")),
            Index(fields=("board_id", "decision", "resolved_at", "id")),
            Index(fields=("status", "created_at")),
        )

    @property
    def is_outside(self) -> bool:
        """Whether a gateway or a program asks, which acts on the answer at once."""
        return self.gateway_id is not None or self.session_id is not None

    def scope(self, task_id: UUID | None = None) -> Scope:
        """`board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id, board_id=self.board_id, task_id=task_id, subject_id=self.id
        )


class ApprovalTask(Dated):
    """A task that an approval is about. `is_pending` repeats the approval's state for a unique index.

    `asked_attempt` is the task's attempt when it was asked: only one of the present attempt lets the task be done.
    `run_id` is the run that the task had then. `decided_attempt` is the attempt after the decision took effect, and
    `outcome` what it did to the task; `closed` when the request became moot for this task.
    """

    approval = reference("Approval")
    task = reference("Task")
    is_pending = fields.BooleanField(default=True)
    asked_attempt = nullable(fields.IntField)
    run_id = nullable(fields.UUIDField)
    decided_attempt = nullable(fields.IntField)
    outcome = nullable(fields.CharField, max_length=16)
    outcome_reason = nullable(fields.TextField)

    approval_id: UUID
    task_id: UUID

    class Meta:
        table = "approval_task_links"
        unique_together = (("approval", "task"),)
        indexes = (Index(fields=("task_id",)),)


class ApprovalVote(Dated):
    """The approval of one of several people who have to approve; its moment is `created_at`.

    It counts while what is decided is what the person saw: `is_current` repeats that for the list of needs. `always`:
    they said yes for the next times too.
    """

    approval = reference("Approval")
    user = reference("User")
    substance = fields.TextField()
    note = nullable(fields.TextField)
    always = fields.BooleanField(default=False)
    is_current = fields.BooleanField(default=True)

    approval_id: UUID
    user_id: UUID

    class Meta:
        table = "approval_votes"
        unique_together = (("approval", "user"),)
        indexes = (Index(fields=("user_id",)),)
