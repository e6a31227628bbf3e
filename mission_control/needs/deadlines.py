"""Until when somebody is asked, what happens otherwise, and what else the clock does: needs begin or return.

All moments are in the database: when a process dies, the others go on, or its next start does. Two processes that find
the same deadline end it once, because its row is locked.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import BoardLike, system
from mission_control.core.errors import Invalid
from mission_control.core.values import JsonObject, Moment, Schema
from mission_control.database.records import Asked
from mission_control.database.sql import as_moment, rows
from mission_control.events import broker, wakeup_channels
from mission_control.events.reader_wakeups import publish_signal
from mission_control.events.unit_of_work import notify, record
from mission_control.needs import polling
from mission_control.needs.escalation import escalation_of
from mission_control.needs.kinds import KINDS, Deadline
from mission_control.needs.recipients import (
    AskedPersonRead,
    Why,
    ask_by_name,
    ask_stand_in,
    day_words,
    in_words,
    writers_among,
)
from mission_control.needs.unanswered import AT_ONCE, done_with, due_now, stand_ins, unseen_on
from mission_control.needs.wording import span

CHANNEL = "deadlines"  # notified when one was set
SOONEST = timedelta(minutes=1)
AFTER_ALL = "What happens when nobody answers until `decide_by`"
COLUMNS = ("decide_by", "otherwise", "otherwise_user_id", "reminded_at", "escalated", "escalated_at")
# On pages hours from now: without JavaScript a page does not know the time zone of its reader.
HOURS = {"1": "in an hour", "4": "in 4 hours", "24": "in a day", "72": "in 3 days", "168": "in a week"}


class DeadlineAsked(Schema):
    """Until when somebody is asked; what else may happen is said by what extends it."""

    decide_by: Annotated[Moment | None, Field(description="Until when you need it; at least a minute from now")] = None
    decide_in: Annotated[
        int | None, Field(ge=60, le=31_536_000, description="In how many seconds you need it; instead of `decide_by`")
    ] = None
    otherwise: str | None = None
    otherwise_user_id: Annotated[
        UUID | None, Field(description="Whom to ask then, with `otherwise: ask`: a person of the board")
    ] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Complete the deadline; refuse parts of it that do not fit together."""
        if self.decide_in is not None:
            if self.decide_by is not None:
                raise ValueError("send decide_by or decide_in, not both")
            # The second is for the way from here to `put_deadline`, which wants a minute.
            self.decide_by = times.clock_now() + timedelta(seconds=self.decide_in + 1)
        if self.decide_by is None and (self.otherwise is not None or self.otherwise_user_id is not None):
            raise ValueError("`otherwise` needs decide_by or decide_in")
        if (self.otherwise == "ask") != (self.otherwise_user_id is not None):
            raise ValueError("`otherwise: ask` and otherwise_user_id go together")
        return self


class DeadlineRead(Schema):
    """A deadline as it is read; after it `decide_by` is null, and the last two say what happened."""

    decide_by: Annotated[Moment | None, Field(description="Until when it should be decided")]
    otherwise: Annotated[str | None, Field(description=AFTER_ALL)]
    otherwise_user_id: UUID | None
    reminded_at: Annotated[Moment | None, Field(description="When people were reminded")]
    asked_user_id: Annotated[UUID | None, Field(description="Who was asked by name first, because nobody answered")]
    asked: Annotated[list[AskedPersonRead], Field(description="Everybody who was asked by name, and why")]


async def put_deadline(thing: Asked, board: BoardLike, fields: DeadlineAsked) -> None:
    """Set a deadline in memory, and wake the timer for it when the command commits.

    Raise Invalid when it is too soon, or when the person cannot decide on the board.
    """
    if fields.decide_by is not None and fields.decide_by < times.clock_now() + SOONEST:
        raise Invalid("Choose a time at least a minute from now.")
    user_id = fields.otherwise_user_id
    if user_id is not None and not await writers_among(board, [user_id]):
        raise Invalid("This person cannot answer on this board.")
    thing.decide_by = fields.decide_by
    thing.otherwise = (fields.otherwise or "remind") if fields.decide_by is not None else None
    thing.otherwise_user_id = user_id
    if fields.decide_by is not None:
        notify(CHANNEL)


