"""Idempotency records: the answers of writes with an `Idempotency-Key`, compressed and encrypted, limited per actor.

Beyond an actor's share of bytes the oldest answers are deleted first: their records stay, so the requests are not
performed again, but they get no answer. Beyond the number of records, the oldest are deleted.
"""

import zlib
from collections import OrderedDict
from typing import Any
from uuid import UUID

from quart import current_app

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.core.secrets import decrypt, decrypt_bytes, encrypt_bytes
from mission_control.database.sql import is_postgres, placeholders, rows

MOST_BYTES, MOST_REQUESTS = 8 * 1024 * 1024, 10_000
LOOK_AGAIN = 8  # the share is looked at whenever an eighth of it was written since
MOST_ACTORS = 10_000
COMPRESSED = "z:"

_since: OrderedDict[UUID, tuple[int, int]] = OrderedDict()


def packed(body: str) -> str:
    """Return an answer as it is stored."""
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
    found: list[Any] = await rows(
        "SELECT id FROM (SELECT id, key, SUM(LENGTH(answer)) OVER (ORDER BY created_at DESC, id DESC) AS size"
        " FROM kept_answers WHERE actor_id = ? AND answer IS NOT NULL) sizes WHERE size > ? AND key <> ?",
        sender,
        MOST_BYTES,
        key,
    )
    ids = [row["id"] for row in found]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        condition = f"id IN ({placeholders(len(part))})"
        await rows(f"UPDATE kept_answers SET answer = NULL WHERE {_free(condition)}", *part)


def _free(condition: str) -> str:
    """Return a condition for rows that no other transaction locks: tidying waits for nobody and cannot deadlock."""
    locked = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    return f"id IN (SELECT id FROM kept_answers WHERE {condition}{locked})"
