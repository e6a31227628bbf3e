"""Notifications of people."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.database.records import Dated, UtcDatetimeField, nullable, reference


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