@dataclass(frozen=True, slots=True)
class Deadlines[T: Asked]:
    """How deadlines of approvals or questions are saved, and the kinds of their events.

    `other` is what else may happen besides reminding and asking; columns beyond the common ones are fields of it.
    """

    kind: str
    changed: str
    reminded: str
    asked_another: str
    other: str
    columns: tuple[str, ...]
    save: Callable[[T], Awaitable[None]]
    about: Callable[[T], str]
    facts: Callable[[T], JsonObject]
    # What nobody did in time, and what is waited for.
    undone: str
    wanted: str

    async def change(self, thing: T, deadline: DeadlineAsked | None) -> None:
        before = [getattr(thing, name) for name in self.columns]
        await put_deadline(thing, thing.board, deadline or DeadlineAsked())
        for name in set(self.columns).difference(COLUMNS):
            setattr(thing, name, getattr(deadline, name, None))
        if before != [getattr(thing, name) for name in self.columns]:
            await self.save(thing)
            due = {"decide_by": thing.decide_by, "otherwise": thing.otherwise}
            self._record(self.changed, thing, "Deadline changed", **due)

    async def end(self, thing: T) -> Any:
        """End a deadline that is due: remind people, or ask another one, if that one can still answer.

        Return when it was due where something else is to happen.
        """
        due, otherwise, person = thing.decide_by, thing.otherwise, thing.otherwise_user_id
        thing.decide_by = thing.otherwise = thing.otherwise_user_id = None
        asked = await writers_among(thing.board, [person]) if otherwise == "ask" and person is not None else {}
        if otherwise == self.other:
            await self.save(thing)
            return due
        if asked:
            await self._ask(thing, asked, "unanswered")
        else:
            thing.reminded_at = times.clock_now()
            self._record(self.reminded, thing, f"Still waits for {self.wanted}")
        await self.save(thing)
        return None

    async def go_on(self, thing: T) -> None:
        """Take the step of the board's escalation that is due, and ask who stands in for people who are away."""
        escalation, taken = escalation_of(thing.board.escalation), thing.escalated
        if escalation is not None and taken < len(escalation.steps):
            minutes = escalation.steps[taken].after_minutes
            if await unseen_on(self.kind, thing.board_id, taken, timedelta(minutes=minutes), thing.id):
                thing.escalated, thing.escalated_at = taken + 1, times.clock_now()
                people = await writers_among(thing.board, escalation.asked_at(taken, thing.escalated_at))
                if not people:  # whose turn it is left: all of the step are asked rather than nobody
                    people = await writers_among(thing.board, escalation.steps[taken].user_ids)
                await self._ask(thing, people, "unseen", minutes)
                await self.save(thing)
        await self._ask_stand_ins(thing)

    async def _ask(self, thing: T, people: Mapping[UUID, str], why: Why, minutes: int | None = None) -> None:
        """Ask people by name, and record those who had not been asked; then who stands in for them."""
        done = await done_with(self.kind, thing.id)
        asked = await ask_by_name(
            self.kind, thing.id, [person for person in people if person not in done], why, minutes
        )
        if asked:
            because = f"looked for {span(60 * minutes)}" if minutes is not None else self.undone
            message = f"Asked {in_words([people[one] for one in asked])} because nobody {because}"
            self._record(self.asked_another, thing, message, user_id=asked[0], user_ids=asked, why=why)
        await self._ask_stand_ins(thing)

    async def _ask_stand_ins(self, thing: T) -> None:
        for person in await stand_ins(self.kind, thing.id):
            if await ask_stand_in(self.kind, person):
                message = f"Asked {person.name} because {person.away} is away until {day_words(person.away_until)}"
                facts = {"user_id": person.user_id, "user_ids": [person.user_id], "why": "away"}
                self._record(self.asked_another, thing, message, **facts)
                await self.save(thing)

    def _record(self, kind: str, thing: T, message: str, **facts: object) -> None:
        record(kind, thing.scope(), f"{message}: {self.about(thing)}", **{**self.facts(thing), **facts})


