"""Imports of boards."""

from uuid import UUID

from tortoise import fields

from mission_control.database.records import Dated, json_field, nullable, reference


class BoardImport(Dated):
    """A board's file that was read and waits for its import, or has been imported: kept for a day.

    `content` is the file, compressed. `preview` is what it would bring; `job_id` the job that imports it.
    """

    organization = reference("Organization")
    user = reference("User")
    content = fields.BinaryField()
    preview = json_field(default=dict)
    job_id = nullable(fields.UUIDField)

    organization_id: UUID
    user_id: UUID

    class Meta:
        table = "board_imports"
        indexes = (("organization_id", "created_at"), ("user_id",))
