"""What changed in an organization since the last look: needs that began, changed or ended, and what is due now."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.channels.delivery.announcements import has_webhooks, reader_of_webhooks
from mission_control.channels.delivery.plan import (
    COLLECT,
    GRACE,
    MOST_IN_AN_HOUR,
    Due,
    Open,
    Person,
    Step,
    how_of,
    kept_promise,
    messages_of,
    next_step,
)
from mission_control.channels.delivery.recovery import failing_channels, recovered
from mission_control.channels.delivery.state import (
    Reader,
    Recent,
    Waiting,
    mornings_of,
    open_of,
    readers_of,
    recent_of,
    waiting_in,
)
from mission_control.channels.models import ReachNeed
from mission_control.core import times
from mission_control.core.time_slices import in_turns
from mission_control.database.records import find_all
from mission_control.needs.queries import Found

HOUR = timedelta(hours=1)
AGAIN = timedelta(seconds=1)

type NeedKey = tuple[UUID, str, UUID]  # of its reader, its kind, and what it is about


@dataclass(slots=True)
class Changes:
    """What one look found: needs that are new, changed or over for a reader, and messages that are due."""

    organization_id: UUID
    now: datetime
    new: list[ReachNeed] = field(default_factory=list)
    again: list[ReachNeed] = field(default_factory=list)  # had ended
    changed: list[ReachNeed] = field(default_factory=list)
    unseen: list[ReachNeed] = field(default_factory=list)  # another thing than what was seen
    recovered: list[ReachNeed] = field(default_factory=list)  # its links work again
    written: set[UUID] = field(default_factory=set)  # those that are new, wait again or changed
    looked_again: list[ReachNeed] = field(default_factory=list)  # sent, and something else now
    over: list[ReachNeed] = field(default_factory=list)
    is_given_up: bool = False  # another need reached its reader nowhere, or one no longer does
    due: list[tuple[Reader, Due[ReachNeed]]] = field(default_factory=list)
    waiting: set[tuple[str, UUID]] = field(default_factory=set)
    next_at: datetime | None = None

    def at(self, moment: datetime) -> None:
        self.next_at = moment if self.next_at is None else min(self.next_at, moment)

    def change(self, row: ReachNeed) -> None:
        """Write a row anew, once."""
        if row.id not in self.written:
            self.written.add(row.id)
            self.changed.append(row)

    def __bool__(self) -> bool:
        rows = (self.new, self.again, self.changed, self.recovered, self.looked_again, self.over)
        return bool(self.due) or any(rows)


def _key_of(row: ReachNeed) -> NeedKey:
    return row.reader_id, row.kind, row.subject_id


async def changes_in(organization_id: UUID) -> Changes:
    """Compare what waits with what is stored; nothing is written."""
    now = times.clock_now()
    changes = Changes(organization_id, now)
    readers = await readers_of(organization_id)
    if await has_webhooks(organization_id):
        readers.append(reader_of_webhooks(organization_id))
    stored = await find_all(
        ReachNeed, "organization_id = ? AND (ended_at IS NULL OR next_at IS NOT NULL)", organization_id
    )
    # Where the last reader left, what waits for others has not ended.
    waiting = await waiting_in(organization_id) if readers or any(row.ended_at is None for row in stored) else []
    rows = {_key_of(row): row for row in stored}
    recent = await recent_of(organization_id, now - HOUR)
    mornings = await mornings_of(organization_id, readers, now)
    failing = await failing_channels(organization_id, stored)
    ended = await _ended_by_reader(stored)
    on_boards = _by_board(waiting)
    present: set[NeedKey] = set()
    for reader in readers:
        await asyncio.sleep(0)  # where much waits for many, others have their turn in between
        may_wait = waiting if reader.board_id is None else on_boards[reader.board_id]
        theirs = await _current_rows(changes, reader, may_wait, rows)
        present.update(map(_key_of, theirs))
        _note_reached(changes, reader, theirs, recovered(reader, theirs, recent, failing, now))
        over = [row for row in ended[reader.id] if _key_of(row) not in present]
        await _plan(changes, reader, theirs, over, recent, mornings.get(reader.id))
    _note_over(changes, waiting, rows, present)
    return changes


def _note_over(
    changes: Changes, waiting: list[Waiting], rows: Mapping[NeedKey, ReachNeed], present: Set[NeedKey]
) -> None:
    changes.waiting = {(need.found.kind, need.found.id) for need in waiting}
    changes.over = [row for key, row in rows.items() if key not in present and row.ended_at is None]
    changes.is_given_up |= any(row.given_up_at is not None for row in changes.over)


async def _current_rows(
    changes: Changes, reader: Reader, waiting: Sequence[Waiting], rows: Mapping[NeedKey, ReachNeed]
) -> list[ReachNeed]:
    current: list[ReachNeed] = []
    async for needs in in_turns(waiting):
        current += [_current_row(changes, reader, need, rows) for need in needs if reader.wants(need.found)]
    return current


def _by_board(waiting: Sequence[Waiting]) -> Mapping[UUID | None, list[Waiting]]:
    on_boards: dict[UUID | None, list[Waiting]] = defaultdict(list)
    for need in waiting:
        on_boards[need.found.board_id].append(need)
    return on_boards


async def _ended_by_reader(stored: Sequence[ReachNeed]) -> dict[UUID, list[ReachNeed]]:
    """Sort what ended by its reader, of whose next digest it is a part."""
    ended: dict[UUID, list[ReachNeed]] = defaultdict(list)
    async for some_rows in in_turns(stored):
        for row in some_rows:
            if row.ended_at is not None:
                ended[row.reader_id].append(row)
    return ended


def _note_reached(
    changes: Changes, reader: Reader, rows: Sequence[ReachNeed], recovered: Iterable[tuple[ReachNeed, datetime]]
) -> None:
    """Note the needs whose links work again, and those that reach their reader nowhere, or somewhere again."""
    for row, moment in recovered:
        if moment <= changes.now:
            changes.recovered.append(row)
        else:
            changes.at(moment)
    for row in rows:
        if reader.was_given_up(row) != (row.given_up_at is not None):
            row.given_up_at = changes.now if row.given_up_at is None else None
            changes.is_given_up = True
            changes.change(row)


def _new_row(organization_id: UUID, reader: Reader, need: Found) -> ReachNeed:
    return ReachNeed(
        reader_id=reader.id,
        organization_id=organization_id,
        user_id=reader.user_id,
        device_id=reader.id if reader.board_id is not None else None,
        kind=need.kind,
        subject_id=need.id,
        board_id=need.board_id,
    )


def _current_row(changes: Changes, reader: Reader, waiting: Waiting, rows: Mapping[NeedKey, ReachNeed]) -> ReachNeed:
    """Make the row of a need of a reader, or bring it up to date."""
    need, is_named = waiting.found, reader.user_id is not None and reader.user_id in waiting.asked
    row = rows.get((reader.id, need.kind, need.id))
    if row is None or row.ended_at is not None:
        is_new = row is None
        row = row or _new_row(changes.organization_id, reader, need)
        row.since, row.tried, row.failed = need.since, [], []
        row.seen_at = row.next_at = row.given_up_at = row.ended_at = row.ended_how = None
        (changes.new if is_new else changes.again).append(row)
        changes.written.add(row.id)
    elif (row.version, row.substance, row.act_by, row.named) != (
        need.version,
        waiting.substance,
        need.act_by,
        is_named,
    ):
        if row.substance != waiting.substance and row.seen_at is not None:
            row.seen_at = None
            changes.unseen.append(row)
        changes.change(row)
        if row.tried:
            changes.looked_again.append(row)
    row.version, row.substance, row.act_by, row.named = need.version, waiting.substance, need.act_by, is_named
    return row


async def _plan(
    changes: Changes,
    reader: Reader,
    rows: list[ReachNeed],
    ended: list[ReachNeed],
    recent: Recent,
    morning: datetime | None,
) -> None:
    """Add what is due now for a reader, and when the next step is; all that waited by `morning` is in its digest."""
    now, steps = changes.now, await _steps_of(changes, reader, rows, ended, morning)
    last = {link: moment for (reader_id, link), moment in recent.last.items() if reader_id == reader.id}
    number = recent.number.get(reader.id, 0)
    due = messages_of(steps, last, number, now)
    changes.due += [(reader, message) for message in due]
    sent = {row.id for message in due for row in message.needs}
    for row, step in steps:
        if row.id in sent:
            changes.at(now + AGAIN)
        elif step.at > now:
            changes.at(step.at)
        elif number + len(due) >= MOST_IN_AN_HOUR:  # the earliest message of this hour makes room
            changes.at(max(recent.first.get(reader.id, now) + HOUR, now + AGAIN))
        else:  # its link rests
            changes.at(max(last.get(step.link, now) + COLLECT, now + AGAIN))


def _is_of_morning(person: Person, need: Open, morning: datetime | None) -> bool:
    return morning is not None and need.since + GRACE <= morning and how_of(person, need) != "never"


async def _steps_of(
    changes: Changes, reader: Reader, rows: list[ReachNeed], ended: list[ReachNeed], morning: datetime | None
) -> list[tuple[ReachNeed, Step]]:
    """Return the next steps of what waits, and of digests that are to tell of what ended, in the order of the links."""
    person, chain, steps = reader.person, reader.person.chain, list[tuple[ReachNeed, Step]]()
    if not chain:
        return steps
    async for some_rows in in_turns(rows):
        steps += [(row, step) for row in some_rows if (step := _step_of(changes, reader, row, morning)) is not None]
    for row in ended:
        if row.next_at is not None:
            steps.append((row, Step(kept_promise(person, row.next_at, changes.now), chain[-1], "digest")))
    return sorted(steps, key=lambda row_and_step: chain.index(row_and_step[1].link))


def _step_of(changes: Changes, reader: Reader, row: ReachNeed, morning: datetime | None) -> Step | None:
    """Return the next step of a need; note in its row when a digest is to tell of it."""
    need, now, person = open_of(row), changes.now, reader.person
    step = next_step(person, need, now)
    if (step is None or step.at > now) and _is_of_morning(person, need, morning):
        step = Step(now, step.link if step is not None else person.chain[-1], "digest")
    digest_at = step.at if step is not None and step.why == "digest" and step.at > now else None
    if row.next_at != digest_at:
        row.next_at = digest_at
        changes.change(row)
    return step
