"""Usage of agents, and budgets that limit it."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.clock import now
from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField

WARN_AT_PERCENT = 80


class UsageEntry(Model):
    """Tokens and money of an agent, counted at once. `cost_micros` is in millionths of a US dollar.

    `source` is `agent` for what it reported itself, and `gateway` for what its gateway measured. Of an agent on a
    gateway each counts only what goes beyond the other.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, null=True, on_delete=fields.SET_NULL)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.SET_NULL)
    run: Any = fields.ForeignKeyField("models.Run", related_name=False, null=True, on_delete=fields.SET_NULL)
    task_id = fields.UUIDField(null=True)
    day = fields.CharField(max_length=10)
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cost_micros = fields.BigIntField(default=0)
    model: Any = fields.TextField(null=True)
    source = fields.CharField(max_length=16, default="agent")
    created_at = UtcDatetimeField(default=now)

    organization_id: Any
    board_id: Any
    agent_id: Any
    run_id: Any

    class Meta:
        table = "usage_entries"
        indexes = (
            Index(fields=("organization_id", "day")),
            Index(fields=("board_id", "day")),
            Index(fields=("agent_id", "day")),
        )


class GatewayAgentUsage(Model):
    """What an agent used in all, as its gateway measured it and as it reported it; the larger one counts."""

    agent: Any = fields.OneToOneField("models.Agent", related_name=False, primary_key=True, on_delete=fields.CASCADE)
    measured_input = fields.BigIntField(default=0)
    measured_output = fields.BigIntField(default=0)
    measured_micros = fields.BigIntField(default=0)
    reported_input = fields.BigIntField(default=0)
    reported_output = fields.BigIntField(default=0)
    reported_micros = fields.BigIntField(default=0)

    agent_id: Any

    class Meta:
        table = "gateway_agent_usage"


class Budget(Model):
    """A limit for one agent, one board, or (neither given) the organization, for each UTC day or in total.

    `unit` is `tokens` (input and output together) or `cost` (millionths of a US dollar). `used_amount` is what was used
    on the day `used_on`, or ever when the period is `total`: it grows with every report, under the budget's lock.
    `state_at` is when it was nearly or fully used up.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization: Any = fields.ForeignKeyField("models.Organization", related_name=False, on_delete=fields.CASCADE)
    board: Any = fields.ForeignKeyField("models.Board", related_name=False, null=True, on_delete=fields.CASCADE)
    agent: Any = fields.ForeignKeyField("models.Agent", related_name=False, null=True, on_delete=fields.CASCADE)
    unit = fields.CharField(max_length=16)
    period = fields.CharField(max_length=16, default="day")
    limit_amount = fields.BigIntField()
    used_amount = fields.BigIntField(default=0)
    used_on: Any = fields.CharField(max_length=10, null=True)
    warned_on: Any = fields.CharField(max_length=10, null=True)
    exceeded_on: Any = fields.CharField(max_length=10, null=True)
    state_at: Any = UtcDatetimeField(null=True)
    created_at = UtcDatetimeField(default=now)
    updated_at = UtcDatetimeField(default=now)

    organization_id: Any
    board_id: Any
    agent_id: Any

    class Meta:
        table = "budgets"

    @property
    def subject(self) -> str:
        """The kind of its owner."""
        return "agent" if self.agent_id else "board" if self.board_id else "organization"

    def used(self, day: str) -> int:
        """Return how much of it is used on a day."""
        return self.used_amount if self.period == "total" or self.used_on == day else 0

    def stands(self, line: str | None, day: str) -> bool:
        """Return whether `warned_on` or `exceeded_on` still holds on a day."""
        return line is not None and (self.period == "total" or line == day)

    def state(self, day: str) -> str:
        """`ok`, `warning` from 80 % on, or `exceeded`."""
        used = self.used(day)
        if used >= self.limit_amount:
            return "exceeded"
        return "warning" if used * 100 >= self.limit_amount * WARN_AT_PERCENT else "ok"
