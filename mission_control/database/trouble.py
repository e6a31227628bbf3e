"""What keeps the database from taking writes, from the first request that failed until one could succeed again.

`/readyz` reports it. A test write retries, but only during trouble or when the disk is nearly full.
"""

import asyncio
import shutil
from pathlib import Path

from tortoise.transactions import in_transaction

from mission_control.core import clock
from mission_control.database.outages import DAMAGED, FULL, UNWRITABLE, outage
from mission_control.database.sql import rows

LEAST_FREE_BYTES = 2**20
SECONDS_BETWEEN_TRIES = 2.0
NAME, SIZE = "write_check", 2**16
WRITE = "INSERT INTO instance_settings (name, value) VALUES (?, ?)"


class Trouble:
    """The trouble of this process's database; None when there is none."""

    def __init__(self) -> None:
        self._sentence: str | None = None
        self._tried_at = -SECONDS_BETWEEN_TRIES
        self._trying = asyncio.Lock()

    def noted(self, sentence: str) -> None:
        """A request failed for this reason."""
        if sentence in (FULL, UNWRITABLE, DAMAGED) and self._sentence != DAMAGED:
            self._sentence = sentence

    async def now(self, sqlite_file: Path | None) -> str | None:
        """What is wrong, as one sentence; a damaged file stays damaged until the next start."""
        async with self._trying:
            is_worth_a_try = self._sentence not in (None, DAMAGED) or _is_nearly_full(sqlite_file)
            if is_worth_a_try and clock.monotonic() - self._tried_at >= SECONDS_BETWEEN_TRIES:
                self._tried_at = clock.monotonic()
                self._sentence = await _why_not()
        return self._sentence and self._sentence.partition(". ")[0].removesuffix(".") + "."


def _is_nearly_full(sqlite_file: Path | None) -> bool:
    try:
        return sqlite_file is not None and shutil.disk_usage(sqlite_file.parent).free < LEAST_FREE_BYTES
    except OSError:
        return True


async def _why_not() -> str | None:
    """Write as much as a large request would, and take it away again; why that fails, None when it does not.

    What an earlier try could not take away is written over.
    """
    try:
        async with in_transaction():
            await rows(f"{WRITE} ON CONFLICT (name) DO UPDATE SET value = excluded.value", NAME, "x" * SIZE)
        async with in_transaction():
            await rows("DELETE FROM instance_settings WHERE name = ?", NAME)
    except Exception as error:
        return outage(error) or UNWRITABLE
    return None


trouble = Trouble()
