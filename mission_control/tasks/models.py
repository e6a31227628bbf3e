"""Tasks, what they depend on, and what was said about them."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Task(Model):
    """A card on a board. A deleted one keeps its row with `deleted_at` set.

    `attempt` rises with every assignment, its end without a hand-in, and every step back to an earlier column: what was
    asked before is about other work. `rework_at` is when the work was sent back to its agent.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    number = fields.IntField()
    title = fields.TextField()
    description = fields.TextField(null=True)
    status = fields.CharField(max_length=16, default="inbox")
    priority = fields.CharField(max_length=64, default="medium")
    position = fields.FloatField()
    due_at = UtcDatetimeField(null=True)
    in_progress_at = UtcDatetimeField(null=True)
    previous_in_progress_at = UtcDatetimeField(null=True)
    created_by_user: Any = fields.ForeignKeyField(
        "models.User", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    assigned_agent: Any = fields.ForeignKeyField(
        "models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    assigned_user: Any = fields.ForeignKeyField("models.User", related_name=False, null=True, on_delete=fields.SET_NULL)
    review_agent_id = fields.UUIDField(null=True)
    fence = fields.IntField(default=0)
    attempt = fields.IntField(default=0)
    rework_at: Any = UtcDatetimeField(null=True)
    failed_attempts = fields.IntField(default=0)
    retry_at: Any = UtcDatetimeField(null=True)
    flagged_at: Any = UtcDatetimeField(null=True)
    flag_reason: Any = fields.TextField(null=True)
    auto_created = fields.BooleanField(default=False)
    auto_reason = fields.TextField(null=True)
    deleted_at = UtcDatetimeField(null=True)
    archived_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    board_id: Any
    created_by_user_id: Any
    assigned_agent_id: Any
    assigned_user_id: Any

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


class TaskDependency(Model):
    """An edge: `task` waits for `depends_on_task` to be done."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    depends_on_task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    created_at = UtcDatetimeField(default=now)

    board_id: Any
    task_id: Any
    depends_on_task_id: Any

    class Meta:
        table = "task_dependencies"
        unique_together = (("task", "depends_on_task"),)


class Comment(Model):
    """Something said about a task by an agent or a person; its id is the id of its event."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, null=True, on_delete=fields.SET_NULL)
    author_name = fields.TextField(null=True)
    message = fields.TextField()
    edited_at: Any = UtcDatetimeField(null=True)
    deleted_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)

    task_id: Any
    agent_id: Any
    user_id: Any

    class Meta:
        table = "task_comments"
        indexes = (Index(fields=("task_id", "created_at")),)


class ChecklistItem(Model):
    """A small step of a task."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    text = fields.TextField()
    is_done = fields.BooleanField(default=False)
    position = fields.FloatField()
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    task_id: Any

    class Meta:
        table = "task_checklist_items"
        indexes = (Index(fields=("task_id", "position")),)


class Attachment(Model):
    """A file on a task, or on one of its comments; its bytes are in `AttachmentContent`."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    comment: Any = fields.ForeignKeyField("models.Comment", related_name=False, null=True, on_delete=fields.SET_NULL)
    run: Any = fields.ForeignKeyField("models.Run", related_name=False, null=True, on_delete=fields.SET_NULL)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, null=True, on_delete=fields.SET_NULL)
    name = fields.TextField()
    content_type = fields.CharField(max_length=255)
    size = fields.IntField()
    sha256 = fields.CharField(max_length=64)
    created_at = UtcDatetimeField(default=now)

    task_id: Any
    comment_id: Any
    run_id: Any
    agent_id: Any
    user_id: Any

    class Meta:
        table = "task_attachments"
        indexes = (Index(fields=("task_id", "created_at")),)


class AttachmentContent(Model):
    """The bytes of an attachment, apart so that lists never read them."""

    attachment: Any = fields.OneToOneField(
        "models.Attachment", related_name=False, on_delete=fields.CASCADE, primary_key=True
    )
    content = fields.BinaryField()

    attachment_id: Any

    class Meta:
        table = "task_attachment_contents"
