"""Files of boards that somebody has given to be imported."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField, json_field, nullable, reference


class BoardImport(Model):
    """A board's file that was read and waits for its import, or has been imported: kept for a day.

    `content` is the file, compressed. `preview` is what it would bring; `job_id` the job that imports it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization")
    user = reference("User")
    content = fields.BinaryField()
    preview = json_field(default=dict)
    job_id = nullable(fields.UUIDField)
    created_at = UtcDatetimeField(default=now)

    organization_id: UUID
    user_id: UUID

    class Meta:
        table = "board_imports"
        indexes = (("organization_id", "created_at"), ("user_id",))
