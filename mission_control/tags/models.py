"""Tags."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, Dated, nullable, reference


class Tag(Changing):
    """A word with a colour, for tasks of an organization."""

    organization = reference("Organization")
    name = fields.TextField()
    slug = fields.CharField(max_length=255)
    color = fields.CharField(max_length=6, default="9e9e9e")
    description = nullable(fields.TextField)

    organization_id: UUID

    class Meta:
        table = "tags"
        unique_together = (("organization", "slug"),)

    def scope(self) -> Scope:
        """Return the scope of events about this tag."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class TagAssignment(Dated):
    """A tag on a task."""

    task = reference("Task")
    tag = reference("Tag")

    task_id: UUID
    tag_id: UUID

    class Meta:
        table = "tag_assignments"
        unique_together = (("task", "tag"),)
        indexes = (Index(fields=("tag_id",)),)
