"""Record when tokens and sessions were last used, in memory first, in batches after that: no request writes it.

A row is written at most once a minute. A killed process loses the last seconds.
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
    "UPDATE {table} SET {column} = used.column2 FROM (VALUES {values}) AS used WHERE {table}.id = used.column1"
    " AND ({table}.{column} IS NULL OR {table}.{column} < used.column2)"
)
NOT_HELD = " AND {table}.id IN (SELECT id FROM {table} WHERE id IN ({ids}) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"
TOKENS, SESSIONS = ("tokens", "last_used_at"), ("sessions", "last_seen_at")

_used: dict[UUID, datetime] = {}
_seen: dict[UUID, datetime] = {}
_log = logging.getLogger(__name__)


def remember(token_id: UUID, last_used_at: datetime | None) -> None:
    """Remember that a valid token was used, unless its row says so since less than a minute ago."""
    now = clock.now()
    if last_used_at is None or now - last_used_at > WRITTEN_AGAIN_AFTER:
        _used[token_id] = now


def remember_session(session_id: UUID, last_seen_at: datetime | None) -> None:
    """Remember that a browser's session was used, unless its row says so since less than a minute ago."""
    now = clock.now()
    if last_seen_at is None or now - last_seen_at > WRITTEN_AGAIN_AFTER:
        _seen[session_id] = now


async def write_down() -> None:
    """Write the remembered uses; keep them for the next time when that fails."""
    await _write_all(_used, *TOKENS)
    await _write_all(_seen, *SESSIONS)


async def _write_all(remembered: dict[UUID, datetime], table: str, column: str) -> None:
    if not remembered:
        return
    taken = dict(remembered)
    remembered.clear()
    # One transaction is one wait for SQLite's disk; on PostgreSQL it would lock rows that rotations need.
    together: Any = nullcontext() if is_postgres() else in_transaction()
    try:
        async with together:
            used = list(taken.items())
            for start in range(0, len(used), AT_ONCE):
                await _write(used[start : start + AT_ONCE], table, column)
    except asyncio.CancelledError:  # the application stops, and writes once more when its loops have ended
        remembered.update(taken | remembered)
        raise
    except Exception:
        remembered.update(taken | remembered)
        _log.exception("writing down the use of %s failed", table)


async def _write(used: list[tuple[UUID, datetime]], table: str, column: str) -> None:
    """One statement for many rows."""
    pairs = [value for pair in used for value in pair]
    if is_postgres():
        sql = UPDATE.format(table=table, column=column, values=", ".join(["(?::uuid, ?::timestamp)"] * len(used)))
        held = NOT_HELD.format(table=table, ids=placeholders(len(used)))
        await rows(sql + held, *pairs, *(one_id for one_id, _ in used))
    else:
        await rows(UPDATE.format(table=table, column=column, values=", ".join(["(?, ?)"] * len(used))), *pairs)


async def run_writer() -> None:
    """Write remembered uses every few seconds, in an endless loop."""
    while True:
        await asyncio.sleep(WRITE_SECONDS)
        await write_down()
