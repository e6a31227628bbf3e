"""Tags."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import UtcDatetimeField, nullable, reference


class Tag(Model):
    """A word with a colour, for tasks of an organization."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization")
    name = fields.TextField()
    slug = fields.CharField(max_length=255)
    color = fields.CharField(max_length=6, default="9e9e9e")
    description = nullable(fields.TextField)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    organization_id: UUID

    class Meta:
        table = "tags"
        unique_together = (("organization", "slug"),)

    def scope(self) -> Scope:
        """Return the scope of events about this tag."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class TagAssignment(Model):
    """A tag on a task."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    task = reference("Task")
    tag = reference("Tag")
    created_at = UtcDatetimeField(default=now)

    task_id: UUID
    tag_id: UUID

    class Meta:
        table = "tag_assignments"
        unique_together = (("task", "tag"),)
        indexes = (Index(fields=("tag_id",)),)
