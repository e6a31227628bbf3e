"""Find and count what waits for a person, of all kinds, in one statement each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, select
from mission_control.needs.kinds import KINDS, Include, Key, Seeker
from mission_control.needs.schemas import GROUPS, Kind, NeedCounts


@dataclass(frozen=True, slots=True)
class Filter:
    """Which needs are wanted.

    Those since before `older_than` stand last, except what went wrong, what has its deadline ahead of it, and what came
    back after that from being put off.
    """

    board_id: UUID | None = None
    kinds: tuple[Kind, ...] | None = None
    ids: tuple[UUID, ...] | None = None
    include: Include = "waiting"
    older_than: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Count:
    kind: Kind
    is_snoozed: bool
    number: int
    oldest: datetime | None


_WHERE: dict[Include, str] = {"waiting": " WHERE n.is_snoozed = 0", "snoozed": " WHERE n.is_snoozed = 1", "all": ""}
_MARKED = (
    "SELECT e.kind, e.id, e.since, e.board_id, e.act_by, e.version, s.until AS put_off_until, CASE WHEN s.id IS NULL"
    " THEN 0 ELSE 1 END AS was_put_off, CASE WHEN s.id IS NOT NULL AND (s.until IS NULL OR s.until > ?)"
    " AND (s.version IS NULL OR s.version = e.version) THEN 1 ELSE 0 END AS is_snoozed FROM every e"
    " LEFT JOIN need_snoozes s ON s.user_id = ? AND s.kind = e.kind AND s.subject_id = e.id"
)
_OLDER = (
    "CASE WHEN n.since < ? AND (n.act_by IS NULL OR n.act_by <= ?) AND (n.was_put_off = 0 OR n.put_off_until < ?)"
    " AND n.kind NOT IN ({}) THEN 1 ELSE 0 END"
)


async def find_keys(actor: Actor, wanted: Filter, limit: int, offset: int = 0) -> list[Key]:
    """Return where the needs stand, by group and then the oldest first; those that are older than asked for last."""
    statement, values = _statement(actor, wanted)
    if not statement:
        return []
    older, moments = "0", []
    if (before := wanted.older_than) is not None:
        wrong = ", ".join(f"'{one.kind}'" for one in KINDS.values() if one.group == "unblock")
        older, moments = _OLDER.format(wrong), [before, clock.now(), before]
    sql = (
        f"{statement} SELECT n.kind, n.id, n.since, n.board_id, n.version, n.is_snoozed, {older} AS is_older,"
        " CASE WHEN n.is_snoozed = 1 THEN n.put_off_until END AS snoozed_until FROM needs n"
        f"{_WHERE[wanted.include]} ORDER BY is_older, {_place()}, n.since, n.id LIMIT ? OFFSET ?"
    )
    return await select(Key, sql, *values, *moments, limit, offset)


def _place() -> str:
    """Return SQL for the place of a need's group."""
    cases = " ".join(f"WHEN '{one.kind}' THEN {one.place}" for one in KINDS.values())
    return f"CASE n.kind {cases} END"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many needs wait, by group and by kind, and since when the oldest does."""

    counts: NeedCounts
    by_kind: dict[Kind, int]
    snoozed_by_kind: dict[Kind, int]
    oldest: datetime | None

    def of(self, kinds: tuple[Kind, ...] | None, include: Include) -> int:
        """Return how many there are of some kinds."""
        chosen = KINDS if kinds is None else kinds
        waiting = sum(self.by_kind.get(kind, 0) for kind in chosen) if include != "snoozed" else 0
        return waiting + (sum(self.snoozed_by_kind.get(kind, 0) for kind in chosen) if include != "waiting" else 0)


async def count(actor: Actor, board_id: UUID | None = None) -> Counted:
    """Count what waits for a person, on all boards or one."""
    counts = NeedCounts(total=0, snoozed=0, **dict.fromkeys(GROUPS, 0))
    statement, values = _statement(actor, Filter(board_id=board_id))
    if not statement:
        return Counted(counts, {}, {}, None)
    sql = (
        f"{statement} SELECT n.kind, n.is_snoozed, COUNT(*) AS number, MIN(n.since) AS oldest"
        " FROM needs n GROUP BY n.kind, n.is_snoozed"
    )
    found = await select(_Count, sql, *values)
    waiting = [one for one in found if not one.is_snoozed]
    for one in waiting:
        group = KINDS[one.kind].group
        setattr(counts, group, getattr(counts, group) + one.number)
    counts.total = sum(one.number for one in waiting)
    snoozed = {one.kind: one.number for one in found if one.is_snoozed}
    counts.snoozed = sum(snoozed.values())
    oldest = min((one.oldest for one in waiting if one.oldest is not None), default=None)
    return Counted(counts, {one.kind: one.number for one in waiting}, snoozed, oldest)


def _statement(actor: Actor, wanted: Filter) -> tuple[str, list[Any]]:
    """Return the common table `needs`, and its values; an empty text where nothing can be found."""
    kinds = [one for one in KINDS.values() if wanted.kinds is None or one.kind in wanted.kinds]
    seeker = Seeker(actor.organization_id, actor.user_id, actor.administers(actor.organization_id))
    found = [part for one in kinds if (part := one.find(seeker)) is not None]
    if not found:
        return "", []
    mine, values = _writable_boards(actor, wanted.board_id)
    values += [value for _, more in found for value in more]
    values += [clock.now(), actor.user_id]
    conditions = ["1 = 1"]
    if wanted.board_id is not None:
        conditions.append("e.board_id = ?")
        values.append(wanted.board_id)
    if wanted.ids is not None:
        conditions.append(f"e.id IN ({placeholders(len(wanted.ids))})")
        values += wanted.ids
    every, narrowed = " UNION ALL ".join(sql for sql, _ in found), " AND ".join(conditions)
    return f"WITH mine AS ({mine}), every AS ({every}), needs AS ({_MARKED} WHERE {narrowed})", values


def _writable_boards(actor: Actor, board_id: UUID | None) -> tuple[str, list[Any]]:
    """Return the boards of the active organization on which a person may act."""
    membership = actor.memberships.get(actor.organization_id)
    sql = "SELECT id FROM boards WHERE deleted_at IS NULL AND organization_id = ?"
    values = [actor.organization_id]
    if membership is None or not membership.all_boards_write:
        single = [board for board, (_, write) in membership.boards.items() if write] if membership else []
        sql += f" AND id IN ({placeholders(len(single))})" if single else " AND 1 = 0"
        values += single
    if board_id is not None:
        sql, values = f"{sql} AND id = ?", [*values, board_id]
    return sql, values
