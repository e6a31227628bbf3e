"""Notifications of people."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField


class Notification(Model):
    """Something that concerns a person by name: `kind` is `mention` or `assignment`.

    A mention stands in the comment `comment_id` or in the entry `memory_id`, whose words are read there, so that what
    is deleted is gone here, too. `actor_kind` and `actor_id` say who did it; `actor_name` is kept for agents.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, on_delete=fields.CASCADE)
    kind = fields.CharField(max_length=16)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, on_delete=fields.CASCADE)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, null=True, on_delete=fields.CASCADE)
    comment_id: Any = fields.UUIDField(null=True)
    memory_id: Any = fields.UUIDField(null=True)
    actor_kind = fields.CharField(max_length=16)
    actor_id: Any = fields.UUIDField(null=True)
    actor_name: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)
    read_at: Any = UtcDatetimeField(null=True)

    organization_id: Any
    user_id: Any
    board_id: Any
    task_id: Any

    class Meta:
        table = "notifications"
        indexes = (Index(fields=("user_id", "organization_id", "created_at")),)
