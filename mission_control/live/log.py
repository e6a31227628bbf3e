"""Writing and verifying the chained event log."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from mission_control.core import clock
from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.sql import placeholders, rows
from mission_control.live.heads import Head
from mission_control.live.models import Event
from mission_control.web.request_id import current_request_id

GENESIS = "0" * 64
COLUMNS = tuple(sorted(Event._meta.db_fields))
INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES"
AT_ONCE = 100


@dataclass(slots=True)
class NewEvent:
    """A fact on its way into the log."""

    kind: str
    scope: Scope
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    surface: str
    agent_id: UUID | None
    message: str
    data: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks; the text that is stored and hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def chain_hash(event: Event) -> str:
    """SHA-256 over the previous hash and every field that must not change, as canonical JSON."""
    fields = [
        event.prev_hash,
        event.organization_id,
        event.seq,
        event.id,
        event.kind,
        event.actor_kind,
        event.actor_id,
        event.surface,
        event.board_id,
        event.task_id,
        event.agent_id,
        event.subject_id,
        event.message,
        event.data,
        event.request_id,
        event.created_at.isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


async def append(head: Head, events: Sequence[NewEvent]) -> None:
    """Number, chain and insert events of one organization under its head, which moves on."""
    moment = clock.now()
    written = []
    for new in events:
        head.log_seq += 1
        event = _row(head, new, moment)
        head.log_hash = event.hash = chain_hash(event)
        written.append(event)
    await _insert(written)


async def _insert(written: list[Event]) -> None:
    """One statement of our own: this runs with every change, and the ORM's way costs three times as much."""
    for start in range(0, len(written), AT_ONCE):
        part = written[start : start + AT_ONCE]
        values = [getattr(event, column) for event in part for column in COLUMNS]
        await rows(f"{INSERT} {', '.join([f'({placeholders(len(COLUMNS))})'] * len(part))}", *values)


def _row(head: Head, new: NewEvent, moment: datetime) -> Event:
    return Event(
        id=new.id or new_id(),
        organization_id=head.organization_id,
        seq=head.log_seq,
        kind=new.kind,
        actor_kind=new.actor_kind,
        actor_id=new.actor_id,
        actor_name=new.actor_name,
        surface=new.surface,
        board_id=new.scope.board_id,
        task_id=new.scope.task_id,
        agent_id=new.agent_id,
        subject_id=new.scope.subject_id,
        message=new.message,
        data=canonical(new.data),
        request_id=current_request_id(),
        prev_hash=head.log_hash,
        created_at=moment,
    )


async def verify(organization_id: UUID, seq: int = 0, previous: str = GENESIS) -> tuple[int, str | None]:
    """Walk one organization's chain; returns how many events hold and the first fault as a sentence.

    `seq` and `previous` are the number and hash of an event up to which it was walked before.
    """
    while True:
        page = await Event.filter(organization_id=organization_id, seq__gt=seq).order_by("seq").limit(500)
        if not page:
            break
        for event in page:
            if event.seq != seq + 1:
                return seq, f"Event {seq + 1} is missing."
            if event.prev_hash != previous or chain_hash(event) != event.hash:
                return seq, f"Event {event.seq} was changed after it was written."
            previous, seq = event.hash, event.seq
    [head] = await rows("SELECT log_seq, log_hash FROM organizations WHERE id = ?", organization_id)
    if (head["log_seq"], head["log_hash"]) != (seq, previous):
        return seq, f"The log ends at event {seq}, but event {head['log_seq']} was written."
    return seq, None
