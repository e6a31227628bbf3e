"""Tags."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField


class Tag(Model):
    """A word with a colour, for tasks of an organization."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    name = fields.TextField()
    slug = fields.CharField(max_length=255)
    color = fields.CharField(max_length=6, default="9e9e9e")
    description: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    organization_id: Any

    class Meta:
        table = "tags"
        unique_together = (("organization", "slug"),)

    def scope(self) -> Scope:
        """Return the scope of events about this tag."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class TagAssignment(Model):
    """A tag on a task."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    task: Any = fields.ForeignKeyField("models.Task", related_name=False, on_delete=fields.CASCADE)
    tag: Any = fields.ForeignKeyField("models.Tag", related_name=False, on_delete=fields.CASCADE)
    created_at = UtcDatetimeField(default=now)

    task_id: Any
    tag_id: Any

    class Meta:
        table = "tag_assignments"
        unique_together = (("task", "tag"),)
        indexes = (Index(fields=("tag_id",)),)
