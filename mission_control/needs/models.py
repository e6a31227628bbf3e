"""What people put off."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField


class Snooze(Model):
    """A need that a person put off, by its kind and the id of what it is about.

    It is shown again after `until`, or when it has another `version`, whichever is first; null is never.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, on_delete=fields.CASCADE)
    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    until: Any = UtcDatetimeField(null=True)
    version: Any = fields.TextField(null=True)
    created_at = UtcDatetimeField(default=now)

    user_id: Any

    class Meta:
        table = "need_snoozes"
        unique_together = (("user", "kind", "subject_id"),)
