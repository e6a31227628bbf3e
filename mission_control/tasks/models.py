"""The rows of the room `tasks`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.actor import Scope
from mission_control.database.records import (
    Changing,
    Dated,
    Owned,
    UtcDatetimeField,
    json_field,
    nullable,
    only_reference,
    reference,
)


class Task(Changing):
    """A card on a board. A deleted one keeps its row with `deleted_at` set.

    `attempt` rises with every assignment, its end without a hand-in, and every step back to an earlier column: what was
    asked before is about other work. `rework_at` is when the work was sent back to its agent.

    No agent begins it before the moment `not_before`, which holds nobody else.

    `blocks_parent` says that its parent cannot be handed in before it is done.
    """

    board = reference("Board")
    board_id: UUID
    number = fields.IntField()
    title = fields.TextField()
    description = fields.TextField(null=True)
    status = fields.CharField(max_length=16, default="inbox")
    priority = fields.CharField(max_length=64, default="medium")
    position = fields.FloatField()
    due_at = UtcDatetimeField(null=True)
    not_before = UtcDatetimeField(null=True)
    in_progress_at = UtcDatetimeField(null=True)
    previous_in_progress_at = UtcDatetimeField(null=True)
    created_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    created_by_user_id: UUID | None
    assigned_agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    assigned_agent_id: UUID | None
    assigned_user = reference("User", null=True, on_delete=fields.SET_NULL)
    assigned_user_id: UUID | None
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
    parent = reference("Task", null=True, on_delete=fields.SET_NULL)
    parent_id: UUID | None
    blocks_parent = fields.BooleanField(default=False)
    deleted_at = UtcDatetimeField(null=True)
    archived_at = UtcDatetimeField(null=True)

    class Meta:
        table = "tasks"
        unique_together = (("board", "number"),)
        indexes = (Index(fields=("assigned_agent_id", "status")),)

    @property
    def url(self) -> str:
        return f"/boards/{self.board_id}/tasks/{self.id}"

    def scope(self) -> Scope:
        """`board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id, board_id=self.board_id, task_id=self.id, subject_id=self.id
        )


class TaskDependency(Dated):
    """An edge: `task` waits for `depends_on_task` to be done."""

    board = reference("Board")
    board_id: UUID
    task = reference("Task")
    task_id: UUID
    depends_on_task = reference("Task")
    depends_on_task_id: UUID

    class Meta:
        table = "task_dependencies"
        unique_together = (("task", "depends_on_task"),)


class TaskLink(Dated):
    """What one task is to another: `found_in` or `duplicate_of`."""

    task = reference("Task")
    task_id: UUID
    other = reference("Task")
    other_id: UUID
    kind = fields.CharField(max_length=16)

    class Meta:
        table = "task_links"
        unique_together = (("task", "other", "kind"),)
        indexes = (Index(fields=("other_id",)),)


class TaskProposal(Dated):
    """Work that an agent found: `open` until somebody makes it a task (`accepted`), merges it into one, or drops it.

    `task_id` is the task that it became or was merged into, `found_in_id` the one at which it was found.
    """

    board = reference("Board")
    board_id: UUID
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    agent_name = fields.TextField()
    run_id = nullable(fields.UUIDField)
    found_in_id = nullable(fields.UUIDField)
    title = fields.TextField()
    description = fields.TextField(null=True)
    reason = fields.TextField()
    priority = fields.CharField(max_length=64, default="medium")
    state = fields.CharField(max_length=16, default="open")
    task_id = nullable(fields.UUIDField)
    decided_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    decided_by_user_id: UUID | None
    decided_by_agent_id = nullable(fields.UUIDField)
    decided_at = UtcDatetimeField(null=True)
    note = nullable(fields.TextField)

    class Meta:
        table = "task_proposals"
        indexes = (Index(fields=("board_id", "created_at")),)

    def scope(self) -> Scope:
        """`board` must be loaded."""
        return Scope(
            organization_id=self.board.organization_id, board_id=self.board_id, task_id=self.task_id, subject_id=self.id
        )


class Comment(Dated):
    """Something said about a task by an agent or a person; its id is the id of its event."""

    task = reference("Task")
    task_id: UUID
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    user_id: UUID | None
    author_name = fields.TextField(null=True)
    message = fields.TextField()
    edited_at = UtcDatetimeField(null=True)
    deleted_at = UtcDatetimeField(null=True)

    class Meta:
        table = "task_comments"
        indexes = (Index(fields=("task_id", "created_at")),)


class ChecklistItem(Changing):
    """A small step of a task. One that `is_criterion` says what must hold when the work is handed in."""

    task = reference("Task")
    task_id: UUID
    text = fields.TextField()
    is_done = fields.BooleanField(default=False)
    is_criterion = fields.BooleanField(default=False)
    position = fields.FloatField()

    class Meta:
        table = "task_checklist_items"
        indexes = (Index(fields=("task_id", "position")),)


class Attachment(Dated):
    """A file on a task, or on one of its comments; its bytes are in `AttachmentContent`."""

    task = reference("Task")
    task_id: UUID
    comment = reference("Comment", null=True, on_delete=fields.SET_NULL)
    comment_id: UUID | None
    run = reference("Run", null=True, on_delete=fields.SET_NULL)
    run_id: UUID | None
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_id: UUID | None
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    user_id: UUID | None
    name = fields.TextField()
    content_type = fields.CharField(max_length=255)
    size = fields.IntField()
    sha256 = fields.CharField(max_length=64)

    class Meta:
        table = "task_attachments"
        indexes = (Index(fields=("task_id", "created_at")),)


class AttachmentContent(Model):
    """The bytes of an attachment, apart so that lists never read them."""

    attachment = only_reference("Attachment", primary_key=True)
    attachment_id: UUID
    content = fields.BinaryField()

    class Meta:
        table = "task_attachment_contents"


class CustomField(Owned):
    """A field that an organization adds to tasks of some boards."""

    field_key = fields.CharField(max_length=255)
    label = fields.TextField()
    field_type = fields.CharField(max_length=16, default="text")
    ui_visibility = fields.CharField(max_length=16, default="always")
    validation_regex = nullable(fields.TextField)
    description = nullable(fields.TextField)
    required = fields.BooleanField(default=False)
    default_value = json_field(null=True)
    position = nullable(fields.IntField)  # None: after those with one, by label

    class Meta:
        table = "task_custom_field_definitions"
        unique_together = (("organization", "field_key"),)


class CustomFieldBoard(Dated):
    """A board whose tasks have a field."""

    board = reference("Board")
    board_id: UUID
    field = reference("CustomField")
    field_id: UUID

    class Meta:
        table = "board_task_custom_fields"
        unique_together = (("board", "field"),)


class CustomFieldValue(Changing):
    """A task's value of a field; a missing row means the default."""

    task = reference("Task")
    task_id: UUID
    field = reference("CustomField")
    field_id: UUID
    value = json_field(null=True)

    class Meta:
        table = "task_custom_field_values"
        unique_together = (("task", "field"),)


class Tag(Owned):
    """A word with a colour, for tasks of an organization."""

    name = fields.TextField()
    slug = fields.CharField(max_length=255)
    color = fields.CharField(max_length=6, default="9e9e9e")
    description = nullable(fields.TextField)

    class Meta:
        table = "tags"
        unique_together = (("organization", "slug"),)


class TagAssignment(Dated):
    """A tag on a task."""

    task = reference("Task")
    task_id: UUID
    tag = reference("Tag")
    tag_id: UUID

    class Meta:
        table = "tag_assignments"
        unique_together = (("task", "tag"),)
        indexes = (Index(fields=("tag_id",)),)
