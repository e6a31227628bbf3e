"""An open SQLite file: one connection that writes, one that reads on the loop's thread, and others for long reads.

A hop to a thread costs as much as twenty short statements, so short statements run where the caller is. What would hold
up everybody goes to a thread: COMMIT, unless the disk is quick; whatever has to wait for another process; searches and
counts, whose length nobody knows; and every statement that turned out to be long. WAL lets the others read while the
writer writes, and a statement that begins after a COMMIT has returned sees it on every connection.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mission_control.database.outages import finish
from mission_control.database.sqlite.connection import (
    SHORT_SECONDS,
    WAIT_MILLISECONDS,
    Commits,
    Connection,
    Costs,
    Cut,
    Job,
    is_large,
    is_locked,
    is_read,
    is_unbounded,
    opened,
    opened_for_reading,
    patiently,
)

QUICK_READS, LONG_READS = 3, 2  # at the same time
QUICK_SECONDS = 0.1


# The connections on which reads run in threads. A read begins among the quick ones. One that takes longer there is cut
# and begins anew among the long ones, of which few run at once: the rest would wait for them with everybody's counts
# and searches.
class Readers:
    """Connections and threads for reads that must not hold up the loop."""

    def __init__(self, path: str, costs: Costs) -> None:
        self._path = path
        self._costs = costs
        self._idle: list[Connection] = []
        self._quick, self._long = asyncio.Semaphore(QUICK_READS), asyncio.Semaphore(LONG_READS)
        self._threads = ThreadPoolExecutor(QUICK_READS + LONG_READS, "sqlite-reads")
        self.all: list[Connection] = []

    async def close(self) -> None:
        """End what runs, and close the connections."""
        for connection in self.all:
            connection.interrupt()
        await finish(asyncio.to_thread(self._threads.shutdown))
        for connection in self.all:
            connection.close()

    async def read[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement that changes nothing."""
        if self._costs.of(sql) <= QUICK_SECONDS:
            with contextlib.suppress(Cut):
                async with self._quick:
                    return await self._read(QUICK_SECONDS, job, sql, values)
        async with self._long:
            return await self._read(float("inf"), job, sql, values)

    async def _read[T](self, seconds: float, job: Job[T], sql: str, values: Sequence[object]) -> T:
        while not self._idle:  # another read may be faster to take what was added
            await finish(self._add())
        connection = self._idle.pop()
        running = self._in_thread(self._timed, connection, seconds, job, sql, values)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            connection.interrupt()
            with contextlib.suppress(sqlite3.OperationalError, Cut):
                await finish(running)
            raise
        finally:
            self._idle.append(connection)

    async def _add(self) -> None:
        """Open a connection; it is there for the next read when this one is cancelled."""
        connection: Connection = await self._in_thread(opened_for_reading, self._path, WAIT_MILLISECONDS)
        self.all.append(connection)
        self._idle.append(connection)

    def _timed[T](self, connection: Connection, seconds: float, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement in a thread; only its processor time counts there, for it waits for the loop's thread too."""
        began = time.thread_time()
        try:
            return connection.run_within(seconds, job, sql, values)
        finally:
            self._costs.remember(sql, time.thread_time() - began)

    def _in_thread[*A, T](self, function: Callable[[*A], T], *arguments: *A) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


CUT_SECONDS = 0.002  # a read that takes longer on the loop's thread is cut, and begins anew in a thread
HELD_SECONDS = 0.25  # a statement that held the loop for longer is logged
TURN_SECONDS = 0.0003  # how long statements may follow each other before others get their turn

logger = logging.getLogger(__name__)


class SqliteFile:
    """The connections of this process. The user of the writer holds the client's lock."""

    def __init__(self, path: str, pragmas: dict[str, object]) -> None:
        self.writer = opened(path, pragmas)
        self.is_alone = pragmas.get("locking_mode") == "EXCLUSIVE"
        self.reader: Connection | None = None
        if not self.is_alone:
            try:
                self.reader = opened_for_reading(path)
            except BaseException:
                self.writer.close()
                raise
        self._costs = Costs()
        self.readers = Readers(path, self._costs)
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._changes_before = 0
        self.commits = Commits()
        self.together: asyncio.Future[None] | None = None  # done when the transactions left to one COMMIT are written
        self._turn_began: float | None = None
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def close(self) -> None:
        """Stop long reads, let a commit end, and close. The writer is the last: it takes the log into the file."""
        await self.readers.close()
        await finish(asyncio.to_thread(self._thread.shutdown))
        if self.reader is not None:
            self.reader.close()
        self.writer.close()

    # Outside of transactions

    async def read[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement that changes nothing, on what has been committed."""
        assert self.reader is not None
        await self._turn()
        if self._is_short(sql):
            try:
                return self._read_here(self.reader, job, sql, values)
            except Cut:
                pass
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
        return await self.readers.read(job, sql, values)

    async def write[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement that commits by itself."""
        if sql.startswith("PRAGMA"):
            return job(self.writer, sql, values)
        return await finish(self._in_thread(patiently, self.writer, job, sql, values))

    async def run_script(self, script: str) -> None:
        """Run several statements in a thread; what was open is committed first."""
        await finish(self._in_thread(patiently, self.writer, _scripted, script, ()))

    # Inside of a transaction

    async def begin(self) -> None:
        """Take the file's write lock, after waiting for another process that has it."""
        await self._turn()
        if self.together is not None:
            self.writer.execute("SAVEPOINT one_of_them")
            return
        try:
            self.writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                raise
            await finish(self._in_thread(patiently, self.writer, _fetched, "BEGIN IMMEDIATE", ()))
        self._changes_before = self.writer.total_changes

    async def run[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        await self._turn()
        if is_read(sql):
            if self._is_short(sql):
                try:
                    return self._read_here(self.writer, job, sql, values)
                except Cut:
                    pass
        elif self._costs.of(sql, SHORT_SECONDS * 2) <= SHORT_SECONDS and not is_large(values):
            return self._timed_here(job, self.writer, sql, values)  # never cut: that would undo the whole transaction
        return await finish(self._in_thread(self._timed, job, sql, values))

    def commits_quickly(self) -> bool:
        """Return whether a COMMIT would be over at once."""
        changes = self.writer.total_changes - self._changes_before
        return not changes or self.commits.are_quick(changes)

    async def commit(self) -> None:
        """Commit, with the transactions that were left to this: what was changed is on the disk afterwards."""
        failure: sqlite3.Error | None = None
        try:
            if self.writer.total_changes == self._changes_before:
                self.writer.commit()  # nothing to wait for
            elif self.commits_quickly():
                self.commits.commit(self.writer)
            else:
                await finish(self._in_thread(self.commits.commit_in_thread, self.writer))
        except sqlite3.Error as error:
            failure = error
            if self.writer.in_transaction:
                await finish(self._in_thread(self.writer.rollback))
            raise
        finally:
            self._settle(failure)

    def leave(self) -> "asyncio.Future[None]":
        """End a transaction that a later COMMIT writes; return a future of that COMMIT, to await before answering."""
        if self.together is None:
            self.together = asyncio.get_running_loop().create_future()
        else:
            self.writer.execute("RELEASE one_of_them")
        return self.together

    async def roll_back(self, why: BaseException | None = None) -> None:
        """Undo what the transaction did; nothing when it is over."""
        if not self.writer.in_transaction:  # SQLite has undone everything itself, as on a full disk
            self._settle(sqlite3.OperationalError(f"The transaction was undone with another one: {why}"))
        elif self.together is not None:
            await finish(self._in_thread(_undone, self.writer))
        else:
            await finish(self._in_thread(self.writer.rollback))

    def _settle(self, failure: sqlite3.Error | None) -> None:
        together, self.together = self.together, None
        if together is None:
            return
        if failure is None:
            together.set_result(None)
        else:
            together.set_exception(failure)

    # Where a statement runs

    def _in_thread[*A, T](self, function: Callable[[*A], T], *arguments: *A) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _is_short(self, sql: str) -> bool:
        return self._costs.of(sql) <= SHORT_SECONDS and not is_unbounded(sql)

    def _read_here[T](self, connection: Connection, job: Job[T], sql: str, values: Sequence[Any]) -> T:
        """Run a read on the loop's thread, or raise Cut when it takes too long."""

        def cut(connection: Connection, sql: str, values: Any) -> T:
            return connection.run_within(CUT_SECONDS, job, sql, values)

        return self._timed_here(cut, connection, sql, values)

    def _timed_here[T](self, job: Job[T], connection: Connection, sql: str, values: Sequence[object]) -> T:
        began = time.perf_counter()  # thirty times as fast as thread_time
        try:
            return job(connection, sql, values)
        finally:
            seconds = time.perf_counter() - began
            # A busy machine makes short ones slow too. A thread, where processor time is counted, finds out.
            self._costs.remember(sql, min(seconds, SHORT_SECONDS * 2))
            if seconds > HELD_SECONDS:
                logger.warning("database.loop_held", extra={"milliseconds": round(seconds * 1000), "statement": sql})

    def _timed[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement of the transaction in a thread; only its processor time counts there."""
        began = time.thread_time()
        try:
            return job(self.writer, sql, values)
        finally:
            self._costs.remember(sql, time.thread_time() - began)

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


def _fetched(connection: Connection, sql: str, values: Sequence[object]) -> list[Any]:
    return connection.execute(sql, values).fetchall()


def _undone(connection: Connection) -> None:
    connection.execute("ROLLBACK TO one_of_them")
    connection.execute("RELEASE one_of_them")


def _scripted(connection: Connection, script: str, _values: Sequence[object]) -> None:
    connection.executescript(script)
