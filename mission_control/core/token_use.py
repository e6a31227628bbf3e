"""When tokens were last used: remembered in memory and written together, so that a request writes nothing for it.

A token is written at most once a minute; a process that is killed forgets at most the last seconds.
"""

import asyncio
import logging
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.transactions import in_transaction

from mission_control.core import clock
from mission_control.database.sql import is_postgres, rows

WRITTEN_AGAIN_AFTER = timedelta(seconds=60)
WRITE_SECONDS = 15.0

_used: dict[UUID, datetime] = {}
_log = logging.getLogger(__name__)


def note(token_id: UUID, last_used_at: datetime | None) -> None:
    """Remember that a valid token was used, unless that stands in its row since less than a minute."""
    now = clock.now()
    if last_used_at is None or now - last_used_at > WRITTEN_AGAIN_AFTER:
        _used[token_id] = now


async def write_down() -> None:
    """Write what was remembered; what cannot be written stays for the next time."""
    if not _used:
        return
    taken = dict(_used)
    _used.clear()
    # One transaction is one wait for SQLite's disk; on PostgreSQL it would hold rows that rotations want as well.
    together: Any = nullcontext() if is_postgres() else in_transaction()
    try:
        async with together:
            for token_id, moment in taken.items():
                await rows(
                    "UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
                    moment,
                    token_id,
                    moment,
                )
    except asyncio.CancelledError:  # the application stops, and writes once more when its loops have ended
        _used.update(taken | _used)
        raise
    except Exception:
        _used.update(taken | _used)
        _log.exception("writing down the use of tokens failed")


async def write_for_ever() -> None:
    """For ever: write every few seconds what was remembered."""
    while True:
        await asyncio.sleep(WRITE_SECONDS)
        await write_down()
