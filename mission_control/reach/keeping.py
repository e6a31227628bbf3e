"""The loop that keeps what waits for each person in step, and plans what is sent.

It looks when a need may have changed, and when a step is due. What it decides it writes in one transaction: a message
with its delivery, and that it was tried. Two processes plan one after the other, so that nothing is planned twice.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.asks.answering import how_it_ended
from mission_control.asks.kinds import Asked
from mission_control.asks.polling import FAMILY
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, system
from mission_control.database.records import find_all, insert, update
from mission_control.database.sql import rows
from mission_control.exchange.outgoing_queue import CHANGED as WEBHOOKS_CHANGED
from mission_control.log.channels import on_notify, on_notify_family
from mission_control.log.commands import atomically, command
from mission_control.reach.announcing import (
    LISTENED,
    announce_ended,
    announce_opened,
    has_webhooks,
    reader_of_webhooks,
)  # fmt: skip
from mission_control.reach.choices import WAKES
from mission_control.reach.installation import inside, settings
from mission_control.reach.messages import (
    edit_messages,
    end_messages,
    messages_with,
    one_at_a_time,
    write_messages,
)  # fmt: skip
from mission_control.reach.models import ReachNeed
from mission_control.reach.plan import COLLECT, GRACE, Due, Step, how_of, kept_promise, messages_of, next_step
from mission_control.reach.reading import (
    Reader,
    Recent,
    Waiting,
    mornings_of,
    open_of,
    readers_of,
    recent_of,
    waiting_in,
)  # fmt: skip
from mission_control.reach.recovering import failing_channels, recovered
from mission_control.work.loops import Loop

LOOK_SECONDS = 300.0  # what begins to wait by the clock alone is found then
BROKEN_SECONDS = 10.0
HOUR = timedelta(hours=1)

AGAIN = timedelta(seconds=1)
CHANGING = ("version", "substance", "act_by", "named", "next_at")
BEGINNING = (*CHANGING, "since", "seen_at", "tried", "failed", "ended_at", "ended_how")

ONLY_SYSTEM = OnlySystem("reach.keep")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """What this process knows of an organization: up to where it looked, when the next step is due."""

    seq: int = -1
    looked_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(slots=True)
class _State:
    known: dict[UUID, _Known] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)  # organizations whose needs may have changed
    all_changed: bool = True


_state = _State()


@on_notify_family(FAMILY)
def needs_changed(channel: str) -> None:
    """Look at an organization soon: something may have come to wait there."""
    _state.changed.add(channel.partition(":")[2])
    KEEPING.wake()


@on_notify(WEBHOOKS_CHANGED)
@on_notify(WAKES)
def choices_changed() -> None:
    """Look at every organization: somebody chose something else, or a message did not arrive."""
    _state.all_changed = True
    KEEPING.wake()


async def look() -> float:
    """Bring every organization in which somebody is reached up to date; return the seconds until the next look."""
    everything, _state.all_changed = _state.all_changed, False
    changed, _state.changed = _state.changed, set()
    now, pause = times.clock_now(), LOOK_SECONDS
    if not everything and not _state.known and not settings().smtp_url:
        return pause  # nobody is reached anywhere; who begins to be notifies, but by mail everybody is
    try:
        organizations = await _reached()
    except Exception:
        _state.all_changed = True  # what was to be looked at is not forgotten
        raise
    for organization_id, seq in organizations.items():
        known = _state.known.setdefault(organization_id, _Known())
        is_due = known.due_at is not None and known.due_at <= now
        is_old = known.looked_at is None or not timedelta() <= now - known.looked_at < timedelta(seconds=LOOK_SECONDS)
        if everything or is_due or is_old or seq != known.seq or str(organization_id) in changed:
            try:
                known.due_at = await bring_up_to_date(organization_id)
                known.seq, known.looked_at = seq, now
            except Exception:
                _log.exception("needs of an organization could not be sent", extra={"about": str(organization_id)})
                known.looked_at, pause = None, min(pause, BROKEN_SECONDS)
        if known.due_at is not None:
            pause = min(pause, max((known.due_at - times.clock_now()).total_seconds(), 0.05))
    for gone in _state.known.keys() - organizations.keys():
        del _state.known[gone]
    return pause


# Its own wake-ups are not those of WAKES, after which every organization is looked at.
KEEPING = Loop(
    name="planning what is sent to people", look=look, pause=LOOK_SECONDS, retry=BROKEN_SECONDS, debounce=1.0
)


async def _reached() -> dict[UUID, int]:
    """Return the organizations in which somebody is reached, or was and has messages open, with their logs' numbers."""
    sql = "SELECT o.id, o.log_seq FROM organizations o"
    if not settings().smtp_url:
        sql += (
            f" WHERE {LISTENED} OR EXISTS (SELECT 1 FROM reach_devices d WHERE d.ended_at IS NULL AND (d.user_id IN"
            " (SELECT m.user_id FROM organization_members m WHERE m.organization_id = o.id) OR d.board_id IN"
            " (SELECT b.id FROM boards b WHERE b.organization_id = o.id)))"
            " OR EXISTS (SELECT 1 FROM reach_needs n WHERE n.organization_id = o.id AND n.ended_at IS NULL)"
        )
    return {UUID(str(row["id"])): int(row["log_seq"] or 0) for row in await rows(sql)}


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
    due: list[tuple[Reader, Due[ReachNeed]]] = field(default_factory=list)
    waiting: set[tuple[str, UUID]] = field(default_factory=set)
    next_at: datetime | None = None

    def at(self, moment: datetime) -> None:
        """Look again at a moment."""
        self.next_at = moment if self.next_at is None else min(self.next_at, moment)

    def change(self, row: ReachNeed) -> None:
        """Write a row anew, once."""
        if row.id not in self.written:
            self.written.add(row.id)
            self.changed.append(row)

    def __bool__(self) -> bool:
        rows = (self.new, self.again, self.changed, self.recovered, self.looked_again, self.over)
        return bool(self.due) or any(rows)


