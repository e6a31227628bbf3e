"""How many things wait for each person of an organization, for the number that every page shows.

Two statements serve everybody, so that an event costs the same with one page open and with a hundred.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import select
from mission_control.needs.kinds import KINDS, Seeker
from mission_control.needs.schemas import Kind

_BOARDS = "SELECT id FROM boards WHERE deleted_at IS NULL AND organization_id = ?"
_SNOOZED = (
    "s.subject_id = e.id AND s.kind = e.kind AND (s.until IS NULL OR s.until > ?)"
    " AND (s.version IS NULL OR s.version = e.version) AND (e.owner_id IS NULL OR e.owner_id = s.user_id)"
)


@dataclass(frozen=True, slots=True)
class _Some:
    """So many needs of a kind on a board, of one person or of everybody who may act on them."""

    kind: Kind
    board_id: UUID | None
    person_id: UUID | None
    number: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in an organization, and what people put off."""

    found: list[_Some]
    snoozed: Mapping[UUID, list[_Some]]

    def for_person(self, actor: Actor) -> int:
        """Return how many wait for a person."""
        mine = sum(one.number for one in self.found if one.person_id in (None, actor.user_id) and _reaches(actor, one))
        off = self.snoozed.get(actor.user_id, []) if actor.user_id is not None else []
        return mine - sum(one.number for one in off if _reaches(actor, one))


async def waiting_in(organization_id: UUID) -> Waiting:
    """Count what waits in an organization."""
    parts = [part for one in KINDS.values() if (part := one.find(Seeker(organization_id, None, True))) is not None]
    every = " UNION ALL ".join(sql for sql, _ in parts)
    table, values = f"WITH mine AS ({_BOARDS}), every AS ({every})", [value for _, more in parts for value in more]
    found = await select(
        _Some,
        f"{table} SELECT e.kind, e.board_id, e.owner_id AS person_id, COUNT(*) AS number FROM every e"
        " GROUP BY e.kind, e.board_id, e.owner_id",
        organization_id,
        *values,
    )
    off = await select(
        _Some,
        f"{table} SELECT e.kind, e.board_id, s.user_id AS person_id, COUNT(*) AS number FROM need_snoozes s"
        f" JOIN every e ON {_SNOOZED} GROUP BY e.kind, e.board_id, s.user_id",
        organization_id,
        *values,
        clock.now(),
    )
    snoozed: dict[UUID, list[_Some]] = {}
    for one in off:
        if one.person_id is not None:
            snoozed.setdefault(UUID(str(one.person_id)), []).append(one)
    return Waiting(found, snoozed)


def _reaches(actor: Actor, some: _Some) -> bool:
    """Return whether a person may act on needs of this kind and board."""
    membership = actor.memberships.get(actor.organization_id)
    if membership is None or (KINDS[some.kind].is_for_admins and membership.role not in ("owner", "admin")):
        return False
    if some.board_id is None or membership.all_boards_write:
        return True
    return membership.boards.get(some.board_id, (False, False))[1]
