"""One connection to an SQLite file, and whatever a statement needs there."""

import sqlite3
from collections.abc import Callable
from typing import Any

from mission_control.database.sqlite_costs import Stopwatch

# A job runs one statement on a connection and returns what it gives.
type Job = Callable[[Connection, str, Any], Any]

STEPS_BETWEEN_CHECKS = 2000  # of SQLite's machine: some 40 microseconds, unless one of them is long
ROWS_BETWEEN_CHECKS = 16  # a row can be a megabyte
WAIT_MILLISECONDS = 5000  # for a lock that another process holds
PREPARED = 512  # statements of each connection
READER_CACHE_KIB = 8000


class Cut(Exception):
    """The statement had its time. It changed nothing."""


class Connection(sqlite3.Connection):
    """A connection whose reads end when their time is over."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path, **options)
        self.watch = Stopwatch()
        self.set_progress_handler(self.watch.is_over, STEPS_BETWEEN_CHECKS)

    def fetched(self, cursor: sqlite3.Cursor) -> list[Any]:
        """Return all rows of a cursor. Raise Cut when that takes too long."""
        found = part = cursor.fetchmany(ROWS_BETWEEN_CHECKS)
        while len(part) == ROWS_BETWEEN_CHECKS:
            if self.watch.is_over():
                raise Cut
            part = cursor.fetchmany(ROWS_BETWEEN_CHECKS)
            found += part
        return found

    def run_within(self, seconds: float, job: Job, sql: str, values: Any) -> Any:
        """Run a statement that changes nothing, for so long at most: beyond raise Cut."""
        self.watch.start(seconds)
        try:
            return job(self, sql, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT and self.watch.is_over():
                raise Cut from error
            raise
        finally:
            self.watch.start(float("inf"))


def opened(path: str, pragmas: dict[str, Any]) -> Connection:
    """Open a file. A statement that meets another process's lock fails at once, but for these pragmas."""
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=PREPARED, factory=Connection
    )
    try:
        connection.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")  # WAL may have to be recovered first
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}").fetchall()
        connection.execute("PRAGMA busy_timeout=0")
        connection.create_function("unicode_lower", 1, _lower, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def opened_for_reading(path: str, wait: int = 0) -> Connection:
    """Open a file for reads, which wait so many milliseconds for a lock."""
    connection = opened(path, {"cache_size": -READER_CACHE_KIB, "query_only": "ON"})
    connection.execute(f"PRAGMA busy_timeout={wait}")
    return connection


def patiently(connection: Connection, job: Job, sql: str, values: Any) -> Any:
    """Run a statement in a thread, where it may wait for another process."""
    connection.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")
    try:
        return job(connection, sql, values)
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def is_locked(error: sqlite3.OperationalError) -> bool:
    """Whether another process has a lock that the statement needs."""
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _lower(value: Any) -> Any:
    """SQLite's own LOWER knows the letters of ASCII only."""
    return value.lower() if isinstance(value, str) else value
