"""Find, count and list what waits for a person, of all kinds, in one statement each; and count it for everybody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, Membership
from mission_control.database.sql import Condition, as_moment, placeholders, rows, select
from mission_control.needs.kinds import GROUPS, KINDS, Key, Seeker
from mission_control.needs.schemas import Include, NeedCounts


@dataclass(frozen=True, slots=True)
class Filter:
    """Which needs are wanted.

    Those since before `older_than` stand last, except what went wrong, what has its deadline ahead of it, and what came
    back after that from being put off.
    """

    board_id: UUID | None = None
    kinds: tuple[str, ...] | None = None
    ids: tuple[UUID, ...] | None = None
    include: Include = "waiting"
    older_than: datetime | None = None


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
    places = " ".join(f"WHEN '{one.kind}' THEN {GROUPS.index(one.group)}" for one in KINDS.values())
    older, moments = "0", []
    if (before := wanted.older_than) is not None:
        wrong = ", ".join(f"'{one.kind}'" for one in KINDS.values() if one.group == "unblock")
        older, moments = _OLDER.format(wrong), [before, times.clock_now(), before]
    sql = (
        f"{statement} SELECT n.kind, n.id, n.since, n.board_id, n.version, n.is_snoozed, {older} AS is_older,"
        " CASE WHEN n.is_snoozed = 1 THEN n.put_off_until END AS snoozed_until FROM needs n"
        f"{_WHERE[wanted.include]} ORDER BY is_older, CASE n.kind {places} END, n.since, n.id LIMIT ? OFFSET ?"
    )
    return await select(Key, sql, *values, *moments, limit, offset)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many needs wait, by group and by kind, and since when the oldest does."""

    counts: NeedCounts
    by_kind: dict[str, int]
    snoozed_by_kind: dict[str, int]
    oldest: datetime | None

    def of(self, kinds: tuple[str, ...] | None, include: Include) -> int:
        chosen = KINDS if kinds is None else kinds
        waiting = sum(self.by_kind.get(kind, 0) for kind in chosen) if include != "snoozed" else 0
        return waiting + (sum(self.snoozed_by_kind.get(kind, 0) for kind in chosen) if include != "waiting" else 0)


async def count(actor: Actor, board_id: UUID | None = None) -> Counted:
    counts = NeedCounts(total=0, snoozed=0, **dict.fromkeys(GROUPS, 0))
    statement, values = _statement(actor, Filter(board_id=board_id))
    if not statement:
        return Counted(counts, {}, {}, None)
    sql = (
        f"{statement} SELECT n.kind, n.is_snoozed, COUNT(*) AS number, MIN(n.since) AS oldest"
        " FROM needs n GROUP BY n.kind, n.is_snoozed"
    )
    waiting: dict[str, int] = {}
    snoozed: dict[str, int] = {}
    since: list[datetime | None] = []
    for row in await rows(sql, *values):
        kind, number = row["kind"], int(row["number"])
        if row["is_snoozed"]:
            snoozed[kind] = number
            continue
        waiting[kind] = number
        since.append(as_moment(row["oldest"]))
        setattr(counts, KINDS[kind].group, getattr(counts, KINDS[kind].group) + number)
    counts.total, counts.snoozed = sum(waiting.values()), sum(snoozed.values())
    return Counted(counts, waiting, snoozed, min(filter(None, since), default=None))


def _statement(actor: Actor, wanted: Filter) -> Condition:
    """Return the common table `needs`, and its values; an empty text where nothing can be found."""
    seeker = Seeker(actor.organization_id, actor.user_id, actor.administers(actor.organization_id))
    every, found = _every(seeker, wanted.kinds)
    if not every:
        return "", []
    mine, values = _writable_boards(actor, wanted.board_id)
    values += [*found, times.clock_now(), actor.user_id]
    where = "1 = 1"
    if wanted.board_id is not None:
        where, values = f"{where} AND e.board_id = ?", [*values, wanted.board_id]
    if wanted.ids is not None:
        where, values = f"{where} AND e.id IN ({placeholders(len(wanted.ids))})", [*values, *wanted.ids]
    return f"WITH mine AS ({mine}), every AS ({every}), needs AS ({_MARKED} WHERE {where})", values


def _every(seeker: Seeker, kinds: Collection[str] | None = None, *, only_where: bool = False) -> Condition:
    found = [
        (one.kind, rows_of)
        for one in KINDS.values()
        if (kinds is None or one.kind in kinds) and (seeker.is_admin or not one.is_for_admins)
        for rows_of in one.find(seeker)
    ]
    sql = " UNION ALL ".join(rows_of.sql(kind, only_where=only_where) for kind, rows_of in found)
    return sql, [value for _, rows_of in found for value in rows_of.values]


def _writable_boards(actor: Actor, board_id: UUID | None) -> Condition:
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


_BOARDS = "SELECT id FROM boards WHERE deleted_at IS NULL AND organization_id = ?"
_SNOOZED = (
    "s.subject_id = e.id AND s.kind = e.kind AND (s.until IS NULL OR s.until > ?)"
    " AND (s.version IS NULL OR s.version = e.version) AND (e.owner_id IS NULL OR e.owner_id = s.user_id)"
)


