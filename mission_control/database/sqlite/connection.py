"""One connection to an SQLite file, and whatever a statement needs there."""

import contextlib
import functools
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from mission_control.database.sql import FEW_ROWS

SHORT_SECONDS = 0.001  # a statement that took longer runs in a thread the next time
REMEMBERED = 2000  # texts of statements
LONG_VALUE = 10_000  # characters; writing more also means to index them for the search
MANY_VALUES = 200

_READS = re.compile(
    r"\s*(?:/\*.*?\*/)?\s*(SELECT\b|WITH\b(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b))", re.IGNORECASE | re.DOTALL
)
# One step of these can take as long as a text is, or they look at every row there is. How long that takes says nothing
# about the next time: the same statement finds other rows with another value.
_UNBOUNDED = re.compile(
    r"\b(LIKE|GLOB|MATCH|GROUP\s+BY)\b|\b(unicode_lower|instr|COUNT|SUM|AVG|TOTAL|group_concat|json_group_\w+)\s*\(",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=REMEMBERED)
def is_read(sql: str) -> bool:
    return _READS.match(sql) is not None


@functools.lru_cache(maxsize=REMEMBERED)
def is_unbounded(sql: str) -> bool:
    """Whether a statement searches texts or counts rows, unless it begins by saying that they are few (`FEW_ROWS`)."""
    return not sql.startswith(FEW_ROWS) and _UNBOUNDED.search(sql) is not None


def is_large(values: Sequence[Any]) -> bool:
    """Whether a statement writes a long text, or much at once."""
    return len(values) > MANY_VALUES or any(type(value) in (str, bytes) and len(value) > LONG_VALUE for value in values)


class Costs:
    """What each statement took, in seconds. One that was long is believed to be short again only step by step."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def of(self, sql: str, otherwise: float = 0.0) -> float:
        return self._seconds.get(sql, otherwise)

    def remember(self, sql: str, seconds: float) -> None:
        """Remember what a statement took just now."""
        if len(self._seconds) >= REMEMBERED:
            self._seconds.clear()
        self._seconds[sql] = max(seconds, self._seconds.get(sql, 0.0) / 2)


QUICK_IN_A_ROW = 8
FEW_CHANGES = 100  # rows
COMMITS_BETWEEN_CHECKPOINTS = 40  # of 20 to 30 pages each; SQLite makes one by itself when there are 1000


# A hop to a thread costs about as much processor time as a quick disk takes for a COMMIT. A disk that is slow, if only
# now and then, would hold up everybody.
class Commits:
    """Commits the writer's transactions, and says which may hold the loop's thread: few changes, to a quick disk."""

    def __init__(self) -> None:
        self._quick = 0  # in a row, up to now
        self._since_checkpoint = 0

    def are_quick(self, changes: int) -> bool:
        is_due = self._since_checkpoint >= COMMITS_BETWEEN_CHECKPOINTS
        return self._quick >= QUICK_IN_A_ROW and changes <= FEW_CHANGES and not is_due

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit: what was changed is on the disk afterwards."""
        began = time.perf_counter()
        connection.commit()
        self._quick = self._quick + 1 if time.perf_counter() - began <= SHORT_SECONDS else 0
        self._since_checkpoint += 1

    def commit_in_thread(self, connection: sqlite3.Connection) -> None:
        """Commit, and copy the log into the file when that is due, which SQLite does inside of a COMMIT otherwise."""
        self.commit(connection)
        if self._since_checkpoint >= COMMITS_BETWEEN_CHECKPOINTS:
            self._since_checkpoint = 0
            with contextlib.suppress(sqlite3.Error):  # what was committed is in the log in any case
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


class Stopwatch:
    """Says when the statement that runs on a connection has had its time.

    Beyond its time it must have used the processor as well: what a busy machine makes slow is not long.
    """

    def __init__(self) -> None:
        self._seconds = self._deadline = float("inf")
        self._cpu_at_deadline: float | None = None

    def start(self, seconds: float) -> None:
        """Give the next statement so many seconds, or `inf`."""
        self._seconds, self._deadline, self._cpu_at_deadline = seconds, time.perf_counter() + seconds, None

    def is_over(self) -> bool:
        """Return whether to end the statement. SQLite asks every so many steps, and the reader after some rows."""
        now = time.perf_counter()
        if now <= self._deadline:
            return False
        cpu = time.thread_time()  # thirty times as slow as perf_counter
        if self._cpu_at_deadline is not None and cpu - self._cpu_at_deadline > self._seconds / 2:
            return True
        self._deadline = now + self._seconds / 2
        if self._cpu_at_deadline is None:
            self._cpu_at_deadline = cpu
        return False


# A job runs one statement on a connection and returns what it gives.
type Job[T] = Callable[[Connection, str, Sequence[Any]], T]

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
        records = part = cursor.fetchmany(ROWS_BETWEEN_CHECKS)
        while len(part) == ROWS_BETWEEN_CHECKS:
            if self.watch.is_over():
                cursor.close()  # else the connection reads on what was there now, as long as anything holds the cursor
                raise Cut
            part = cursor.fetchmany(ROWS_BETWEEN_CHECKS)
            records += part
        return records

    def run_within[T](self, seconds: float, job: Job[T], sql: str, values: Sequence[object]) -> T:
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


def opened(path: str, pragmas: dict[str, object]) -> Connection:
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


def patiently[T](connection: Connection, job: Job[T], sql: str, values: Sequence[object]) -> T:
    """Run a statement in a thread, where it may wait for another process."""
    connection.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")
    try:
        return job(connection, sql, values)
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def is_locked(error: sqlite3.OperationalError) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _lower(value: object) -> Any:
    """SQLite's own LOWER knows the letters of ASCII only."""
    return value.lower() if isinstance(value, str) else value
