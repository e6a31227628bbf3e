"""Writing the chained event log."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from mission_control.core import clock
from mission_control.core.ids import new_id
from mission_control.core.request_facts import current_request_id
from mission_control.core.scope import Scope
from mission_control.database.sql import placeholders, rows
from mission_control.live.log_head import Head
from mission_control.live.models import Event

VERSION = 2  # of what is hashed: the first had no version and no actor's name
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


@dataclass(slots=True)
class Entry:
    """A row of the log on its way into the table, with the fields of `Event`."""

    id: UUID
    organization_id: UUID
    seq: int
    version: int
    kind: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    surface: str
    board_id: UUID | None
    task_id: UUID | None
    agent_id: UUID | None
    subject_id: UUID | None
    message: str
    data: str
    request_id: str | None
    prev_hash: str
    created_at: datetime
    hash: str = ""


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no blanks: the text that is stored and hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def chain_hash(event: Event | Entry) -> str:
    """Return the SHA-256 over the previous hash and every field, as canonical JSON."""
    fields = [] if event.version == 1 else [event.version, event.actor_name]
    fields += [
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


async def _insert(written: list[Entry]) -> None:
    """Insert events in one statement; it runs with every change, and the ORM costs three times as much."""
    for start in range(0, len(written), AT_ONCE):
        part = written[start : start + AT_ONCE]
        values = [getattr(event, column) for event in part for column in COLUMNS]
        await rows(f"{INSERT} {', '.join([f'({placeholders(len(COLUMNS))})'] * len(part))}", *values)


def _row(head: Head, new: NewEvent, moment: datetime) -> Entry:
    return Entry(
        id=new.id or new_id(),
        organization_id=head.organization_id,
        seq=head.log_seq,
        version=VERSION,
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
