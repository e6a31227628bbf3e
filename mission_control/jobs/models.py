"""Jobs: long work that a person started and may leave."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField


class Job(Model):
    """One piece of long work: `running`, `done`, `failed` or `interrupted`.

    `step` says what is being done, `done` of `total` how far that is; `total` is None where nobody knows. `runner` is
    the process that works on it; without one its state is kept elsewhere and survives every process. `updated_at` is
    touched while it runs. `read_at` is when its result was read.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    user: Any = fields.ForeignKeyField("models.User", related_name=False, on_delete=fields.SET_NULL, null=True)
    kind = fields.CharField(max_length=32)
    title = fields.TextField()
    state = fields.CharField(max_length=16, default="running")
    step = fields.TextField(default="")
    done = fields.IntField(default=0)
    total: Any = fields.IntField(null=True)
    result: Any = fields.JSONField(null=True)
    error: Any = fields.TextField(null=True)
    runner: Any = fields.CharField(max_length=64, null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)
    finished_at: Any = UtcDatetimeField(null=True)
    read_at: Any = UtcDatetimeField(null=True)

    organization_id: Any
    user_id: Any

    class Meta:
        table = "jobs"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("user_id", "read_at")),
            Index(fields=("state", "updated_at")),
        )

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"

    @property
    def outcome(self) -> str:
        """Its state in one word; `partly` when it is done and has noted problems."""
        return "partly" if self.result and self.result.get("problems") else self.state

    @property
    def percent(self) -> int | None:
        """How much of its present step is done, of 100; None where nobody knows."""
        return None if not self.total else min(100, 100 * self.done // self.total)