@dataclass(frozen=True, slots=True)
class _Some:
    """So many needs of a kind on a board, of one person or of everybody who may act on them."""

    kind: str
    board_id: UUID | None
    person_id: UUID | None
    number: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in an organization, and what people put off, or answered while it waits for others."""

    found: list[_Some]
    snoozed: Mapping[UUID, list[_Some]]

    def for_person(self, actor: Actor) -> int:
        mine = sum(
            one.number
            for one in self.found
            if (one.person_id is None or one.person_id == actor.user_id) and _reaches(actor, one)
        )
        off = self.snoozed.get(actor.user_id, []) if self.snoozed and actor.user_id is not None else []
        return mine - sum(one.number for one in off if _reaches(actor, one))


async def waiting_in(organization_id: UUID) -> Waiting:
    seeker, now = Seeker(organization_id, None, True), times.clock_now()
    every, values = _every(seeker, only_where=True)
    found = await select(
        _Some,
        f"WITH mine AS ({_BOARDS}), every AS ({every})"
        " SELECT e.kind, e.board_id, e.owner_id AS person_id, COUNT(*) AS number FROM every e"
        " GROUP BY e.kind, e.board_id, e.owner_id",
        organization_id,
        *values,
    )
    snoozed: dict[UUID, list[_Some]] = {}
    for one in await _off(seeker, now):
        if one.person_id is not None:
            snoozed.setdefault(UUID(str(one.person_id)), []).append(one)
    return Waiting(found, snoozed)


def _done() -> str:
    """Return SQL for what is done for people though it waits for others, on the boards of `mine`."""
    return " UNION ALL ".join(
        f"SELECT '{one.kind}' AS kind, d.user_id, d.subject_id, d.board_id FROM ({sql}) d"
        for one in KINDS.values()
        if (sql := one.done_for())
    )


async def done_by(actor: Actor) -> set[tuple[str, UUID]]:
    sql = f"WITH mine AS ({_BOARDS}) SELECT o.kind, o.subject_id FROM ({_done()}) o WHERE o.user_id = ?"
    found = await rows(sql, actor.organization_id, actor.user_id)
    return {(row["kind"], UUID(str(row["subject_id"]))) for row in found}


async def _off(seeker: Seeker, now: datetime) -> list[_Some]:
    """Count by person what people put off, and what is done for them though it waits for others."""
    tables = f"WITH mine AS ({_BOARDS}), done AS ({_done()})"
    number = "AS person_id, COUNT(*) AS number FROM"
    of_done = f"SELECT o.kind, o.board_id, o.user_id {number} done o GROUP BY o.kind, o.board_id, o.user_id"
    put_off = await rows("SELECT DISTINCT kind FROM need_snoozes WHERE until IS NULL OR until > ?", now)
    if not put_off:
        return await select(_Some, f"{tables} {of_done}", seeker.organization_id)
    every, values = _every(seeker, [row["kind"] for row in put_off])
    sql = (
        f"{tables}, every AS ({every}) SELECT e.kind, e.board_id, s.user_id {number} need_snoozes s"
        f" JOIN every e ON {_SNOOZED} WHERE NOT EXISTS (SELECT 1 FROM done d WHERE d.kind = e.kind"
        " AND d.user_id = s.user_id AND d.subject_id = e.id) GROUP BY e.kind, e.board_id, s.user_id"
        f" UNION ALL {of_done}"
    )
    return await select(_Some, sql, seeker.organization_id, *values, now)


def _reaches(actor: Actor, some: _Some) -> bool:
    membership = actor.memberships.get(actor.organization_id)
    return membership is not None and _acts_on(membership, some.kind, some.board_id)


def _acts_on(membership: Membership, kind: str, board_id: UUID | None) -> bool:
    if KINDS[kind].is_for_admins and membership.role not in ("owner", "admin"):
        return False
    if board_id is None or membership.all_boards_write:
        return True
    return membership.boards.get(board_id, (False, False))[1]


@dataclass(frozen=True, slots=True)
class Found:
    """A need of an organization: of its owner, or of everybody who may act on it."""

    kind: str
    id: UUID
    since: datetime
    board_id: UUID | None
    owner_id: UUID | None
    act_by: datetime | None
    version: str
    done_for: frozenset[UUID] = frozenset()

    def is_for(self, membership: Membership, user_id: UUID) -> bool:
        """Whether it waits for a member, who may have put it off."""
        if user_id in self.done_for:
            return False
        return self.owner_id in (None, user_id) and _acts_on(membership, self.kind, self.board_id)


async def everything_in(organization_id: UUID) -> list[Found]:
    """Return all that waits for people in an organization, the oldest first."""
    every, values = _every(Seeker(organization_id, None, True))
    found = await select(
        Found,
        f"WITH mine AS ({_BOARDS}), every AS ({every}) SELECT e.kind, e.id, e.since, e.board_id, e.owner_id, e.act_by,"
        " e.version FROM every e ORDER BY e.since, e.id",
        organization_id,
        *values,
    )
    done: dict[tuple[str, UUID], set[UUID]] = {}
    for row in await rows(f"WITH mine AS ({_BOARDS}) {_done()}", organization_id):
        done.setdefault((row["kind"], UUID(str(row["subject_id"]))), set()).add(UUID(str(row["user_id"])))
    if not done:
        return found
    return [replace(one, done_for=frozenset(done.get((one.kind, one.id), ()))) for one in found]
