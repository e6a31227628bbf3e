"""The loop that keeps what waits for each person in step, and plans what is sent.

It looks when a need may have changed, and when a step is due. What it decides it writes in one transaction: a message
with its delivery, and that it was tried. Two processes plan one after the other, so that nothing is planned twice.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.background.loops import Loop
from mission_control.channels.delivery.announcements import LISTENED, announce_ended, announce_opened
from mission_control.channels.delivery.changes import Changes, changes_in
from mission_control.channels.delivery.unreached import announce_unreached
from mission_control.channels.messages.rows import (
    edit_messages,
    end_messages,
    messages_with,
    one_at_a_time,
    write_messages,
)
from mission_control.channels.models import NO_LONGER, ReachNeed
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, system
from mission_control.core.current_app import inside, settings
from mission_control.database.records import delete_all, insert, update_all
from mission_control.database.sql import rows
from mission_control.events.commands import atomically, command
from mission_control.events.wakeup_channels import on_notify, on_notify_family
from mission_control.needs.kinds import KINDS, AskedNeed
from mission_control.needs.lookup import how_it_ended, last_of
from mission_control.needs.polling import FAMILY
from mission_control.needs.wording import others_missing
from mission_control.webhooks.outgoing.queue import CHANGED as WEBHOOKS_CHANGED

LOOK_SECONDS = 300.0  # what begins to wait by the clock alone is found then
BROKEN_SECONDS = 10.0
CHANGING = ("version", "substance", "act_by", "named", "next_at", "given_up_at")
BEGINNING = (*CHANGING, "since", "seen_at", "tried", "failed", "ended_at", "ended_how")

ONLY_SYSTEM = OnlySystem("reach.keep")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """What this process knows of an organization: up to where it looked, when the next step is due."""

    seq: int = -1
    looked_at: datetime | None = None
    due_at: datetime | None = None

    @property
    def seconds_to_go(self) -> float:
        left = LOOK_SECONDS if self.due_at is None else (self.due_at - times.clock_now()).total_seconds()
        return max(left, 0.05)

    def is_behind(self, seq: int, now: datetime) -> bool:
        if seq != self.seq or (self.due_at is not None and self.due_at <= now):
            return True
        return self.looked_at is None or not timedelta() <= now - self.looked_at < timedelta(seconds=LOOK_SECONDS)


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


async def _look_at(organization_id: UUID, known: _Known, seq: int, now: datetime) -> float:
    """Bring an organization up to date; return after how many seconds to look again when this fails."""
    try:
        known.due_at = await bring_up_to_date(organization_id)
        known.seq, known.looked_at = seq, now
    except Exception:
        _log.exception("needs of an organization could not be sent", extra={"about": str(organization_id)})
        known.looked_at = None
        return BROKEN_SECONDS
    return LOOK_SECONDS


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
        if everything or known.is_behind(seq, now) or str(organization_id) in changed:
            pause = min(pause, await _look_at(organization_id, known, seq, now))
        pause = min(pause, known.seconds_to_go)
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
            f" WHERE {LISTENED} OR EXISTS (SELECT 1 FROM reach_devices d"
            " WHERE (d.ended_at IS NULL OR d.last_error IS NOT NULL) AND (d.user_id IN"
            " (SELECT m.user_id FROM organization_members m WHERE m.organization_id = o.id) OR d.board_id IN"
            " (SELECT b.id FROM boards b WHERE b.organization_id = o.id)))"
            " OR EXISTS (SELECT 1 FROM reach_needs n WHERE n.organization_id = o.id AND n.ended_at IS NULL)"
        )
    return {UUID(str(row["id"])): int(row["log_seq"] or 0) for row in await rows(sql)}


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
    await update_all(found.again, *BEGINNING)
    await update_all(found.changed, *CHANGING)
    await update_all(found.unseen, "seen_at")
    await update_all(found.recovered, "failed")
    await _end(found)
    await announce_opened([one for one in found.new if one.reader_id == organization_id])
    await announce_ended([row for row in found.over if row.reader_id == organization_id])
    for row in found.looked_again:
        await edit_messages(await messages_with(row))
    for reader, due in found.due:
        await write_messages(organization_id, reader, due, found.now)
    if found.is_given_up:
        announce_unreached(organization_id)
    return found.next_at


async def _end(found: Changes) -> None:
    """Say how needs ended, and let what was sent about them say so."""
    sentences: dict[tuple[str, UUID], str] = {}
    others: dict[tuple[str, UUID], int] = {}
    for row in found.over:
        if not row.tried and row.next_at is None:
            continue  # nothing was sent, or will be
        key = row.kind, row.subject_id
        if key in found.waiting:
            if key not in others:
                others[key] = await KINDS[row.kind].missing(row.subject_id)
            sentence = await _waits_for_others(row, others[key])
        else:
            sentence = sentences[key] = sentences.get(key) or await how_it_ended(_asked(row), with_age=False)
        row.ended_at, row.ended_how = found.now, sentence
        if row.tried:
            await end_messages(row, sentence, found.now)
    await _keep_for_digests(found.over)


async def _keep_for_digests(over: list[ReachNeed]) -> None:
    """Keep of what is over that of which a digest is to say how it ended."""
    await update_all([row for row in over if row.next_at is not None and not row.tried], "ended_at", "ended_how")
    await delete_all([row for row in over if row.next_at is None or row.tried])


async def _waits_for_others(row: ReachNeed, others: int) -> str:
    """Return what its reader answered where so many others have to as well, or else that it is not for them now."""
    last = await last_of(_asked(row)) if others else None
    if last is None or last.actor_id != row.reader_id:
        return NO_LONGER
    return f"{last.sentence(KINDS[row.kind].endings, with_age=False)} {others_missing(others)}"


def _asked(row: ReachNeed) -> AskedNeed:
    return AskedNeed(row.kind, row.subject_id, row.board_id, None)
