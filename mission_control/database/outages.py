"""What an error of the database says about the database itself: full, busy, away, damaged."""

import sqlite3

import asyncpg
from tortoise.exceptions import DBConnectionError, OperationalError

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
POSTGRES_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncpg.DiskFullError, FULL),
    (asyncpg.DataCorruptedError, DAMAGED),
    (asyncpg.IndexCorruptedError, DAMAGED),
    (asyncpg.ReadOnlySQLTransactionError, UNWRITABLE),
    (asyncpg.LockNotAvailableError, BUSY),
    (asyncpg.DeadlockDetectedError, BUSY),
    (asyncpg.SerializationError, BUSY),
    (asyncpg.TooManyConnectionsError, BUSY),
    (asyncpg.PostgresConnectionError, AWAY),
    (asyncpg.CannotConnectNowError, AWAY),
    (asyncpg.AdminShutdownError, AWAY),
    (asyncpg.CrashShutdownError, AWAY),
    (DBConnectionError, AWAY),
    (asyncpg.InternalClientError, AWAY),  # a statement on a connection that broke while it was being made
    (ConnectionError, AWAY),
)


def outage(error: BaseException) -> str | None:
    """A sentence for people when the database is at fault rather than the request or the program."""
    for one in _with_causes(error):
        for kind, sentence in POSTGRES_KINDS:
            if isinstance(one, kind):
                return sentence
        if isinstance(one, OperationalError | sqlite3.DatabaseError):
            text = str(one).lower()
            for part, sentence in SQLITE_TEXTS.items():
                if part in text:
                    return sentence
        if isinstance(one, asyncpg.InterfaceError) and any(part in str(one) for part in LOST_CONNECTIONS):
            return AWAY
    return None


def _with_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        wrapped = one.args[0] if one.args and isinstance(one.args[0], BaseException) else None
        one = wrapped or one.__cause__
    return found