async def bring_up_to_date(organization_id: UUID) -> datetime | None:
    """Write what changed in an organization and what is to be sent; return when the next step is due."""
    found = await changes_in(organization_id)
    if not found:
        return found.next_at
    async with inside():
        actor = system(organization_id)
        return await atomically(actor, lambda: _write_all(actor, organization_id))


@command("reach.keep")
async def _write_all(actor: Actor, organization_id: UUID) -> datetime | None:
    await one_at_a_time(organization_id)
    found = await changes_in(organization_id)  # again: another process may have been first
    await insert(*found.new)
    for one in found.again:
        await update(one, *BEGINNING)
    for one in found.changed:
        await update(one, *CHANGING)
    for one in found.unseen:
        await update(one, "seen_at")
    for one in found.recovered:
        await update(one, "failed")
    await _end(found)
    await announce_opened([one for one in found.new if one.reader_id == organization_id])
    await announce_ended([one for one in found.over if one.reader_id == organization_id])
    for one in found.looked_again:
        await edit_messages(await messages_with(one))
    for reader, due in found.due:
        await write_messages(organization_id, reader, due, found.now)
    return found.next_at


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
    for key, row in known.items():
        if row.ended_at is not None:
            over.setdefault(row.reader_id, []).append((key, row))
    for one in waiting:
        on_boards.setdefault(one.found.board_id, []).append(one)
    for reader in readers:
        await asyncio.sleep(0)  # where much waits for many, others have their turn in between
        kept = []
        for one in waiting if reader.board_id is None else on_boards.get(reader.board_id, ()):
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
        _plan(found, reader, kept, ended, recent, mornings.get(reader.id))
    found.waiting = {(one.found.kind, one.found.id) for one in waiting}
    found.over = [one for key, one in known.items() if key not in present and one.ended_at is None]
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
            version=one.version,
            since=one.since,
            board_id=one.board_id,
        )
        row.version, row.substance, row.since, row.act_by = one.version, waiting.substance, one.since, one.act_by
        row.named, row.tried, row.failed = asked, [], []
        row.seen_at = row.next_at = row.ended_at = row.ended_how = None
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


def _plan(
    found: Changes,
    reader: Reader,
    kept: list[ReachNeed],
    ended: list[ReachNeed],
    recent: Recent,
    morning: datetime | None,
) -> None:
    """Add what is due now for a reader, and when the next step is; all that waited by `morning` is in its digest."""
    now, person, chain = found.now, reader.person, reader.person.chain
    steps: list[tuple[ReachNeed, Step]] = []
    for row in kept:
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
    due = messages_of(steps, last, recent.number.get(reader.id, 0), now)
    found.due += [(reader, one) for one in due]
    sent = {row.id for one in due for row in one.needs}
    for row, step in steps:
        if row.id in sent:
            found.at(now + AGAIN)
        elif step.at > now:
            found.at(step.at)
        else:  # its link rests, or the hour's limit is met
            found.at(max(last.get(step.link, now) + COLLECT, now + AGAIN))


async def _end(found: Changes) -> None:
    """Say how needs ended, and let what was sent about them say so."""
    sentences: dict[tuple[str, UUID], str] = {}
    for row in found.over:
        key = row.kind, row.subject_id
        if key in found.waiting:
            sentence = "It no longer waits for you."
        elif (known := sentences.get(key)) is not None:
            sentence = known
        else:
            sentence = sentences[key] = await _ending(row)
        row.ended_at, row.ended_how = found.now, sentence
        if row.tried:
            await end_messages(row, sentence, found.now)
        if row.tried or row.next_at is None:
            await rows("DELETE FROM reach_needs WHERE id = ?", row.id)
        else:  # the digest for which it was kept says how it ended
            await update(row, "ended_at", "ended_how")


async def _ending(row: ReachNeed) -> str:
    return await how_it_ended(Asked(row.kind, row.subject_id, row.board_id, None), with_age=False)
