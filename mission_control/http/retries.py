"""`Idempotency-Key`: a repeated write gets the first answer and changes nothing twice.

The idempotency record (key and answer) and the change are one transaction. A request that fails leaves no record, so
it may be tried again; one that arrives while the first still runs waits for it on the unique index.

A write that is not atomic (a long poll, one in several transactions, one that asks the outside) makes the change that
counts by `committed`, and the record joins that transaction. Where it makes none, it may run twice without a second
effect, and its record is written after it. A client may send the same long poll twice when it believes the first is
lost: the one that is answered first wakes the other, which gives the same answer.

Answers are stored compressed and encrypted, and limited per actor. Beyond an actor's share of bytes the oldest answers
are deleted first: their records stay, so the requests are not performed again, but they get no answer. Beyond the
number of records, the oldest are deleted.
"""

import asyncio
import contextlib
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from quart import Response, current_app, request
from quart.wrappers.response import DataBody

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, ErrorCode, Invalid
from mission_control.core.secrets import decrypt, decrypt_bytes, encrypt_bytes
from mission_control.core.values import new_id
from mission_control.database.sql import as_moment, is_postgres, placeholders, rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically
from mission_control.events.unit_of_work import notify
from mission_control.http import agent_news
from mission_control.http.body_limit import admit_body
from mission_control.http.registry import Call, Operation, answered, require_match, tag_of, takes_match

MOST_BYTES, MOST_REQUESTS = 8 * 1024 * 1024, 10_000
LOOK_AGAIN = 8  # the share is looked at whenever an eighth of it was written since
MOST_ACTORS = 10_000
COMPRESSED = "z:"

_since: OrderedDict[UUID, tuple[int, int]] = OrderedDict()
RECORDED_FOR = timedelta(hours=24)
LONGEST_KEY = 255
DELETED_AT_ONCE = 100


@dataclass(slots=True)
class _SafeWrite:
    """A write with an `Idempotency-Key`, an `If-Match`, or both. Keys belong to their sender."""

    call: Call
    actor: Actor
    sender: UUID
    key: str
    match: str
    request_hash: str
    is_recorded: bool = False


# The write that runs outside of a transaction, for `committed`.
_running: ContextVar[_SafeWrite | None] = ContextVar("running_write", default=None)


