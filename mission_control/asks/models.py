"""What people put off."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField, nullable, reference


class Snooze(Model):
    """A need that a person put off, by its kind and the id of what it is about.

    It is shown again after `until`, or when it has another `version`, whichever is first; null is never.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    user = reference("User")
    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    until = UtcDatetimeField(null=True)
    version = nullable(fields.TextField)
    created_at = UtcDatetimeField(default=now)

    user_id: UUID

    class Meta:
        table = "need_snoozes"
        unique_together = (("user", "kind", "subject_id"),)
