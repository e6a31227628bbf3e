"""Custom fields."""

from uuid import UUID

from tortoise import fields

from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, Dated, json_field, nullable, reference


class CustomField(Changing):
    """A field that an organization adds to tasks of some boards."""

    organization = reference("Organization")
    field_key = fields.CharField(max_length=255)
    label = fields.TextField()
    field_type = fields.CharField(max_length=16, default="text")
    ui_visibility = fields.CharField(max_length=16, default="always")
    validation_regex = nullable(fields.TextField)
    description = nullable(fields.TextField)
    required = fields.BooleanField(default=False)
    default_value = json_field(null=True)
    position = nullable(fields.IntField)  # None: after those with one, by label

    organization_id: UUID

    class Meta:
        table = "task_custom_field_definitions"
        unique_together = (("organization", "field_key"),)

    def scope(self) -> Scope:
        """Return the scope of events about this field."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class CustomFieldBoard(Dated):
    """A board whose tasks have a field."""

    board = reference("Board")
    field = reference("CustomField")

    board_id: UUID
    field_id: UUID

    class Meta:
        table = "board_task_custom_fields"
        unique_together = (("board", "field"),)


class CustomFieldValue(Changing):
    """A task's value of a field; a missing row means the default."""

    task = reference("Task")
    field = reference("CustomField")
    value = json_field(null=True)

    task_id: UUID
    field_id: UUID

    class Meta:
        table = "task_custom_field_values"
        unique_together = (("task", "field"),)
