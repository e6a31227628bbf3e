"""Messages to the outside: rows written with the change that caused them."""

from collections.abc import Iterable
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.ids import new_id
from mission_control.database.fields import UtcDatetimeField, json_field, reference
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.live.log import Head
from mission_control.work.leases import Leased

# Notified by every commit that wrote deliveries or made some due, on PostgreSQL in every process.
CHANNEL = "deliveries"
# A poll while nothing is due repairs a lost notification, and finds what the command line wrote on SQLite.
IDLE_SECONDS = 15.0
# Something is due, and another worker has it.
BUSY_SECONDS = 1.0
# While nothing is being sent the loop looks at most once in this time: it takes what many commands wrote together.
DEBOUNCE_SECONDS = 0.02


class Delivery(Leased):
    """A message on its way: `waiting`, `sending` under a lease, `sent`, or `failed` for good."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    organization = reference("Organization", null=True)
    seq = fields.BigIntField(null=True)
    kind = fields.CharField(max_length=64)
    agent = reference("Agent", null=True)
    board_id = fields.UUIDField(null=True)
    task_id = fields.UUIDField(null=True)
    header = fields.TextField()
    text = fields.TextField()
    data = json_field(default=dict)
    sent_at = UtcDatetimeField(null=True)

    organization_id: UUID | None
    agent_id: UUID | None

    class Meta:
        table = "deliveries"
        indexes = (
            Index(fields=("state", "kind", "due_at")),
            Index(fields=("agent_id", "state", "created_at")),
            Index(fields=("agent_id", "seq")),
        )


async def lock_recipients(deliveries: list[Delivery]) -> None:
    """Lock the agents that new rows will refer to before the organization's row is locked; PostgreSQL only.

    Otherwise a command that holds an agent and waits for the organization would deadlock with this one. Remove
    deliveries to deleted agents.
    """
    agents = sorted({one.agent_id for one in deliveries if one.agent_id is not None})
    if agents and is_postgres():
        sql = f"SELECT id FROM agents WHERE id IN ({placeholders(len(agents))}) ORDER BY id FOR KEY SHARE"
        present = {row["id"] for row in await rows(sql, *agents)}
        deliveries[:] = [one for one in deliveries if one.agent_id is None or one.agent_id in present]


def number(head: Head, deliveries: Iterable[Delivery]) -> None:
    """Give new deliveries of one organization their numbers under its head, which moves on."""
    for one in deliveries:
        head.delivery_seq += 1
        one.seq = head.delivery_seq
