"""An open SQLite file: one connection that writes, one that reads on the loop's thread, and two for long reads.

A hop to a thread costs seven times as much as a short statement, so short statements run where the caller is. What
would hold up everybody goes to a thread: COMMIT, which waits for the disk; whatever has to wait for another process;
and every statement that turns out to be long. WAL lets the others read while the writer writes, and a statement that
begins after a COMMIT has returned sees it on every connection.
"""

import asyncio
import contextlib
import functools
import re
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mission_control.database.cancellation import finish

# A job runs one statement on a connection and returns what it gives.
type Job = Callable[[sqlite3.Connection, str, Any], Any]

SHORT_SECONDS = 0.001  # a statement that took longer in a thread, or a change that did here, runs in a thread again
CUT_SECONDS = 0.002  # a read that takes longer on the loop's thread is cut, and begins anew in a thread
TURN_SECONDS = 0.0003  # how long statements may follow each other before others get their turn
STEPS_BETWEEN_CHECKS = 2000  # of SQLite's machine: some 40 microseconds
LONG_READS = 2  # at the same time
WAIT_MILLISECONDS = 5000  # for a lock that another process holds
REMEMBERED = 2000  # texts of statements
PREPARED = 512  # statements of each connection
READER_CACHE_KIB = 8000

_READS = re.compile(r"\s*(SELECT\b|WITH\b(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b))", re.IGNORECASE | re.DOTALL)


@functools.lru_cache(maxsize=REMEMBERED)
def is_read(sql: str) -> bool:
    """Whether a statement changes nothing."""
    return _READS.match(sql) is not None


