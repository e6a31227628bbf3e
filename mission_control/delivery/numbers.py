"""The numbers of deliveries: growing per organization, and visible in their order."""

from collections.abc import Iterable

from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.delivery.models import Delivery
from mission_control.live.log_head import Head


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
