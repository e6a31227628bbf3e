"""`Idempotency-Key`: a write that is sent again gets the first one's answer and changes nothing twice.

The key's row, the change and the answer are one transaction. A request that fails leaves no trace, so that it may be
tried again; one that arrives while the first still runs waits for it on the unique index.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from quart import Response, current_app, request

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.command import atomically
from mission_control.core.errors import Invalid
from mission_control.core.ids import new_id
from mission_control.core.json import to_json
from mission_control.core.preconditions import require_match, tag_of
from mission_control.core.registry import Operation, answers_its_state
from mission_control.core.secrets import decrypt, encrypt
from mission_control.database.sql import rows

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255


async def written(
    entry: Operation, actor: Actor | None, ids: dict[str, UUID], found: Any, perform: Callable[[], Awaitable[Any]]
) -> Response:
    """Perform a write, safely repeatable and only on the state that the caller names, when it asks for that."""
    key, match = request.headers.get("Idempotency-Key", "").strip(), request.headers.get("If-Match", "").strip()
    if actor is None or not entry.is_atomic or not (key or match):
        return _answered(entry, await perform())
    if len(key) > LONGEST_KEY:
        raise Invalid(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    body = await request.get_data()
    return await atomically(actor, lambda: _write(entry, actor, ids, found, perform, key, match, _hash(body)))


def _hash(body: Any) -> str:
    address = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(address + (body if isinstance(body, bytes) else body.encode())).hexdigest()


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
    if key and (kept := await _claim(actor, key, request_hash)) is not None:
        return kept
    if match:
        await require_match(entry, actor, ids, found, match)
    response = _answered(entry, await perform())
    if key:
        await _keep(actor, key, response)
    return response


def _answered(entry: Operation, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    body = to_json(answer)
    response = Response(body, entry.status, content_type="application/json")
    if answers_its_state(entry):
        response.headers["ETag"] = tag_of(body)
    return response


async def _claim(actor: Actor, key: str, request_hash: str) -> Response | None:
    await rows("DELETE FROM kept_answers WHERE actor_id = ? AND created_at < ?", actor.id, clock.now() - KEPT_FOR)
    mine = await rows(
        "INSERT INTO kept_answers (id, actor_id, key, request_hash, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (actor_id, key) DO NOTHING RETURNING id",
        new_id(),
        actor.id,
        key,
        request_hash,
        clock.now(),
    )
    if mine:
        return None
    [kept] = await rows(
        "SELECT request_hash, status, answer FROM kept_answers WHERE actor_id = ? AND key = ?", actor.id, key
    )
    if kept["request_hash"] != request_hash:
        raise Invalid("This Idempotency-Key was used for another request.")
    body = decrypt(kept["answer"], current_app.config["SECRET_KEY"])
    return Response(body, kept["status"], {"Idempotency-Replayed": "true"}, content_type="application/json")


async def _keep(actor: Actor, key: str, response: Response) -> None:
    body: Any = await response.get_data(as_text=True)
    await rows(
        "UPDATE kept_answers SET status = ?, answer = ? WHERE actor_id = ? AND key = ?",
        response.status_code,
        encrypt(body, current_app.config["SECRET_KEY"]),
        actor.id,
        key,
    )
