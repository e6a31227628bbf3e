"""Record when tokens were last used, in memory first and in batches after that, so that no request writes it.

A token's row is written at most once a minute. A killed process loses the last seconds.
"""

import asyncio
import logging
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.transactions import in_transaction

from mission_control.core import clock
from mission_control.database.sql import is_postgres, placeholders, rows

WRITTEN_AGAIN_AFTER = timedelta(seconds=60)
WRITE_SECONDS = 15.0
AT_ONCE = 100
# Rows that are locked are skipped: another process records the same use, or the token is being changed.
UPDATE = (
    "UPDATE tokens SET last_used_at = used.column2 FROM (VALUES {values}) AS used WHERE tokens.id = used.column1"
    " AND (tokens.last_used_at IS NULL OR tokens.last_used_at < used.column2)"
)
NOT_HELD = " AND tokens.id IN (SELECT id FROM tokens WHERE id IN ({ids}) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"

_used: dict[UUID, datetime] = {}
_log = logging.getLogger(__name__)


def remember(token_id: UUID, last_used_at: datetime | None) -> None:
    """Remember that a valid token was used, unless its row says so since less than a minute ago."""
    now = clock.now()
    if last_used_at is None or now - last_used_at > WRITTEN_AGAIN_AFTER:
        _used[token_id] = now


async def write_down() -> None:
    """Write the remembered uses; keep them for the next time when that fails."""
    if not _used:
        return
    taken = dict(_used)
    _used.clear()
    # One transaction is one wait for SQLite's disk; on PostgreSQL it would lock rows that rotations need.
    together: Any = nullcontext() if is_postgres() else in_transaction()
    try:
        async with together:
            used = list(taken.items())
            for start in range(0, len(used), AT_ONCE):
                await _write(used[start : start + AT_ONCE])
    except asyncio.CancelledError:  # the application stops, and writes once more when its loops have ended
        _used.update(taken | _used)
        raise
    except Exception:
        _used.update(taken | _used)
        _log.exception("writing down the use of tokens failed")


async def _write(used: list[tuple[UUID, datetime]]) -> None:
    """One statement for many tokens."""
    pairs = [value for pair in used for value in pair]
    if is_postgres():
        sql = UPDATE.format(values=", ".join(["(?::uuid, ?::timestamp)"] * len(used)))
        await rows(sql + NOT_HELD.format(ids=placeholders(len(used))), *pairs, *(token_id for token_id, _ in used))
    else:
        await rows(UPDATE.format(values=", ".join(["(?, ?)"] * len(used))), *pairs)


async def run_writer() -> None:
    """Write remembered uses every few seconds, in an endless loop."""
    while True:
        await asyncio.sleep(WRITE_SECONDS)
        await write_down()
