"""What people put off."""

from uuid import UUID

from tortoise import fields

from mission_control.database.records import Dated, UtcDatetimeField, nullable, reference


class Snooze(Dated):
    """A need that a person put off, by its kind and the id of what it is about.

    It is shown again after `until`, or when it has another `version`, whichever is first; null is never.
    """

    user = reference("User")
    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    until = UtcDatetimeField(null=True)
    version = nullable(fields.TextField)

    user_id: UUID

    class Meta:
        table = "need_snoozes"
        unique_together = (("user", "kind", "subject_id"),)
