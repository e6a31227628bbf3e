"""The chained event log: its kinds, writing it, its head with its signature, and its verification."""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

import orjson

from mission_control.core import times
from mission_control.core.actor import Scope
from mission_control.core.errors import NotFound
from mission_control.core.extensions import Part, add
from mission_control.core.request_facts import current_request_id
from mission_control.core.values import JsonObject, new_id
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.events.models import Event

SLACK = 1000  # events that stand in a log in another order than their moments, where a clock was set back
GENESIS = "0" * 64


# Signatures of log heads: HMAC-SHA256 with a key derived from SECRET_KEY. The hashes of a log need no key, so that
# anybody can check them. The signature of its head is what somebody who can write to the database, but does not have
# SECRET_KEY, cannot make.
class Verdict(Enum):
    VALID = "valid"
    MISSING = "missing"
    OTHER_KEY = "other key"
    FORGED = "forged"


_key: tuple[bytes, str] | None = None  # with its name


def use_key(secret: bytes) -> None:
    global _key
    _key = secret, hmac.digest(secret, b"name", hashlib.sha256).hex()[:8]


def sign(log: str, seq: int, digest: str) -> str:
    """Return the signature of a log's head: the key's name, a dot, and the HMAC of log, number and hash."""
    secret, name = _present()
    return f"{name}.{hmac.digest(secret, f'{log} {seq} {digest}'.encode(), hashlib.sha256).hex()}"


def judge(log: str, seq: int, digest: str, signature: str) -> Verdict:
    if not signature:
        return Verdict.MISSING
    if hmac.compare_digest(signature.encode(), sign(log, seq, digest).encode()):
        return Verdict.VALID
    name = signature.partition(".")[0]
    return Verdict.FORGED if name == _present()[1] else Verdict.OTHER_KEY


def _present() -> tuple[bytes, str]:
    if _key is None:
        raise RuntimeError("No key was set for signing the heads of logs.")
    return _key


_log = logging.getLogger(__name__)
_reported: set[str] = set()


# An organization's head: its row, under whose lock events and deliveries get their numbers. It is taken last and held
# until the commit, so that numbers become visible in order: a reader who has seen one never finds a smaller new one.
@dataclass(slots=True)
class Head:
    """The newest numbers of an organization, and the hash of its newest event with its signature."""

    organization_id: UUID
    log_seq: int
    log_hash: str
    log_signature: str
    delivery_seq: int
    is_genuine: bool


async def lock(organization_id: UUID) -> Head:
    """Lock the head inside the running transaction; NotFound when the organization has been deleted."""
    heads = await rows(
        "SELECT log_seq, log_hash, log_signature, delivery_seq FROM organizations WHERE id = ?"
        + (" FOR NO KEY UPDATE" if is_postgres() else ""),
        organization_id,
    )
    if not heads:
        raise NotFound()
    row = heads[0]
    seq, digest, signature = int(row["log_seq"]), row["log_hash"], row["log_signature"]
    is_genuine = may_be_signed(str(organization_id), seq, digest, signature)
    return Head(organization_id, seq, digest, signature, int(row["delivery_seq"]), is_genuine)


SAVE = "UPDATE organizations SET log_seq = ?, log_hash = ?, log_signature = ?, delivery_seq = ? WHERE id = ?"
NOTIFY = "SELECT COUNT(pg_notify('mission_control', payload)) FROM unnest(?::text[]) AS payload"


async def save(head: Head, written: Sequence["Entry"] = (), messages: Sequence[str] = ()) -> None:
    """Insert events and save the head, which is locked. PostgreSQL sends the messages with the commit."""
    if head.is_genuine:
        head.log_signature = sign(str(head.organization_id), head.log_seq, head.log_hash)
    saved = [head.log_seq, head.log_hash, head.log_signature, head.delivery_seq, head.organization_id]
    for start in range(0, len(written), AT_ONCE):
        part = written[start : start + AT_ONCE]
        insert = f"{INSERT} {', '.join([f'({placeholders(len(COLUMNS))})'] * len(part))}"
        values = [getattr(event, column) for event in part for column in COLUMNS]
        if is_postgres() and start + AT_ONCE >= len(written):  # all at once: each statement is a way there and back
            await rows(f"WITH written AS ({insert}) {SAVE} RETURNING ({NOTIFY})", *values, *saved, messages)
            return
        await rows(insert, *values)
    await rows(SAVE, *saved)


def may_be_signed(log: str, seq: int, digest: str, signature: str) -> bool:
    """Return whether a head is as this installation left it.

    Another one is written on, for work must not stop, but never signed again: a new signature would hide what was done
    to the log. `mission-control audit verify` goes on finding it.
    """
    if judge(log, seq, digest, signature) is Verdict.VALID:
        return True
    if log not in _reported:
        _reported.add(log)
        _log.error("a log was changed by something else; run `mission-control audit verify`", extra={"log_id": log})
    return False


