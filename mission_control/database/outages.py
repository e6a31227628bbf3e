"""What an error of the database says about the database itself: full, busy, away, damaged."""

import asyncio
import shutil
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncpg
from tortoise.exceptions import DBConnectionError, OperationalError
from tortoise.transactions import in_transaction

from mission_control.core import times
from mission_control.database.sql import rows


async def finish[T](step: "Coroutine[Any, Any, T] | asyncio.Future[T]") -> T:
    """Await `step` to its end even when cancelled; raise the cancellation afterwards."""
    task = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


FULL = "The disk of the database is full. Nothing of this request was saved."
BUSY = "The database is busy. Nothing of this request was saved; try again."
AWAY = "The database cannot be reached at the moment."
UNWRITABLE = "The database cannot be written. Nothing of this request was saved."
DAMAGED = "The database file is damaged. Run `mission-control doctor`, and go back to a backup."

SQLITE_TEXTS = {
    "disk is full": FULL,
    "database is locked": BUSY,
    "database table is locked": BUSY,
    "readonly database": UNWRITABLE,
    "disk i/o error": UNWRITABLE,
    "unable to open database": AWAY,
    "disk image is malformed": DAMAGED,
    "file is not a database": DAMAGED,
}
LOST_CONNECTIONS = ("closed", "released back to the pool")
POSTGRES_KINDS: dict[str, tuple[type[BaseException], ...]] = {
    FULL: (asyncpg.DiskFullError,),
    DAMAGED: (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError),
    UNWRITABLE: (asyncpg.ReadOnlySQLTransactionError,),
    BUSY: (
        asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError,
        asyncpg.TooManyConnectionsError,
    ),
    AWAY: (
        asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError, DBConnectionError, ConnectionError,
        asyncpg.InternalClientError,  # a statement on a connection that broke while it was being made
    ),
}  # fmt: skip


def outage(error: BaseException) -> str | None:
    """A sentence for people when the database is at fault rather than the request or the program."""
    for cause in _with_causes(error):
        for sentence, kinds in POSTGRES_KINDS.items():
            if isinstance(cause, kinds):
                return sentence
        if isinstance(cause, OperationalError | sqlite3.DatabaseError):
            text = str(cause).lower()
            for part, sentence in SQLITE_TEXTS.items():
                if part in text:
                    return sentence
        if isinstance(cause, asyncpg.InterfaceError) and any(part in str(cause) for part in LOST_CONNECTIONS):
            return AWAY
    return None


def _with_causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        wrapped = cause.args[0] if cause.args and isinstance(cause.args[0], BaseException) else None
        cause = wrapped or cause.__cause__
    return causes


LEAST_FREE_BYTES = 2**20
SECONDS_BETWEEN_TRIES = 2.0
NAME, SIZE = "write_check", 2**16
WRITE = "INSERT INTO instance_settings (name, value) VALUES (?, ?)"


# What keeps the database from taking writes, from the first request that failed until one could succeed again.
# `/readyz` reports it. A test write retries, but only during trouble or when the disk is nearly full.
class Trouble:
    """The trouble of this process's database; None when there is none."""

    def __init__(self) -> None:
        self._sentence: str | None = None
        self._tried_at = -SECONDS_BETWEEN_TRIES
        self._trying = asyncio.Lock()

    def noted(self, sentence: str) -> None:
        if sentence in (FULL, UNWRITABLE, DAMAGED) and self._sentence != DAMAGED:
            self._sentence = sentence

    async def now(self, sqlite_file: Path | None) -> str | None:
        """What is wrong, as one sentence; a damaged file stays damaged until the next start."""
        async with self._trying:
            is_worth_a_try = self._sentence not in (None, DAMAGED) or _is_nearly_full(sqlite_file)
            if is_worth_a_try and times.monotonic() - self._tried_at >= SECONDS_BETWEEN_TRIES:
                self._tried_at = times.monotonic()
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
