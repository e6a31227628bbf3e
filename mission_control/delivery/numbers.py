"""The numbers of deliveries: growing per organization, and visible in their order."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.delivery.models import Delivery


async def hold_recipients(deliveries: list[Delivery]) -> None:
    """On PostgreSQL, lock the agents that new rows will refer to before the organization's row is locked.

    Otherwise a command that holds an agent and waits for the organization would wait in a circle with this one. What
    is for an agent that was deleted meanwhile is taken out.
    """
    agents = sorted({one.agent_id for one in deliveries if one.agent_id is not None})
    if agents and is_postgres():
        sql = f"SELECT id FROM agents WHERE id IN ({placeholders(len(agents))}) ORDER BY id FOR KEY SHARE"
        present = {row["id"] for row in await rows(sql, *agents)}
        deliveries[:] = [one for one in deliveries if one.agent_id is None or one.agent_id in present]


async def number(deliveries: Sequence[Delivery]) -> None:
    """Give new deliveries their numbers inside the running transaction.

    The organization's row stays locked until the commit, so that a reader who has seen a number never finds a smaller
    new one.
    """
    by_organization: dict[UUID, list[Delivery]] = {}
    for one in deliveries:
        if one.organization_id is not None:
            by_organization.setdefault(one.organization_id, []).append(one)
    for organization_id, batch in sorted(by_organization.items()):
        found = await rows(
            "UPDATE organizations SET delivery_seq = delivery_seq + ? WHERE id = ? RETURNING delivery_seq",
            len(batch),
            organization_id,
        )
        first = int(found[0]["delivery_seq"]) - len(batch) + 1 if found else 1
        for seq, one in enumerate(batch, start=first):
            one.seq = seq