VERSION = 2  # of what is hashed: the first had no version and no actor's name
COLUMNS = tuple(sorted(Event._meta.db_fields))
INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES"
AT_ONCE = 100
# The fields that are hashed, in their order; the moment comes last.
HASHED = (
    "prev_hash", "organization_id", "seq", "id", "kind", "actor_kind", "actor_id", "surface", "board_id", "task_id",
    "agent_id", "subject_id", "message", "data", "request_id",
)  # fmt: skip


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
    data: JsonObject = field(default_factory=dict)
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


def canonical(value: object) -> str:
    """Return JSON with sorted keys and no blanks: the text that is stored and hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def chain_hash(event: Event | Entry) -> str:
    """Return the SHA-256 over the previous hash and every field, as canonical JSON."""
    fields = [] if event.version == 1 else [event.version, event.actor_name]
    fields += [getattr(event, name) for name in HASHED]
    fields.append(event.created_at.isoformat(timespec="microseconds"))
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def append(head: Head, events: Sequence[NewEvent]) -> list[Entry]:
    """Number and chain events of one organization under its head, which moves on; `save` writes both."""
    moment = times.clock_now()
    written = []
    for new in events:
        head.log_seq += 1
        event = _row(head, new, moment)
        head.log_hash = event.hash = chain_hash(event)
        written.append(event)
    return written


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


VERIFICATION_AT_ONCE = 500
SEALED = "log.sealed"
type Progress = Callable[[int], Awaitable[None]]


class Names:
    """A digest of the actors' names in events that do not hash them, which a later event that does has in its data."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, seq: int, name: str | None) -> None:
        self._digest.update(canonical([seq, name]).encode())

    def digest(self) -> str:
        return self._digest.hexdigest()


async def verify(
    organization_id: UUID, seq: int = 0, previous: str = GENESIS, progress: Progress | None = None
) -> tuple[int, str | None]:
    """Check one organization's chain; return how many events hold and the first fault as a sentence.

    `seq` and `previous` are the number and hash of an event up to which it was checked before. `progress` gets the
    number of events of each page that was checked. Events written during the check are left to the next one.
    """
    names = Names() if seq == 0 else None
    newest = await rows("SELECT seq FROM events WHERE organization_id = ? ORDER BY seq DESC LIMIT 1", organization_id)
    [head] = await rows("SELECT log_seq, log_hash, log_signature FROM organizations WHERE id = ?", organization_id)
    last = int(head["log_seq"])
    while seq < last:
        following = Event.filter(organization_id=organization_id, seq__gt=seq).order_by("seq")
        page = await following.limit(VERIFICATION_AT_ONCE)
        if not page:
            break
        for event in page[: last - seq]:
            if fault := _fault_of(event, seq, previous, names):
                return seq, fault
            previous, seq = event.hash, event.seq
        if progress is not None:
            await progress(len(page))
    if (last, head["log_hash"]) != (seq, previous):
        return seq, f"The log ends at event {seq}, but event {last} was written."
    if newest and newest[0]["seq"] > last:
        return seq, f"Event {newest[0]['seq']} was added to a log that ends at event {last}."
    return seq, head_fault(str(organization_id), last, previous, head["log_signature"])


def _fault_of(event: Event, seq: int, previous: str, names: Names | None) -> str | None:
    """Return what is wrong with the event after `seq`; `names` are those since the first event, if it was checked."""
    if event.seq != seq + 1:
        return f"Event {seq + 1} is missing."
    if event.prev_hash != previous or chain_hash(event) != event.hash:
        return f"Event {event.seq} was changed after it was written."
    if names is not None and event.version == 1:
        names.add(event.seq, event.actor_name)
    elif names is not None and event.kind == SEALED and orjson.loads(event.data).get("names") != names.digest():
        return f"The name of an actor in an event before event {event.seq} was changed."
    return None


def head_fault(log: str, seq: int, digest: str, signature: str) -> str | None:
    """Return what is wrong with a head's signature as a sentence; another key's signature is no fault of the log."""
    match judge(log, seq, digest, signature):
        case Verdict.MISSING:
            return f"The head at number {seq} is not signed: it was written without this program."
        case Verdict.FORGED:
            return f"The head at number {seq} was not signed by this installation: the log was written without its key."
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Kind(Part):
    """A kind of event: when it is recorded, and what a feed says was done, when that needs only the thing's name."""

    name: str
    recorded_when: str
    phrase: str = ""
    is_named_in_message: bool = False

    @classmethod
    def named(cls, name: str, recorded_when: str, phrase: str = "") -> "Kind":
        """Return a kind about a thing without a page, or that is gone: its message names it, behind a colon."""
        return cls(name, recorded_when, phrase, is_named_in_message=True)

    def install(self) -> None:
        add(KINDS, self.name, self)


@dataclass(frozen=True, slots=True)
class AccountKind(Part):
    """A kind of entry of the account log, and when it is recorded."""

    name: str
    recorded_when: str

    def install(self) -> None:
        add(ACCOUNT_KINDS, self.name, self.recorded_when)


# The installed kinds by name; those of the account log with when they are recorded.
KINDS: dict[str, Kind] = {}
ACCOUNT_KINDS: dict[str, str] = {}
