"""The people of an organization, as its admins see them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.accounts.policy import may_reset
from mission_control.accounts.provider_links import LOCAL
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of the organization."""

    id: UUID
    name: str
    email: str
    role: str
    has_password: bool
    may_reset: bool
    may_link: bool


async def colleagues(actor: Actor) -> list[Colleague]:
    """Return the people of the active organization."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name, u.email, u.clerk_user_id, m.role,"
        " u.password_hash IS NOT NULL AS has_password"
        " FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ?"
        " ORDER BY CASE m.role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, LOWER(COALESCE(u.name, u.email))",
        actor.organization_id,
    )
    roles = await _roles_of([row["id"] for row in found])
    return [
        Colleague(
            id=UUID(str(row["id"])),
            name=row["name"],
            email=row["email"] or "",
            role=row["role"],
            has_password=bool(row["has_password"]),
            may_reset=may_reset(actor, roles[str(row["id"])]),
            may_link=str(row["clerk_user_id"]).startswith(LOCAL) and may_reset(actor, roles[str(row["id"])]),
        )
        for row in found
    ]


async def _roles_of(user_ids: list[Any]) -> dict[str, dict[UUID, str]]:
    """Return the roles of some people by organization."""
    found = await rows(
        "SELECT user_id, organization_id, role FROM organization_members"
        f" WHERE user_id IN ({placeholders(len(user_ids))})",
        *user_ids,
    )
    roles: dict[str, dict[UUID, str]] = {}
    for row in found:
        roles.setdefault(str(row["user_id"]), {})[UUID(str(row["organization_id"]))] = row["role"]
    return roles
