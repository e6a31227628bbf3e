"""Runs: the attempts of agents at tasks, each from its assignment to its end."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.clock import now
from mission_control.database.fields import Identified, UtcDatetimeField, json_field, nullable, reference

STATES = ("running", "completed", "released", "expired", "superseded")


class Run(Identified):
    """One assignment of a task to an agent. While it is `running`, it is the task's lease.

    `fence` is the task's number of assignments at that moment. `cost_micros` is in millionths of a US dollar.
    """

    board = reference("Board")
    task = reference("Task")
    agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    agent_name = fields.TextField()
    fence = fields.IntField()
    state = fields.CharField(max_length=16, default="running")
    started_at = UtcDatetimeField(default=now)
    lease_expires_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)
    end_reason = nullable(fields.TextField)
    summary = nullable(fields.TextField)
    evidence = json_field(null=True)
    input_tokens = fields.BigIntField(default=0)
    output_tokens = fields.BigIntField(default=0)
    cost_micros = fields.BigIntField(default=0)

    board_id: UUID
    task_id: UUID
    agent_id: UUID | None

    class Meta:
        table = "task_runs"
        unique_together = (("task", "fence"),)
        indexes = (
            Index(fields=("board_id", "started_at")),
            Index(fields=("agent_id", "started_at")),
        )
