"""`Idempotency-Key`: a repeated write gets the first answer and changes nothing twice.

The idempotency record (key and answer) and the change are one transaction. A request that fails leaves no record, so
it may be tried again; one that arrives while the first still runs waits for it on the unique index.

A long poll, and a write done in pieces, is not a single transaction. It makes its change by `committed`, and the record
joins that transaction. A client may send the same long poll twice when it believes the first is lost: the one that is
answered first wakes the other, which gives the same answer.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from quart import Response, request

from mission_control.commands.transaction import atomically
from mission_control.commands.unit_of_work import notify
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid
from mission_control.core.ids import new_id
from mission_control.database.sql import as_moment, is_postgres, rows
from mission_control.live import channels
from mission_control.operations.idempotency_records import keep_within_share, packed, unpacked
from mission_control.operations.preconditions import answered, require_match, tag_of
from mission_control.operations.registry import Operation

RECORDED_FOR = timedelta(hours=24)
LONGEST_KEY = 255
DELETED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _KeyedWrite:
    """A long poll or a write in pieces with a key: its answer is recorded by `committed`."""

    entry: Operation
    key: str
    request_hash: str


_keyed: ContextVar[_KeyedWrite | None] = ContextVar("keyed_write", default=None)


class Replayed(Exception):
    """The key has a recorded answer already."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class _NotYet(Exception):
    """There is no answer yet; the transaction is rolled back."""


