"""Jobs: long work that a person started and may leave."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.database.fields import Changing, UtcDatetimeField, json_field, nullable, reference


class Job(Changing):
    """One piece of long work: `running`, `done`, `failed` or `interrupted`.

    `step` says what is being done, `done` of `total` how far that is; `total` is None where nobody knows. `runner` is
    the process that works on it; without one its state is kept elsewhere and survives every process. `updated_at` is
    touched while it runs. `read_at` is when its result was read.
    """

    organization = reference("Organization")
    user = reference("User", null=True, on_delete=fields.SET_NULL)
    kind = fields.CharField(max_length=32)
    title = fields.TextField()
    state = fields.CharField(max_length=16, default="running")
    step = fields.TextField(default="")
    done = fields.IntField(default=0)
    total = nullable(fields.IntField)
    result = json_field(null=True)
    error = nullable(fields.TextField)
    runner = nullable(fields.CharField, max_length=64)
    finished_at = UtcDatetimeField(null=True)
    read_at = UtcDatetimeField(null=True)

    organization_id: UUID
    user_id: UUID | None

    class Meta:
        table = "jobs"
        indexes = (
            Index(fields=("organization_id", "created_at")),
            Index(fields=("user_id", "read_at")),
            Index(fields=("state", "updated_at")),
        )

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def outcome(self) -> str:
        """Its state in one word; `partly` when it is done and has noted problems."""
        return "partly" if self.result and self.result.get("problems") else self.state

    @property
    def percent(self) -> int | None:
        """How much of its present step is done, of 100; None where nobody knows."""
        return None if not self.total else min(100, 100 * self.done // self.total)
