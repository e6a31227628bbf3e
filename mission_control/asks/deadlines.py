"""Until when somebody is asked, what happens otherwise, and what else the clock does: needs begin or return.

All moments are in the database: when a process dies, the others go on, or its next start does. Two processes that find
the same deadline end it once, because its row is locked.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.asks import polling
from mission_control.asks.kinds import KINDS, Deadline
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.errors import Invalid
from mission_control.core.values import Moment, Schema
from mission_control.database.records import Asked
from mission_control.database.sql import as_moment, rows
from mission_control.log import broker, channels
from mission_control.log.unit_of_work import notify, record
from mission_control.log.wake import publish_signal
from mission_control.people.account_names import person_name
from mission_control.work.loops import Loop

if TYPE_CHECKING:
    from mission_control.boards.models import Board

CHANNEL = "deadlines"  # notified when one was set
SOONEST = timedelta(minutes=1)
AFTER_ALL = "What happens when nobody answers until `decide_by`"
COLUMNS = ("decide_by", "otherwise", "otherwise_user_id", "reminded_at", "asked_user_id")
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
    asked_user_id: Annotated[UUID | None, Field(description="Who was asked because nobody answered")]


async def put_deadline(thing: Asked, board: "Board", fields: DeadlineAsked) -> None:
    """Set a deadline in memory, and wake the timer for it when the command commits.

    Raise Invalid when it is too soon, or when the person cannot decide on the board.
    """
    if fields.decide_by is not None and fields.decide_by < times.clock_now() + SOONEST:
        raise Invalid("Choose a time at least a minute from now.")
    user_id = fields.otherwise_user_id
    if user_id is not None and await name_of_writer(board, user_id) is None:
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

    changed: str
    reminded: str
    asked_another: str
    other: str
    columns: tuple[str, ...]
    save: Callable[[T], Awaitable[None]]
    about: Callable[[T], str]
    facts: Callable[[T], dict[str, Any]]
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
        name = await name_of_writer(thing.board, person) if otherwise == "ask" else None
        if otherwise == self.other:
            await self.save(thing)
            return due
        if name is not None:
            thing.asked_user_id = person
            self._record(self.asked_another, thing, f"Asked {name} because nobody {self.undone}", user_id=person)
        else:
            thing.reminded_at = times.clock_now()
            self._record(self.reminded, thing, f"Still waits for {self.wanted}")
        await self.save(thing)
        return None

    def _record(self, kind: str, thing: T, message: str, **facts: object) -> None:
        record(kind, thing.scope(), f"{message}: {self.about(thing)}", **{**self.facts(thing), **facts})


async def writers(board: "Board", condition: str = "", *values: object) -> list[tuple[UUID, str]]:
    """Return the people who may answer on a board, by name; `condition` is SQL on `m` and `u` that narrows them."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x"
        f" WHERE x.organization_member_id = m.id AND x.board_id = ? AND x.can_write)) {condition}"
        " ORDER BY name, u.id LIMIT 200",
        board.organization_id,
        board.id,
        *values,
    )
    return [(UUID(str(row["id"])), row["name"]) for row in found]


async def writer_named(board: "Board", name: str) -> UUID:
    """Return the person who may answer on a board and has a name. Raise Invalid when nobody has it, or several."""
    found = await writers(board, f"AND LOWER({person_name('u', 'User')}) = LOWER(?)", name.strip())
    if not found:
        raise Invalid("Nobody of this name can answer on this board.")
    if len(found) > 1:
        raise Invalid("Several people have this name. Give the person's id.")
    return found[0][0]


async def name_of_writer(board: "Board", user_id: UUID | None) -> str | None:
    """Return the name of a person who may answer on a board, None for others."""
    found = await writers(board, "AND m.user_id = ?", user_id)
    return found[0][1] if found else None


LONGEST_SLEEP_SECONDS = 15.0
AT_ONCE = 100

_log = logging.getLogger(__name__)


def _deadlines() -> Iterator[tuple[str, str, Deadline]]:
    """Yield the table of each kind with deadlines, and SQL for its rows `x` that wait."""
    for one in KINDS.values():
        if one.deadline is not None:
            joined = f"FROM {one.table} x JOIN boards b ON b.id = x.board_id WHERE x.decide_by IS NOT NULL"
            yield one.table, f"{joined} AND x.{one.deadline.waits} AND b.deleted_at IS NULL", one.deadline


async def end_due() -> float:
    """End the deadlines that have passed; return the seconds until the next one."""
    for table, waiting, deadline in _deadlines():
        due = f"SELECT x.id, b.organization_id {waiting} AND x.decide_by <= ? ORDER BY x.decide_by LIMIT {AT_ONCE}"
        for row in await rows(due, times.clock_now()):
            try:
                await end_deadline(deadline, UUID(str(row["id"])), UUID(str(row["organization_id"])))
            except Exception:
                _log.exception("a deadline could not be ended", extra={"about": f"{table} {row['id']}"})
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
        channels.channels_notify([polling.channel_of(organization_id)])


RETURNS = Loop(
    name="looking for what waits again",
    look=notify_returns,
    pause=15.0,
    spans=True,
    when=lambda: broker.is_read() or channels.is_awaited(polling.FAMILY),
)