async def recorded_answer(entry: Operation, actor: Actor | None) -> Response | None:
    """Return the recorded answer of a repeated write whose thing the actor no longer reaches, else None.

    The first write may be the reason: a deleted thing is not found, and an actor that gave a right away lacks it.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if actor is None or not key or entry.method == "GET":
        return None
    sent: Any = await request.get_data()
    request_hash = _hash(sent)
    for record in await _records(actor, key):
        if _is_fresh(record) and record["request_hash"] == request_hash:
            return _replay(entry, record, request_hash)
    return None


async def written(
    entry: Operation, actor: Actor | None, ids: dict[str, UUID], found: Any, perform: Callable[[], Awaitable[Any]]
) -> Response:
    """Perform a write and return its answer; honours `Idempotency-Key` and `If-Match`."""
    key, match = request.headers.get("Idempotency-Key", "").strip(), request.headers.get("If-Match", "").strip()
    wanted = key if entry.decides_itself else (key or match) if entry.is_atomic else ""
    if actor is None or not wanted:
        return answered(entry, await perform())
    if len(key) > LONGEST_KEY:
        raise Invalid(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    sent: Any = await request.get_data()
    request_hash = _hash(sent)
    if entry.decides_itself:
        return await _written_by_itself(actor, perform, _KeyedWrite(entry, key, request_hash))
    return await atomically(actor, lambda: _write(entry, actor, ids, found, perform, key, match, request_hash))


async def _written_by_itself(actor: Actor, perform: Callable[[], Awaitable[Any]], keyed: _KeyedWrite) -> Response:
    for record in await _records(actor, keyed.key):
        if _is_fresh(record):
            return _replay(keyed.entry, record, keyed.request_hash)
    token = _keyed.set(keyed)
    try:
        return answered(keyed.entry, await perform())
    except Replayed as before:
        return before.response
    finally:
        _keyed.reset(token)


async def committed[R](actor: Actor, work: Callable[[], Awaitable[R | None]]) -> R | None:
    """Run `work` in one transaction that also records its answer for the key; return the answer.

    `work` returns None for "not yet". The transaction is then rolled back when there is a key, so the work must not
    have written anything. Raises `Replayed`, which `written` turns into the recorded answer.
    """
    keyed = _keyed.get()
    if keyed is None:
        return await work()
    try:
        return await atomically(actor, lambda: _commit(actor, keyed, work))
    except _NotYet:
        return None


@contextlib.contextmanager
def notified_of_answer(actor: Actor) -> Iterator["asyncio.Future[None]"]:
    """Inside a long poll: yield a future that completes when the same key may have been answered elsewhere."""
    keyed = _keyed.get()
    if keyed is None:
        yield asyncio.get_running_loop().create_future()
        return
    with channels.listening(_channel(actor, keyed.key)) as notified:
        yield notified


def _channel(actor: Actor, key: str) -> str:
    return f"answered:{actor.id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


async def _commit[R](actor: Actor, keyed: _KeyedWrite, work: Callable[[], Awaitable[R | None]]) -> R:
    if (record := await _insert_record(keyed.entry, actor, keyed.key, keyed.request_hash)) is not None:
        raise Replayed(record)
    answer = await work()
    if answer is None:
        raise _NotYet()
    notify(_channel(actor, keyed.key))
    await _save_answer(actor, keyed.key, answered(keyed.entry, answer))
    return answer


def _hash(body: bytes) -> str:
    """Return the hash by which two requests are the same: address and body, without the boundary of a form."""
    address = f"{request.method} {request.full_path}\n".encode()
    if boundary := request.mimetype_params.get("boundary"):
        body = body.replace(f"--{boundary}".encode(), b"--")
    return hashlib.sha256(address + body).hexdigest()


async def _write(
    entry: Operation,
    actor: Actor,
    ids: dict[str, UUID],
    found: Any,
    perform: Callable[[], Awaitable[Any]],
    key: str,
    match: str,
    request_hash: str,
) -> Response:
    if key and (record := await _insert_record(entry, actor, key, request_hash)) is not None:
        return record
    if match:
        await require_match(entry, actor, ids, found, match)
    response = answered(entry, await perform())
    if key:
        await _save_answer(actor, key, response)
    return response


async def _insert_record(entry: Operation, actor: Actor, key: str, request_hash: str) -> Response | None:
    await _delete_old_records(actor)
    mine = await rows(
        "INSERT INTO kept_answers (id, actor_id, key, request_hash, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (actor_id, key) DO NOTHING RETURNING id",
        new_id(),
        actor.id,
        key,
        request_hash,
        clock.now(),
    )
    return None if mine else _replay(entry, (await _records(actor, key))[0], request_hash)


async def _delete_old_records(actor: Actor) -> None:
    """Delete the actor's old records, and some whose senders did not come back."""
    oldest, locked = clock.now() - RECORDED_FOR, " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    await rows(
        "DELETE FROM kept_answers WHERE (actor_id = ? AND created_at < ?) OR id IN"
        f" (SELECT id FROM kept_answers WHERE created_at < ? ORDER BY created_at LIMIT {DELETED_AT_ONCE}{locked})",
        actor.id,
        oldest,
        oldest,
    )


async def _records(actor: Actor, key: str) -> list[dict[str, Any]]:
    return await rows(
        "SELECT request_hash, status, answer, created_at FROM kept_answers"
        " WHERE actor_id = ? AND key = ? AND status IS NOT NULL",
        actor.id,
        key,
    )


def _is_fresh(record: dict[str, Any]) -> bool:
    return (as_moment(record["created_at"]) or clock.now()) >= clock.now() - RECORDED_FOR


def _replay(entry: Operation, record: dict[str, Any], request_hash: str) -> Response:
    if record["request_hash"] != request_hash:
        raise Invalid(ErrorCode.IDEMPOTENCY_KEY_REUSED.detail())
    body = unpacked(record["answer"])
    headers = {"Idempotency-Replayed": "true"}
    if entry.sends_etag:
        headers["ETag"] = tag_of(body.encode())
    return Response(body, record["status"], headers, content_type="application/json")


async def _save_answer(actor: Actor, key: str, response: Response) -> None:
    body: Any = await response.get_data(as_text=True)
    stored = packed(body)
    await rows(
        "UPDATE kept_answers SET status = ?, answer = ? WHERE actor_id = ? AND key = ?",
        response.status_code,
        stored,
        actor.id,
        key,
    )
    await keep_within_share(actor, key, stored)
