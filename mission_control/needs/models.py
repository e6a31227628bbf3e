"""What people put off, and who was asked by name."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

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


class AskedPerson(Dated):
    """A person who was asked by name for an approval or a question, by its kind and id, and why.

    `unanswered`: nobody answered by the deadline. `unseen`: nobody had looked for so many `minutes`. `away`: somebody
    who was asked is away until a moment, and this is who stands in (`instead_of`).
    """

    kind = fields.CharField(max_length=16)
    subject_id = fields.UUIDField()
    user = reference("User")
    why = fields.CharField(max_length=16)
    minutes = nullable(fields.IntField)
    instead_of = reference("User", null=True)
    away_until = UtcDatetimeField(null=True)

    user_id: UUID
    instead_of_id: UUID | None

    class Meta:
        table = "asked_people"
        unique_together = (("kind", "subject_id", "user"),)
        indexes = (Index(fields=("user_id",)), Index(fields=("instead_of_id",)))