LONGEST_SLEEP_SECONDS = 15.0

_log = logging.getLogger(__name__)


def _deadlines() -> Iterator[tuple[str, str, Deadline]]:
    """Yield the table of each kind with deadlines, and SQL for its rows `x` that wait."""
    for one in KINDS.values():
        if one.deadline is not None:
            joined = f"FROM {one.table} x JOIN boards b ON b.id = x.board_id WHERE x.decide_by IS NOT NULL"
            yield one.table, f"{joined} AND x.{one.deadline.waits} AND b.deleted_at IS NULL", one.deadline


async def end_due() -> float:
    """End the deadlines that have passed, and ask others; return the seconds until the next deadline."""
    for table, waiting, deadline in _deadlines():
        due = f"SELECT x.id, b.organization_id {waiting} AND x.decide_by <= ? ORDER BY x.decide_by LIMIT {AT_ONCE}"
        for row in await rows(due, times.clock_now()):
            try:
                await end_deadline(deadline, UUID(str(row["id"])), UUID(str(row["organization_id"])))
            except Exception:
                _log.exception("a deadline could not be ended", extra={"about": f"{table} {row['id']}"})
    for one in await due_now():
        try:
            if (thing := await one.deadline.model.get_or_none(id=one.id).select_related("board")) is not None:
                await one.deadline.go_on(system(one.organization_id), thing)
        except Exception:
            _log.exception("nobody else could be asked", extra={"about": f"{one.deadline.model.__name__} {one.id}"})
    return await seconds_left()


async def end_deadline(deadline: Deadline, subject: UUID, organization_id: UUID) -> None:
    """Do what a deadline says, unless that is done."""
    found = await deadline.model.get_or_none(id=subject).select_related("board")
    if found is not None:
        await deadline.end(system(organization_id), found)


async def seconds_left() -> float:
    """Return the seconds until the next deadline; one that could not be ended is tried again after a second."""
    moments = [
        as_moment(row["next"])
        for _, waiting, _ in _deadlines()
        for row in await rows(f"SELECT MIN(x.decide_by) AS next {waiting}")
    ]
    left = [(one - times.clock_now()).total_seconds() for one in moments if one is not None]
    return min([LONGEST_SLEEP_SECONDS, *(max(one, 1.0) if one <= 0 else one for one in left)])


DEADLINES = Loop(name="looking for deadlines that passed", look=end_due, pause=LONGEST_SLEEP_SECONDS, channel=CHANNEL)


async def notify_returns(since: datetime, until: datetime) -> None:
    """Signal to live readers what begins to wait between two moments, or returns from being put off.

    The polls of this process are woken too; every process looks for its own.
    """
    put_off = (
        "SELECT m.organization_id, 'needs_of' AS name, s.user_id AS value FROM need_snoozes s"
        " JOIN organization_members m ON m.user_id = s.user_id WHERE s.until >= ? AND s.until < ?"
    )
    parts = [(put_off, [since, until])]
    parts += [part for one in KINDS.values() if (part := one.begins(since, until)) is not None]
    sql, values = " UNION ".join(sql for sql, _ in parts), [value for _, more in parts for value in more]
    for row in await rows(sql, *values):
        organization_id = UUID(str(row["organization_id"]))
        await publish_signal(organization_id, **{row["name"]: str(row["value"])})
        wakeup_channels.channels_notify([polling.channel_of(organization_id)])


RETURNS = Loop(
    name="looking for what waits again",
    look=notify_returns,
    pause=15.0,
    spans=True,
    when=lambda: broker.is_read() or wakeup_channels.is_awaited(polling.FAMILY),
)
