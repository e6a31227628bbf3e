"""Who can answer on a board, who was asked by name and why, and who stands in for somebody who is away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import BoardLike
from mission_control.core.errors import Invalid
from mission_control.core.values import FromRow, new_id
from mission_control.database.sql import Condition, in_list, placeholders, rows, select
from mission_control.needs.wording import span
from mission_control.people.accounts.names import person_name

Why = Literal["unanswered", "unseen", "away"]
# SQL on `m`, a member of the board's organization: they can answer on the board whose id it takes.
ANSWERS = (
    "(m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x"
    " WHERE x.organization_member_id = m.id AND x.board_id = {} AND x.can_write))"
)


async def writers(board: BoardLike, condition: str = "", *values: object) -> list[tuple[UUID, str]]:
    """Return the people who may answer on a board, by name; `condition` is SQL on `m` and `u` that narrows them."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? AND {ANSWERS.format('?')} {condition} ORDER BY name, u.id LIMIT 200",
        board.organization_id,
        board.id,
        *values,
    )
    return [(UUID(str(row["id"])), row["name"]) for row in found]


async def writers_among(board: BoardLike, people: Sequence[UUID]) -> dict[UUID, str]:
    """Return those of some people who may answer on a board, with their names, in the order given."""
    known = dict(await writers(board, f"AND m.user_id IN ({placeholders(len(people))})", *people)) if people else {}
    return {person: known[person] for person in people if person in known}


async def writer_named(board: BoardLike, name: str) -> UUID:
    """Return the person who may answer on a board and has a name. Raise Invalid when nobody has it, or several."""
    found = await writers(board, f"AND LOWER({person_name('u', 'User')}) = LOWER(?)", name.strip())
    if not found:
        raise Invalid("Nobody of this name can answer on this board.")
    if len(found) > 1:
        raise Invalid("Several people have this name. Give the person's id.")
    return found[0][0]


class AskedPersonRead(FromRow):
    """Somebody who was asked by name, and why.

    `unanswered`: nobody answered by the deadline. `unseen`: nobody had looked for so many `minutes`. `away`: who was
    asked is away until then, and this person stands in.
    """

    user_id: UUID
    name: str
    why: Why
    minutes: int | None
    instead_of: Annotated[str | None, Field(description="Who is away")]
    away_until: datetime | None
    created_at: Annotated[datetime, Field(description="When this person was asked")]

    @property
    def words(self) -> str:
        if self.why == "away":
            until = f" until {day_words(self.away_until)}" if self.away_until is not None else ""
            return f"{self.instead_of or 'Somebody'} is away{until}; {self.name} was asked"
        because = f"looked for {span(60 * (self.minutes or 0))}" if self.why == "unseen" else "answered"
        return f"{self.name} was asked, because nobody {because}"


def day_words(moment: datetime) -> str:
    """Return a day as people say it where the reader is: `Mon 7 Dec`."""
    zone = times.reader()
    day = times.day_of(moment, zone)
    return f"{day:%a} {times.date_words(day, times.today(zone))}"


def in_words(names: Iterable[str]) -> str:
    """Return names as a sentence has them: `Ada, Ben and Cleo`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


# SQL for the first person who was asked by name for a kind of thing `x`.
FIRST_ASKED = (
    "(SELECT p.user_id FROM asked_people p WHERE p.kind = '{kind}' AND p.subject_id = {x}.id"
    " ORDER BY p.created_at, p.id LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    subject_id: UUID
    user_id: UUID
    name: str
    why: Why
    minutes: int | None
    instead_of: str | None
    away_until: datetime | None
    created_at: datetime


async def asked_people(kind: str, subjects: Sequence[UUID]) -> dict[UUID, list[AskedPersonRead]]:
    """Return who was asked by name, the first one first, by what they were asked about."""
    found: dict[UUID, list[AskedPersonRead]] = {}
    if not subjects:
        return found
    listed, ids = in_list(subjects)
    sql = (
        f"SELECT p.subject_id, p.user_id, {person_name('u', 'User')} AS name, p.why, p.minutes, {person_name('i')}"
        " AS instead_of, p.away_until, p.created_at FROM asked_people p JOIN users u ON u.id = p.user_id"
        f" LEFT JOIN users i ON i.id = p.instead_of_id WHERE p.kind = ? AND p.subject_id IN ({listed})"
        " ORDER BY p.created_at, p.id"
    )
    for one in await select(_Asked, sql, kind, *ids):
        found.setdefault(one.subject_id, []).append(AskedPersonRead.of(one))
    return found


async def ask_by_name(
    kind: str, subject: UUID, people: Sequence[UUID], why: Why, minutes: int | None = None
) -> list[UUID]:
    return [person for person in people if await _store(kind, subject, person, why, minutes, None, None)]


async def _store(
    kind: str, subject: UUID, person: UUID, why: Why, minutes: int | None, away: UUID | None, until: datetime | None
) -> bool:
    sql = (
        "INSERT INTO asked_people (id, kind, subject_id, user_id, why, minutes, instead_of_id, away_until, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, subject_id, user_id) DO NOTHING RETURNING id"
    )
    return bool(await rows(sql, new_id(), kind, subject, person, why, minutes, away, until, times.clock_now()))


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who stands in for somebody who was asked by name and is away."""

    subject_id: UUID
    user_id: UUID
    name: str
    away_id: UUID
    away: str
    away_until: datetime
    organization_id: UUID


def standing_in(kind: str, waiting: str, done: str) -> Condition:
    """Return SQL that finds who stands in and has not been asked; `waiting` is SQL for rows `x` on a board `b`.

    Those who cannot answer on the board are not asked, nor those who are `done` with it (see `NeedKind.done_for`), and
    nobody stands in for a stand-in.
    """
    is_done = f" AND NOT EXISTS (SELECT 1 FROM ({done}) d WHERE d.user_id = s.id AND d.subject_id = p.subject_id)"
    sql = (
        f"SELECT p.subject_id, s.id AS user_id, {person_name('s', 'User')} AS name, u.id AS away_id,"
        f" {person_name('u', 'User')} AS away, u.away_until, w.organization_id"
        " FROM users u JOIN users s ON s.id = u.stand_in_id"
        f" JOIN asked_people p ON p.user_id = u.id AND p.kind = '{kind}' AND p.why <> 'away' JOIN ({waiting}) w"
        " ON w.id = p.subject_id JOIN organization_members m ON m.user_id = s.id"
        f" AND m.organization_id = w.organization_id AND {ANSWERS.format('w.board_id')} WHERE u.away_until > ?"
        " AND NOT EXISTS (SELECT 1 FROM asked_people o WHERE o.kind = p.kind AND o.subject_id = p.subject_id"
        f" AND o.user_id = s.id){is_done if done else ''}"
    )
    return sql, [times.clock_now()]


async def ask_stand_in(kind: str, one: StandIn) -> bool:
    """Store that somebody is asked who stands in. Return False when they had been asked."""
    return await _store(kind, one.subject_id, one.user_id, "away", None, one.away_id, one.away_until)
