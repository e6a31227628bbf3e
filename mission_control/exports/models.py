"""Files of boards that somebody has given to be imported."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField


class BoardImport(Model):
    """A board's file that was read and waits for its import, or has been imported: kept for a day.

    `content` is the file, compressed. `preview` is what it would bring; `job_id` the job that imports it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, on_delete=fields.CASCADE)
    content = fields.BinaryField()
    preview: Any = fields.JSONField(default=dict)
    job_id: Any = fields.UUIDField(null=True)
    created_at = UtcDatetimeField(default=now)

    organization_id: Any
    user_id: Any

    class Meta:
        table = "board_imports"
        indexes = (("organization_id", "created_at"), ("user_id",))
