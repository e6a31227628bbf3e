"""Find what nobody has looked at for as long as its board says, and who stands in for people who are away.

A sign that somebody looked: they did something about it, put it off, or a room above knows that they saw it (`Look`).
A look begins the time anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mission_control.core import times
from mission_control.core.extensions import Part
from mission_control.database.sql import as_json, rows, select
from mission_control.needs.escalation import escalation_of
from mission_control.needs.kinds import KINDS, Deadline
from mission_control.needs.recipients import StandIn, standing_in

AT_ONCE = 100
LOOKS: list[str] = []


@dataclass(frozen=True, slots=True)
class Look(Part):
    """SQL for a sign that somebody looked at `x`, a thing of `{kind}`, after the moment that it takes."""

    sql: str

    def install(self) -> None:
        LOOKS.append(self.sql)


SIGNS = (
    Look("SELECT 1 FROM need_snoozes s WHERE s.kind = '{kind}' AND s.subject_id = x.id AND s.created_at > ?"),
    Look(
        "SELECT 1 FROM events e WHERE e.board_id = x.board_id AND e.subject_id = x.id AND e.actor_kind = 'user'"
        " AND e.created_at > ?"
    ),
)


@dataclass(frozen=True, slots=True)
class Due:
    """Something about which the clock has something to do."""

    deadline: Deadline
    id: UUID
    organization_id: UUID


async def due_now() -> list[Due]:
    """Return what is to be escalated, and what somebody stands in for, each once."""
    found = {one.id: one for one in [*await _unseen(), *await _of_people_away()]}
    return list(found.values())


async def _unseen() -> list[Due]:
    found = []
    waiting = " OR ".join(
        f"EXISTS (SELECT 1 FROM {KINDS[kind].table} x WHERE x.board_id = b.id AND x.{deadline.waits})"
        for kind, deadline in _kinds()
    )
    sql = "SELECT b.id, b.organization_id, b.escalation FROM boards b WHERE b.escalation IS NOT NULL"
    for row in await rows(f"{sql} AND b.deleted_at IS NULL AND ({waiting})"):
        board_id, organization_id = UUID(str(row["id"])), UUID(str(row["organization_id"]))
        escalation = escalation_of(as_json(row["escalation"]))
        for taken in range(len(escalation.steps) if escalation is not None else 0):
            for kind, deadline in _kinds():
                minutes = escalation.steps[taken].after_minutes if escalation is not None else 0
                ids = await unseen_on(kind, board_id, taken, timedelta(minutes=minutes))
                found += [Due(deadline, one, organization_id) for one in ids]
    return found


async def unseen_on(kind: str, board_id: UUID, taken: int, after: timedelta, only: UUID | None = None) -> list[UUID]:
    """Return what waits on a board after so many steps, and was not looked at for a time; `only` that one."""
    ask, deadline = KINDS[kind], KINDS[kind].deadline
    if deadline is None:
        return []
    before = times.clock_now() - after
    looks = "".join(f" AND NOT EXISTS ({sql.format(kind=kind)})" for sql in LOOKS)
    one, values = (" AND x.id = ?", [only]) if only is not None else ("", [])
    found = await rows(
        f"SELECT x.id FROM {ask.table} x WHERE x.board_id = ? AND x.{deadline.waits} AND x.escalated = ?"
        f" AND COALESCE(x.escalated_at, x.created_at) <= ?{looks}{one} ORDER BY x.created_at LIMIT {AT_ONCE}",
        board_id,
        taken,
        before,
        *[before] * len(LOOKS),
        *values,
    )
    return [UUID(str(row["id"])) for row in found]


_MINE = "WITH mine AS (SELECT id FROM boards WHERE deleted_at IS NULL)"


async def stand_ins(kind: str, subject: UUID) -> list[StandIn]:
    ask = KINDS[kind]
    waiting = f"SELECT x.id, x.board_id, b.organization_id FROM {ask.table} x JOIN boards b ON b.id = x.board_id"
    sql, values = standing_in(kind, f"{waiting} WHERE x.id = ?", ask.done_for())
    return await select(StandIn, f"{_MINE} {sql}", subject, *values)


async def done_with(kind: str, subject: UUID) -> set[UUID]:
    if not (done := KINDS[kind].done_for()):
        return set()
    found = await rows(f"{_MINE} SELECT d.user_id FROM ({done}) d WHERE d.subject_id = ?", subject)
    return {UUID(str(row["user_id"])) for row in found}


async def _of_people_away() -> list[Due]:
    parts, values = [], list[object]()
    for kind, deadline in _kinds():
        waiting = (
            f"SELECT x.id, x.board_id, b.organization_id FROM {KINDS[kind].table} x JOIN boards b ON b.id = x.board_id"
            f" WHERE x.{deadline.waits} AND b.deleted_at IS NULL"
        )
        sql, more = standing_in(kind, waiting, KINDS[kind].done_for())
        parts.append(f"SELECT '{kind}' AS kind, f.subject_id, f.organization_id FROM ({sql}) f")
        values += more
    known = dict(_kinds())
    return [
        Due(known[row["kind"]], UUID(str(row["subject_id"])), UUID(str(row["organization_id"])))
        for row in await rows(f"{_MINE} {' UNION ALL '.join(parts)}", *values)
    ]


def _kinds() -> Iterator[tuple[str, Deadline]]:
    for kind in KINDS.values():
        if kind.deadline is not None:
            yield kind.kind, kind.deadline
