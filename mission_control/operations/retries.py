"""`Idempotency-Key`: a write that is sent again gets the first one's answer and changes nothing twice.

The key's row, the change and the answer are one transaction. A request that fails leaves no trace, so that it may be
tried again; one that arrives while the first still runs waits for it on the unique index.

A write that waits for its moment (a long poll) is no single transaction, nor is one that is done in pieces. It makes
its change by `decided`, and the key's row and the answer join that one transaction. The same request may wait twice,
when a client believes that its first is lost: whichever is answered wakes the other, which answers the same.
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
from mission_control.commands.unit_of_work import ring
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.ids import new_id
from mission_control.database.sql import as_moment, is_postgres, rows
from mission_control.live import bells
from mission_control.operations.idempotency_records import keep_within_share, packed, unpacked
from mission_control.operations.preconditions import answered, require_match, tag_of
from mission_control.operations.registry import Operation, answers_its_state

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
FORGOTTEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller of such a write wants to be kept: the answer, under a key."""

    entry: Operation
    key: str
    request_hash: str


_asked: ContextVar[_Asked | None] = ContextVar("asked_to_keep", default=None)


class _AnsweredBefore(Exception):
    """The key has an answer already."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class _Undecided(Exception):
    """There is no answer yet; nothing of the attempt stays."""


async def answered_before(entry: Operation, actor: Actor | None) -> Response | None:
    """The kept answer of a write that is sent again when what it was about is out of reach by now.

    The first one may have put it there: a deleted thing is not found, and whoever gave a right away lacks it.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if actor is None or not key or entry.method == "GET":
        return None
    sent: Any = await request.get_data()
    request_hash = _hash(sent)
    for kept in await _kept(actor, key):
        if _is_fresh(kept) and kept["request_hash"] == request_hash:
            return _replayed(entry, kept, request_hash)
    return None


async def written(
    entry: Operation, actor: Actor | None, ids: dict[str, UUID], found: Any, perform: Callable[[], Awaitable[Any]]
) -> Response:
    """Perform a write, safely repeatable and only on the state that the caller names, when it asks for that."""
    key, match = request.headers.get("Idempotency-Key", "").strip(), request.headers.get("If-Match", "").strip()
    wanted = key if entry.decides_itself else (key or match) if entry.is_atomic else ""
    if actor is None or not wanted:
        return answered(entry, await perform())
    if len(key) > LONGEST_KEY:
        raise Invalid(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    sent: Any = await request.get_data()
    request_hash = _hash(sent)
    if entry.decides_itself:
        return await _decided_inside(actor, perform, _Asked(entry, key, request_hash))
    return await atomically(actor, lambda: _write(entry, actor, ids, found, perform, key, match, request_hash))


async def _decided_inside(actor: Actor, perform: Callable[[], Awaitable[Any]], asked: _Asked) -> Response:
    for kept in await _kept(actor, asked.key):
        if _is_fresh(kept):
            return _replayed(asked.entry, kept, asked.request_hash)
    token = _asked.set(asked)
    try:
        return answered(asked.entry, await perform())
    except _AnsweredBefore as before:
        return before.response
    finally:
        _asked.reset(token)


async def decided[R](actor: Actor, work: Callable[[], Awaitable[R | None]]) -> R | None:
    """Inside such a write: work that makes its answer, as one transaction in which the answer is kept for the key.

    None is no answer yet: what the work did is undone when there is a key, so it must have done nothing.
    """
    asked = _asked.get()
    if asked is None:
        return await work()
    try:
        return await atomically(actor, lambda: _decide(actor, asked, work))
    except _Undecided:
        return None


@contextlib.contextmanager
def answered_elsewhere(actor: Actor) -> Iterator["asyncio.Future[None]"]:
    """Inside a long poll: done when the same request with the same key may have been answered; `decided` tells."""
    asked = _asked.get()
    if asked is None:
        yield asyncio.get_running_loop().create_future()
        return
    with bells.listening(_bell(actor, asked.key)) as heard:
        yield heard


def _bell(actor: Actor, key: str) -> str:
    return f"answered:{actor.id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


async def _decide[R](actor: Actor, asked: _Asked, work: Callable[[], Awaitable[R | None]]) -> R:
    if (kept := await _claim(asked.entry, actor, asked.key, asked.request_hash)) is not None:
        raise _AnsweredBefore(kept)
    answer = await work()
    if answer is None:
        raise _Undecided()
    ring(_bell(actor, asked.key))
    await _keep(actor, asked.key, answered(asked.entry, answer))
    return answer


def _hash(body: bytes) -> str:
    """What makes two requests the same: address and body, but not the boundary of a form, which is new in each."""
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
    if key and (kept := await _claim(entry, actor, key, request_hash)) is not None:
        return kept
    if match:
        await require_match(entry, actor, ids, found, match)
    response = answered(entry, await perform())
    if key:
        await _keep(actor, key, response)
    return response


async def _claim(entry: Operation, actor: Actor, key: str, request_hash: str) -> Response | None:
    await _forget_old(actor)
    mine = await rows(
        "INSERT INTO kept_answers (id, actor_id, key, request_hash, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (actor_id, key) DO NOTHING RETURNING id",
        new_id(),
        actor.id,
        key,
        request_hash,
        clock.now(),
    )
    return None if mine else _replayed(entry, (await _kept(actor, key))[0], request_hash)


async def _forget_old(actor: Actor) -> None:
    """Delete the actor's old answers, and some of those whose senders did not come back."""
    oldest, locked = clock.now() - KEPT_FOR, " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    await rows(
        "DELETE FROM kept_answers WHERE (actor_id = ? AND created_at < ?) OR id IN"
        f" (SELECT id FROM kept_answers WHERE created_at < ? ORDER BY created_at LIMIT {FORGOTTEN_AT_ONCE}{locked})",
        actor.id,
        oldest,
        oldest,
    )


async def _kept(actor: Actor, key: str) -> list[dict[str, Any]]:
    return await rows(
        "SELECT request_hash, status, answer, created_at FROM kept_answers"
        " WHERE actor_id = ? AND key = ? AND status IS NOT NULL",
        actor.id,
        key,
    )


def _is_fresh(kept: dict[str, Any]) -> bool:
    return (as_moment(kept["created_at"]) or clock.now()) >= clock.now() - KEPT_FOR


def _replayed(entry: Operation, kept: dict[str, Any], request_hash: str) -> Response:
    if kept["request_hash"] != request_hash:
        raise Invalid("This Idempotency-Key was used for another request.")
    body = unpacked(kept["answer"])
    headers = {"Idempotency-Replayed": "true"}
    if answers_its_state(entry):
        headers["ETag"] = tag_of(body.encode())
    return Response(body, kept["status"], headers, content_type="application/json")


async def _keep(actor: Actor, key: str, response: Response) -> None:
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
