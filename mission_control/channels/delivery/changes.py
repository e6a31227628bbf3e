"""What changed in an organization since the last look: needs that began, changed or ended, and what is due now."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.channels.delivery.announcements import has_webhooks, reader_of_webhooks
from mission_control.channels.delivery.plan import (
    COLLECT,
    GRACE,
    MOST_IN_AN_HOUR,
    Due,
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

HOUR = timedelta(hours=1)
AGAIN = timedelta(seconds=1)


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


async def changes_in(organization_id: UUID) -> Changes:
    """Return what changed since the last look, and what is due now; nothing is written."""
    now = times.clock_now()
    found = Changes(organization_id, now)
    readers = await readers_of(organization_id)
    if await has_webhooks(organization_id):
        readers.append(reader_of_webhooks(organization_id))
    stored = await find_all(
        ReachNeed, "organization_id = ? AND (ended_at IS NULL OR next_at IS NOT NULL)", organization_id
    )
    # Where the last reader left, what waits for others has not ended.
    waiting = await waiting_in(organization_id) if readers or any(one.ended_at is None for one in stored) else []
    known = {(one.reader_id, one.kind, one.subject_id): one for one in stored}
    recent = await recent_of(organization_id, now - HOUR)
    mornings = await mornings_of(organization_id, readers, now)
    failing = await failing_channels(organization_id, stored)
    present: set[tuple[UUID, str, UUID]] = set()
    on_boards: dict[UUID | None, list[Waiting]] = {}
    over: dict[UUID, list[tuple[tuple[UUID, str, UUID], ReachNeed]]] = {}  # for digests
    async for those in in_turns(known.items()):
        for key, row in those:
            if row.ended_at is not None:
                over.setdefault(row.reader_id, []).append((key, row))
    for one in waiting:
        on_boards.setdefault(one.found.board_id, []).append(one)
    for reader in readers:
        await asyncio.sleep(0)  # where much waits for many, others have their turn in between
        kept = []
        async for some in in_turns(waiting if reader.board_id is None else on_boards.get(reader.board_id, ())):
            for one in some:
                if reader.wants(one.found):
                    key = reader.id, one.found.kind, one.found.id
                    present.add(key)
                    kept.append(_kept(found, reader, one, known.get(key)))
        ended = [one for key, one in over.get(reader.id, ()) if key not in present]
        for row, moment in recovered(reader, kept, recent, failing, now):
            if moment <= now:
                found.recovered.append(row)
            else:
                found.at(moment)
        for row in kept:
            if reader.was_given_up(row) != (row.given_up_at is not None):
                row.given_up_at = now if row.given_up_at is None else None
                found.is_given_up = True
                found.change(row)
        await _plan(found, reader, kept, ended, recent, mornings.get(reader.id))
    found.waiting = {(one.found.kind, one.found.id) for one in waiting}
    found.over = [one for key, one in known.items() if key not in present and one.ended_at is None]
    found.is_given_up |= any(one.given_up_at is not None for one in found.over)
    return found


def _kept(found: Changes, reader: Reader, waiting: Waiting, row: ReachNeed | None) -> ReachNeed:
    """Return the row of a need of a reader, new or brought up to date."""
    one, asked = waiting.found, reader.user_id is not None and reader.user_id in waiting.asked
    if row is None or row.ended_at is not None:
        is_new = row is None
        row = row or ReachNeed(
            reader_id=reader.id,
            organization_id=found.organization_id,
            user_id=reader.user_id,
            device_id=reader.id if reader.board_id is not None else None,
            kind=one.kind,
            subject_id=one.id,
            board_id=one.board_id,
        )
        row.version, row.substance, row.since, row.act_by = one.version, waiting.substance, one.since, one.act_by
        row.named, row.tried, row.failed = asked, [], []
        row.seen_at = row.next_at = row.given_up_at = row.ended_at = row.ended_how = None
        (found.new if is_new else found.again).append(row)
        found.written.add(row.id)
        return row
    if (row.version, row.substance, row.act_by, row.named) != (one.version, waiting.substance, one.act_by, asked):
        if row.substance != waiting.substance and row.seen_at is not None:
            row.seen_at = None
            found.unseen.append(row)
        row.version, row.substance, row.act_by, row.named = one.version, waiting.substance, one.act_by, asked
        found.change(row)
        if row.tried:
            found.looked_again.append(row)
    return row


async def _plan(
    found: Changes,
    reader: Reader,
    kept: list[ReachNeed],
    ended: list[ReachNeed],
    recent: Recent,
    morning: datetime | None,
) -> None:
    """Add what is due now for a reader, and when the next step is; all that waited by `morning` is in its digest."""
    now, person, chain = found.now, reader.person, reader.person.chain
    if not chain:
        return
    steps: list[tuple[ReachNeed, Step]] = []
    async for some in in_turns(kept):
        for row in some:
            need = open_of(row)
            step = next_step(person, need, now)
            was_there = morning is not None and need.since + GRACE <= morning and how_of(person, need) != "never"
            if was_there and (step is None or step.at > now):
                step = Step(now, step.link if step is not None else chain[-1], "digest")
            if step is not None:
                steps.append((row, step))
            held = step.at if step is not None and step.why == "digest" and step.at > now else None
            if row.next_at != held:
                row.next_at = held
                found.change(row)
    for row in ended:
        if row.next_at is not None:
            steps.append((row, Step(kept_promise(person, row.next_at, now), chain[-1], "digest")))
    steps.sort(key=lambda one: chain.index(one[1].link))
    last = {link: moment for (one, link), moment in recent.last.items() if one == reader.id}
    number = recent.number.get(reader.id, 0)
    due = messages_of(steps, last, number, now)
    found.due += [(reader, one) for one in due]
    sent = {row.id for one in due for row in one.needs}
    for row, step in steps:
        if row.id in sent:
            found.at(now + AGAIN)
        elif step.at > now:
            found.at(step.at)
        elif number + len(due) >= MOST_IN_AN_HOUR:  # the earliest message of this hour makes room
            found.at(max(recent.first.get(reader.id, now) + HOUR, now + AGAIN))
        else:  # its link rests
            found.at(max(last.get(step.link, now) + COLLECT, now + AGAIN))
