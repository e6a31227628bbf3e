"""Tasks, what they depend on, and what was said about them."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, Dated, UtcDatetimeField, nullable, only_reference, reference


class Task(Changing):
    """A card on a board. A deleted one keeps its row with `deleted_at` set.

    `attempt` rises with every assignment, its end without a hand-in, and every step back to an earlier column: what was
    asked before is about other work. `rework_at` is when the work was sent back to its agent.
    """

    board = reference("Board")
    number = fields.IntField()
    title = fields.TextField()
    description = fields.TextField(null=True)
    status = fields.CharField(max_length=16, default="inbox")
    priority = fields.CharField(max_length=64, default="medium")
    position = fields.FloatField()
    due_at = UtcDatetimeField(null=True)
    in_progress_at = UtcDatetimeField(null=True)
    previous_in_progress_at = UtcDatetimeField(null=True)
    created_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    assigned_agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    assigned_user = reference("User", null=True, on_delete=fields.SET_NULL)
    review_agent_id = fields.UUIDField(null=True)
    fence = fields.IntField(default=0)
    attempt = fields.IntField(default=0)
    rework_at = UtcDatetimeField(null=True)
    failed_attempts = fields.IntField(default=0)
    retry_at = UtcDatetimeField(null=True)
    flagged_at = UtcDatetimeField(null=True)
    flag_reason = nullable(fields.TextField)
    auto_created = fields.BooleanField(default=False)
    auto_reason = fields.TextField(null=True)
    deleted_at = UtcDatetimeField(null=True)
    archived_at = UtcDatetimeField(null=True)

    board_id: UUID
    created_by_user_id: UUID | None
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None

    class Meta:
        table = "tasks"
        unique_together = (("board", "number"),)
        indexes = (
            Index(fields=("board_id", "created_at")),
            Index(fields=("board_id", "status", "position")),
            Index(fields=("assigned_agent_id", "status")),
        )

    def scope(self) -> Scope:
        """Return the scope of events about this task; `board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id,
            board_id=self.board_id,
            task_id=self.id,
            subject_id=self.id,
        )


class TaskDependency(Dated):
    """An edge: `task` waits for `depends_on_task` to be done."""

    board = reference("Board")
    task = reference("Task")
    depends_on_task = reference("Task")

    board_id: UUID
    task_id: UUID
    depends_on_task_id: UUID

    class Meta:
        table = "task_dependencies"
        unique_together = (("task", "depends_on_task"),)


class Comment(Dated):
    """Something said about a task by an agent or a person; its id is the id of its event."""

    task = reference("Task")
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    author_name = fields.TextField(null=True)
    message = fields.TextField()
    edited_at = UtcDatetimeField(null=True)
    deleted_at = UtcDatetimeField(null=True)

    task_id: UUID
    agent_id: UUID | None
    user_id: UUID | None

    class Meta:
        table = "task_comments"
        indexes = (Index(fields=("task_id", "created_at")),)


class ChecklistItem(Changing):
    """A small step of a task."""

    task = reference("Task")
    text = fields.TextField()
    is_done = fields.BooleanField(default=False)
    position = fields.FloatField()

    task_id: UUID

    class Meta:
        table = "task_checklist_items"
        indexes = (Index(fields=("task_id", "position")),)


class Attachment(Dated):
    """A file on a task, or on one of its comments; its bytes are in `AttachmentContent`."""

    task = reference("Task")
    comment = reference("Comment", null=True, on_delete=fields.SET_NULL)
    run = reference("Run", null=True, on_delete=fields.SET_NULL)
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    name = fields.TextField()
    content_type = fields.CharField(max_length=255)
    size = fields.IntField()
    sha256 = fields.CharField(max_length=64)

    task_id: UUID
    comment_id: UUID | None
    run_id: UUID | None
    agent_id: UUID | None
    user_id: UUID | None

    class Meta:
        table = "task_attachments"
        indexes = (Index(fields=("task_id", "created_at")),)


class AttachmentContent(Model):
    """The bytes of an attachment, apart so that lists never read them."""

    attachment = only_reference("Attachment", primary_key=True)
    content = fields.BinaryField()

    attachment_id: UUID

    class Meta:
        table = "task_attachment_contents"
