"""Verifying the chained event log of an organization."""

import hashlib
from collections.abc import Awaitable, Callable
from uuid import UUID

import orjson

from mission_control.database.sql import rows
from mission_control.live.log import GENESIS, Verdict, canonical, chain_hash, judge
from mission_control.live.models import Event

AT_ONCE = 500
SEALED = "log.sealed"
Walked = Callable[[int], Awaitable[None]]


class Names:
    """A digest of the actors' names in events that do not hash them, which a later event that does has in its data."""

    def __init__(self) -> None:
        """Begin with no events."""
        self._digest = hashlib.sha256()

    def add(self, seq: int, name: str | None) -> None:
        """Take in the next event."""
        self._digest.update(canonical([seq, name]).encode())

    def digest(self) -> str:
        """Return the digest of the events so far."""
        return self._digest.hexdigest()


async def verify(
    organization_id: UUID, seq: int = 0, previous: str = GENESIS, walked: Walked | None = None
) -> tuple[int, str | None]:
    """Walk one organization's chain; returns how many events hold and the first fault as a sentence.

    `walked` is told now and then how many more events were walked.

    `seq` and `previous` are the number and hash of an event up to which it was walked before. Events
    written during the walk are left to the next one.
    """
    whole, names = seq == 0, Names()
    newest = await _newest_event(organization_id)
    [head] = await rows("SELECT log_seq, log_hash, log_signature FROM organizations WHERE id = ?", organization_id)
    last = int(head["log_seq"])
    while seq < last:
        page = await Event.filter(organization_id=organization_id, seq__gt=seq).order_by("seq").limit(AT_ONCE)
        if not page:
            break
        for event in page[: last - seq]:
            if event.seq != seq + 1:
                return seq, f"Event {seq + 1} is missing."
            if event.prev_hash != previous or chain_hash(event) != event.hash:
                return seq, f"Event {event.seq} was changed after it was written."
            if event.version == 1:
                names.add(event.seq, event.actor_name)
            elif whole and event.kind == SEALED and orjson.loads(event.data).get("names") != names.digest():
                return seq, f"The name of an actor in an event before event {event.seq} was changed."
            previous, seq = event.hash, event.seq
        if walked is not None:
            await walked(len(page))
    if (last, head["log_hash"]) != (seq, previous):
        return seq, f"The log ends at event {seq}, but event {last} was written."
    if newest > last:
        return seq, f"Event {newest} was added to a log that ends at event {last}."
    return seq, head_fault(str(organization_id), last, previous, head["log_signature"])


async def _newest_event(organization_id: UUID) -> int:
    found = await rows("SELECT seq FROM events WHERE organization_id = ? ORDER BY seq DESC LIMIT 1", organization_id)
    return int(found[0]["seq"]) if found else 0


def head_fault(log: str, seq: int, digest: str, signature: str) -> str | None:
    """Return what is wrong with a head's signature as a sentence; another key's signature is no fault of the log."""
    match judge(log, seq, digest, signature):
        case Verdict.MISSING:
            return f"The head at number {seq} is not signed: it was written without this program."
        case Verdict.FORGED:
            return f"The head at number {seq} was not signed by this installation: the log was written without its key."
        case _:
            return None