class SqliteFile:
    """The connections of this process. The user of the writer holds the client's lock."""

    def __init__(self, path: str, pragmas: dict[str, Any]) -> None:
        self._path = path
        self.writer = _opened(path, pragmas)
        self._deadline = 0.0
        self._cpu_at_deadline: float | None = None
        self._can_cut_writer = False
        self.writer.set_progress_handler(self._should_stop_writer, STEPS_BETWEEN_CHECKS)
        self.is_alone = pragmas.get("locking_mode") == "EXCLUSIVE"
        self.reader: sqlite3.Connection | None = None
        if not self.is_alone:
            try:
                self.reader = _opened_for_reading(path)
            except BaseException:
                self.writer.close()
                raise
            self.reader.set_progress_handler(self._should_stop, STEPS_BETWEEN_CHECKS)
        self._long_readers: list[sqlite3.Connection] = []
        self._idle: list[sqlite3.Connection] = []
        self._places = asyncio.Semaphore(LONG_READS)
        self._threads = ThreadPoolExecutor(LONG_READS + 1, "sqlite")
        self._costs: dict[str, float] = {}
        self._changes_before = 0
        self._turn_began: float | None = None
        self._waiters: deque[asyncio.Future[None]] = deque()

    def all(self) -> list[sqlite3.Connection]:
        """Every connection that is open."""
        return [self.writer, *([self.reader] if self.reader else []), *self._long_readers]

    async def close(self) -> None:
        """Stop long reads, let a commit end, and close."""
        for connection in self._long_readers:
            connection.interrupt()
        await finish(asyncio.to_thread(self._threads.shutdown))
        for connection in reversed(self.all()):  # the writer last: it takes the log into the file
            connection.close()

    # Outside of transactions

    async def read(self, job: Job, sql: str, values: Any) -> Any:
        """Run a statement that changes nothing, on what has been committed."""
        assert self.reader is not None
        await self._turn()
        if self._costs.get(sql, 0.0) <= SHORT_SECONDS:
            try:
                return self._run_while_short(self.reader, job, sql, values)
            except sqlite3.OperationalError as error:
                self._refuse_real(error, sql)
        async with self._places:
            return await self._read_in_thread(job, sql, values)

    async def _read_in_thread(self, job: Job, sql: str, values: Any) -> Any:
        if not self._idle:
            await finish(self._add_reader())
        connection = self._idle.pop()
        running = self._in_thread(self._timed, connection, job, sql, values)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            connection.interrupt()
            with contextlib.suppress(sqlite3.OperationalError):
                await finish(running)
            raise
        finally:
            self._idle.append(connection)

    async def _add_reader(self) -> None:
        """Open a connection for long reads; it is there for the next one when this one is cancelled."""
        connection: sqlite3.Connection = await self._in_thread(_opened_for_reading, self._path, WAIT_MILLISECONDS)
        self._long_readers.append(connection)
        self._idle.append(connection)

    async def write(self, job: Job, sql: str, values: Any) -> Any:
        """Run a statement that commits by itself."""
        if sql.startswith("PRAGMA"):
            return job(self.writer, sql, values)
        return await finish(self._in_thread(_patiently, self.writer, job, sql, values))

    async def run_script(self, script: str) -> None:
        """Run several statements in a thread; what was open is committed first."""
        await finish(self._in_thread(_patiently, self.writer, _scripted, script, ()))

    # Inside of a transaction

    async def begin(self) -> None:
        """Take the file's write lock, after waiting for another process that has it."""
        await self._turn()
        try:
            self.writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_locked(error):
                raise
            await finish(self._in_thread(_patiently, self.writer, _fetched, "BEGIN IMMEDIATE", ()))
        self._changes_before = self.writer.total_changes

    async def run(self, job: Job, sql: str, values: Any) -> Any:
        """Run a statement of the transaction."""
        await self._turn()
        if is_read(sql):
            if self._costs.get(sql, 0.0) <= SHORT_SECONDS:
                self._can_cut_writer = True  # a SELECT only: cutting a change would undo the whole transaction
                try:
                    return self._run_while_short(self.writer, job, sql, values)
                except sqlite3.OperationalError as error:
                    self._refuse_real(error, sql)
                finally:
                    self._can_cut_writer = False
        elif self._costs.get(sql, SHORT_SECONDS + 1) <= SHORT_SECONDS:
            return self._timed_here(job, sql, values)
        return await finish(self._in_thread(self._timed, self.writer, job, sql, values))

    async def commit(self) -> None:
        """Commit: what was changed is on the disk afterwards."""
        if self.writer.total_changes == self._changes_before:
            self.writer.commit()  # nothing to wait for
        else:
            await finish(self._in_thread(self.writer.commit))

    async def roll_back(self) -> None:
        """Undo what the transaction did; nothing when it is over."""
        if self.writer.in_transaction:
            await finish(self._in_thread(self.writer.rollback))

    # Where a statement runs

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _run_while_short(self, connection: sqlite3.Connection, job: Job, sql: str, values: Any) -> Any:
        """Run a SELECT here, or raise OperationalError when it takes too long."""
        self._deadline, self._cpu_at_deadline = time.perf_counter() + CUT_SECONDS, None
        return job(connection, sql, values)

    def _should_stop(self) -> bool:
        """Called by SQLite every so many steps; True ends the statement.

        Beyond its time it must have used the processor as well: what a busy machine makes slow is not long.
        """
        now = time.perf_counter()
        if now <= self._deadline:
            return False
        cpu = time.thread_time()  # thirty times as slow as perf_counter
        if self._cpu_at_deadline is not None and cpu - self._cpu_at_deadline > CUT_SECONDS / 2:
            return True
        self._deadline = now + CUT_SECONDS / 2
        if self._cpu_at_deadline is None:
            self._cpu_at_deadline = cpu
        return False

    def _should_stop_writer(self) -> bool:
        return self._can_cut_writer and self._should_stop()

    def _timed_here(self, job: Job, sql: str, values: Any) -> Any:
        began = time.perf_counter()  # thirty times as fast as thread_time
        try:
            return job(self.writer, sql, values)
        finally:
            self._remember(sql, time.perf_counter() - began)

    def _timed(self, connection: sqlite3.Connection, job: Job, sql: str, values: Any) -> Any:
        """Run a statement in a thread; only its processor time counts there, for it waits for the loop's thread too."""
        began = time.thread_time()
        try:
            return job(connection, sql, values)
        finally:
            self._remember(sql, time.thread_time() - began)

    def _remember(self, sql: str, seconds: float) -> None:
        if len(self._costs) >= REMEMBERED:
            self._costs.clear()
        self._costs[sql] = seconds

    def _refuse_real(self, error: sqlite3.OperationalError, sql: str) -> None:
        """Raise an error again unless a thread should try: the statement is long, or another process has a lock."""
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            self._remember(sql, SHORT_SECONDS * 2)
        elif not _is_locked(error):
            raise error

    async def _turn(self) -> None:
        """Wait until it is this task's turn: one after the other they may keep the loop for a moment.

        Nothing else makes statements on the loop's thread wait, and many busy tasks together would delay
        those that do not even use the database.
        """
        now = time.perf_counter()
        if self._turn_began is None:
            self._turn_began = now
            asyncio.get_running_loop().call_soon(self._end_turn)
        elif now - self._turn_began > TURN_SECONDS:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
            self._turn_began = time.perf_counter()

    def _end_turn(self) -> None:
        """Let the first that waits go on in the loop's next round, and call this after it."""
        self._turn_began = None
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._turn_began = 0.0  # nobody else begins before it
                asyncio.get_running_loop().call_soon(self._end_turn)
                return


def _opened(path: str, pragmas: dict[str, Any]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=PREPARED
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


def _opened_for_reading(path: str, wait: int = 0) -> sqlite3.Connection:
    connection = _opened(path, {"cache_size": -READER_CACHE_KIB, "query_only": "ON"})
    connection.execute(f"PRAGMA busy_timeout={wait}")
    return connection


def _lower(value: Any) -> Any:
    """SQLite's own LOWER knows the letters of ASCII only."""
    return value.lower() if isinstance(value, str) else value


def _fetched(connection: sqlite3.Connection, sql: str, values: Any) -> Any:
    return connection.execute(sql, values).fetchall()


def _scripted(connection: sqlite3.Connection, script: str, _values: Any) -> None:
    connection.executescript(script)


def _patiently(connection: sqlite3.Connection, job: Job, sql: str, values: Any) -> Any:
    """Run a statement in a thread, where it may wait for another process."""
    connection.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")
    try:
        return job(connection, sql, values)
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _is_locked(error: sqlite3.OperationalError) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
