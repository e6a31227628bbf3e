"""What the pages about an organization read."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.core.actor import Actor
from mission_control.database.sql import rows

MAX_HEIRS = 200


@dataclass(frozen=True, slots=True)
class Counts:
    """What goes with an organization that is deleted."""

    boards: int
    tasks: int
    agents: int
    people: int
    events: int


async def consequences(organization_id: UUID) -> Counts:
    """Count what an organization holds."""
    [row] = await rows(
        "SELECT (SELECT COUNT(*) FROM boards WHERE organization_id = ? AND deleted_at IS NULL) AS boards,"
        " (SELECT COUNT(*) FROM tasks t JOIN boards b ON b.id = t.board_id WHERE b.organization_id = ?"
        " AND b.deleted_at IS NULL AND t.deleted_at IS NULL) AS tasks,"
        " (SELECT COUNT(*) FROM agents WHERE organization_id = ?) AS agents,"
        " (SELECT COUNT(*) FROM organization_members WHERE organization_id = ?) AS people,"
        " (SELECT log_seq FROM organizations WHERE id = ?) AS events",
        *[organization_id] * 5,
    )
    return Counts(**{name: int(row[name] or 0) for name in Counts.__slots__})


async def people_options(organization_id: UUID) -> list[tuple[str, str]]:
    """Return the members by their account, as options of a form."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? ORDER BY LOWER(COALESCE(u.name, u.email)), u.id LIMIT {MAX_HEIRS}",
        organization_id,
    )
    return [(str(row["id"]), row["name"]) for row in found]


async def heirs(actor: Actor) -> list[tuple[str, str]]:
    """Return the members who may become the owner instead of the actor, as options of a form."""
    found = await rows(
        f"SELECT m.id, {person_name('u', 'User')} AS name, u.email FROM organization_members m"
        " JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id <> ?"
        f" ORDER BY LOWER(COALESCE(u.name, u.email)), m.id LIMIT {MAX_HEIRS}",
        actor.organization_id,
        actor.id,
    )
    return [(str(row["id"]), f"{row['name']} ({row['email']})" if row["email"] else row["name"]) for row in found]