class Replayed(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class _NotYet(Exception):
    """There is no answer yet; the transaction is rolled back."""


async def recorded_answer(entry: Operation, actor: Actor | None) -> Response | None:
    """Return the recorded answer of a repeated write whose thing the actor no longer reaches, else None.

    The first write may be the reason: a deleted thing is not found, and an actor that gave a right away lacks it.
    """
    key = _header("Idempotency-Key")
    if actor is None or not key or entry.method == "GET":
        return None
    sent = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    request_hash = _hash(sent)
    for record in await _records(_id_of(actor), key):
        if _is_fresh(record) and record["request_hash"] == request_hash:
            return _replay(entry, record, request_hash)
    return None


async def written(call: Call) -> Response:
    """Perform a write and return its answer; honours `Idempotency-Key` and `If-Match`, or refuses them."""
    key, match = _header("Idempotency-Key"), _header("If-Match")
    if not key and not match:
        return answered(call.entry, await call.perform())
    if match and not takes_match(call.entry):
        raise Invalid(ErrorCode.HEADER_NOT_SUPPORTED.detail("This operation does not support If-Match."))
    if len(key) > LONGEST_KEY:
        raise Invalid(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    if call.actor is None:
        admit_body()
        actor, sender = system(call.thing.scope().organization_id), call.thing.id
    else:
        actor, sender = call.actor, _id_of(call.actor)
    sent = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    write = _SafeWrite(call, actor, sender, key, match, _hash(sent))
    if call.entry.decides_itself:
        return await _written_by_itself(write)
    return await atomically(actor, lambda: _write(write))


def _id_of(actor: Actor) -> UUID:
    assert actor.id is not None
    return actor.id


def _header(name: str) -> str:
    return request.headers.get(name, "").strip()


async def _written_by_itself(write: _SafeWrite) -> Response:
    for record in await _records(write.sender, write.key) if write.key else ():
        if _is_fresh(record):
            return _replay(write.call.entry, record, write.request_hash)
    if write.match:
        await atomically(write.actor, lambda: _require_match(write))
    token = _running.set(write)
    try:
        response = answered(write.call.entry, await write.call.perform())
    except Replayed as before:
        return before.response
    finally:
        _running.reset(token)
    if write.key and not write.is_recorded and isinstance(response.response, DataBody):  # else it records itself later
        return await atomically(write.actor, lambda: _record_afterwards(write, response))
    return response


async def _record_afterwards(write: _SafeWrite, response: Response) -> Response:
    if (before := await _insert_record(write)) is not None:
        return before
    await _save_answer(write, response)
    return response


async def committed[R](actor: Actor, work: Callable[[], Awaitable[R | None]]) -> R | None:
    """Run `work` in one transaction that also records its answer for the key; return the answer.

    `work` returns None for "not yet". The transaction is then rolled back when there is a key, so the work must not
    have written anything. Without a key or an `If-Match` it begins its own transaction. Raises `Replayed`, which
    `written` turns into the recorded answer.
    """
    write = _running.get()
    if write is None:
        return await work()
    try:
        return await atomically(actor, lambda: _commit(write, work))
    except _NotYet:
        return None


def key_of_request(actor: Actor) -> str | None:
    """Return a key for a write elsewhere that is the same whenever this request is repeated, None without a key."""
    write = _running.get()
    return None if write is None or not write.key else str(uuid5(_id_of(actor), write.key))


@contextlib.contextmanager
def notified_of_answer(actor: Actor) -> Iterator["asyncio.Future[None]"]:
    """Inside a long poll: yield a future that completes when the same key may have been answered elsewhere."""
    write = _running.get()
    if write is None or not write.key:
        yield asyncio.get_running_loop().create_future()
        return
    with wakeup_channels.listening(_channel(write)) as notified:
        yield notified


def _channel(write: _SafeWrite) -> str:
    return f"answered:{write.sender}:{hashlib.sha256(write.key.encode()).hexdigest()[:32]}"


async def _commit[R](write: _SafeWrite, work: Callable[[], Awaitable[R | None]]) -> R:
    _running.set(None)  # what the work calls joins this transaction, and is not recorded by itself
    if (record := await _begin(write)) is not None:
        raise Replayed(record)
    answer = await work()
    if answer is None:
        raise _NotYet()
    if write.key:
        notify(_channel(write))
        await _save_answer(write, answered(write.call.entry, answer))
        write.is_recorded = True
    return answer


async def _begin(write: _SafeWrite) -> Response | None:
    """Inside the transaction of a write: return the answer that its key has, else hold what `If-Match` names."""
    if write.key and (record := await _insert_record(write)) is not None:
        return record
    await _require_match(write)
    return None


async def _require_match(write: _SafeWrite) -> None:
    if write.match:
        await require_match(write.call, write.actor, write.match)


def _hash(body: bytes) -> str:
    """Return the hash by which two requests are the same: address and body, without the boundary of a form."""
    address = f"{request.method} {request.full_path}\n".encode()
    if boundary := request.mimetype_params.get("boundary"):
        body = body.replace(f"--{boundary}".encode(), b"--")
    return hashlib.sha256(address + body).hexdigest()


async def _write(write: _SafeWrite) -> Response:
    if (record := await _begin(write)) is not None:
        return record
    response = answered(write.call.entry, await write.call.perform())
    if write.key:
        await _save_answer(write, response)
    return response


async def _insert_record(write: _SafeWrite) -> Response | None:
    await _delete_old_records(write.sender)
    mine = await rows(
        "INSERT INTO kept_answers (id, actor_id, key, request_hash, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (actor_id, key) DO NOTHING RETURNING id",
        new_id(),
        write.sender,
        write.key,
        write.request_hash,
        times.clock_now(),
    )
    return None if mine else _replay(write.call.entry, (await _records(write.sender, write.key))[0], write.request_hash)


async def _delete_old_records(sender: UUID) -> None:
    """Delete the sender's old records, and some whose senders did not come back."""
    oldest, locked = times.clock_now() - RECORDED_FOR, " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    await rows(
        "DELETE FROM kept_answers WHERE (actor_id = ? AND created_at < ?) OR id IN"
        f" (SELECT id FROM kept_answers WHERE created_at < ? ORDER BY created_at LIMIT {DELETED_AT_ONCE}{locked})",
        sender,
        oldest,
        oldest,
    )


async def _records(sender: UUID, key: str) -> list[dict[str, object]]:
    return await rows(
        "SELECT request_hash, status, answer, created_at FROM kept_answers"
        " WHERE actor_id = ? AND key = ? AND status IS NOT NULL",
        sender,
        key,
    )


def _is_fresh(record: dict[str, object]) -> bool:
    return (as_moment(record["created_at"]) or times.clock_now()) >= times.clock_now() - RECORDED_FOR


def _replay(entry: Operation, record: dict[str, Any], request_hash: str) -> Response:
    if record["request_hash"] != request_hash:
        raise Invalid(ErrorCode.IDEMPOTENCY_KEY_REUSED.detail())
    body = unpacked(record["answer"])
    agent_news.is_repeated()
    headers = {"Idempotency-Replayed": "true"}
    if entry.sends_etag:
        headers["ETag"] = tag_of(body.encode())
    return Response(body, record["status"], headers, content_type="application/json")


async def _save_answer(write: _SafeWrite, response: Response) -> None:
    body = await response.get_data(as_text=True)
    stored = packed(body)
    await rows(
        "UPDATE kept_answers SET status = ?, answer = ? WHERE actor_id = ? AND key = ?",
        response.status_code,
        stored,
        write.sender,
        write.key,
    )
    await keep_within_share(write.sender, write.key, stored)


def packed(body: str) -> str:
    return COMPRESSED + encrypt_bytes(zlib.compress(body.encode()), current_app.config["SECRET_KEY"])


def unpacked(stored: str | None) -> str:
    """Return a stored answer; raises Conflict when only its record is left."""
    if stored is None:
        raise Conflict(ErrorCode.IDEMPOTENCY_ANSWER_GONE.detail())
    key = current_app.config["SECRET_KEY"]
    if not stored.startswith(COMPRESSED):
        return decrypt(stored, key)
    return zlib.decompress(decrypt_bytes(stored.removeprefix(COMPRESSED), key)).decode()


async def keep_within_share(sender: UUID, key: str, stored: str) -> None:
    """Delete the sender's oldest answers beyond its share, in the transaction that records a new one.

    What was written since the last look is counted in this process, so most writes cost no statement.
    """
    count, size = _since.pop(sender, (0, 0))
    count, size = count + 1, size + len(stored)
    if count * LOOK_AGAIN > MOST_REQUESTS or size * LOOK_AGAIN > MOST_BYTES:
        await _delete_records(sender)
        await _delete_answers(sender, key)
        return
    _since[sender] = count, size
    while len(_since) > MOST_ACTORS:
        _since.popitem(last=False)


async def _delete_records(sender: UUID) -> None:
    oldest = await rows(
        "SELECT created_at FROM kept_answers WHERE actor_id = ? ORDER BY created_at DESC LIMIT 1 OFFSET ?",
        sender,
        MOST_REQUESTS,
    )
    if oldest:
        condition = "actor_id = ? AND created_at <= ?"
        await rows(f"DELETE FROM kept_answers WHERE {_free(condition)}", sender, oldest[0]["created_at"])


async def _delete_answers(sender: UUID, key: str) -> None:
    oversized: list[Any] = await rows(
        "SELECT id FROM (SELECT id, key, SUM(LENGTH(answer)) OVER (ORDER BY created_at DESC, id DESC) AS size"
        " FROM kept_answers WHERE actor_id = ? AND answer IS NOT NULL) sizes WHERE size > ? AND key <> ?",
        sender,
        MOST_BYTES,
        key,
    )
    ids = [row["id"] for row in oversized]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        condition = f"id IN ({placeholders(len(part))})"
        await rows(f"UPDATE kept_answers SET answer = NULL WHERE {_free(condition)}", *part)


def _free(condition: str) -> str:
    """Return a condition for rows that no other transaction locks: tidying waits for nobody and cannot deadlock."""
    locked = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    return f"id IN (SELECT id FROM kept_answers WHERE {condition}{locked})"
