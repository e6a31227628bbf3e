"""Find the people and agents that a board's file names."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.database.sql import as_id, rows
from mission_control.exports.file import Dropped
from mission_control.exports.parts import AuthorPart


@dataclass(slots=True)
class Known:
    """The people and agents of the organization, and what was dropped for lack of them."""

    people: dict[str, UUID] = field(default_factory=dict)
    readers: set[UUID] = field(default_factory=set)
    agents: dict[str, UUID] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)

    def drop(self, what: str, name: str, where: str) -> None:
        """Note that something is not imported."""
        self.dropped.append(Dropped(what=what, name=name, where=where))

    def person(self, email: str | None, what: str, where: str, *, must_read: bool = False) -> UUID | None:
        """Return the member with an e-mail address; with `must_read` only one who reaches every new board."""
        if email is None:
            return None
        found = self.people.get(email.lower())
        if found is None or (must_read and found not in self.readers):
            self.drop(what, email, where)
            return None
        return found

    def author(self, author: AuthorPart, what: str, where: str) -> tuple[UUID | None, UUID | None]:
        """Return the person and the agent behind something, at most one of them not null."""
        if author.kind == "person":
            if author.email is None:
                self.drop(what, author.name or "a person without an e-mail address", where)
            return self.person(author.email, what, where), None
        if author.kind == "agent":
            found = self.agents.get(author.name or "")
            if found is None:
                self.drop(what, author.name or "", where)
            return None, found
        return None, None


async def known_in(organization_id: UUID) -> Known:
    """Return an organization's members by e-mail, and its agents by name where the name is unique."""
    known = Known()
    for row in await rows(
        "SELECT u.id, u.email, m.all_boards_read, m.all_boards_write FROM organization_members m"
        " JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND u.email IS NOT NULL",
        organization_id,
    ):
        known.people[row["email"].lower()] = _id(row)
        if row["all_boards_read"] or row["all_boards_write"]:
            known.readers.add(_id(row))
    for row in await rows(
        "SELECT name, MIN(CAST(id AS TEXT)) AS id FROM agents WHERE organization_id = ?"
        " GROUP BY name HAVING COUNT(*) = 1",
        organization_id,
    ):
        known.agents[row["name"]] = _id(row)
    return known


def _id(row: dict[str, Any]) -> UUID:
    found = as_id(row["id"])
    assert found is not None
    return found
