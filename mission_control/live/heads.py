"""An organization's head: its row, under whose lock events and deliveries get their numbers.

It is taken last and held until the commit, so that numbers become visible in order: a reader who has seen one never
finds a smaller new one.
"""

from dataclasses import dataclass
from uuid import UUID

from mission_control.core.errors import NotFound
from mission_control.database.sql import is_postgres, rows


@dataclass(slots=True)
class Head:
    """The newest numbers of an organization, and the hash of its newest event."""

    organization_id: UUID
    log_seq: int
    log_hash: str
    delivery_seq: int


async def hold(organization_id: UUID) -> Head:
    """Lock the head inside the running transaction; NotFound when the organization was deleted meanwhile."""
    found = await rows(
        "SELECT log_seq, log_hash, delivery_seq FROM organizations WHERE id = ?"
        + (" FOR NO KEY UPDATE" if is_postgres() else ""),
        organization_id,
    )
    if not found:
        raise NotFound()
    row = found[0]
    return Head(organization_id, int(row["log_seq"]), row["log_hash"], int(row["delivery_seq"]))


async def keep(head: Head) -> None:
    """Write a head down that is held."""
    await rows(
        "UPDATE organizations SET log_seq = ?, log_hash = ?, delivery_seq = ? WHERE id = ?",
        head.log_seq,
        head.log_hash,
        head.delivery_seq,
        head.organization_id,
    )
