"""The connections on which reads run in threads.

A read begins among the quick ones. One that takes longer there is cut and begins anew among the long ones, of which few
run at once: the rest would wait for them with everybody's counts and searches.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mission_control.database.cancellation import finish
from mission_control.database.sqlite_connection import WAIT_MILLISECONDS, Connection, Cut, Job, opened_for_reading
from mission_control.database.sqlite_costs import Costs

QUICK_READS, LONG_READS = 3, 2  # at the same time
QUICK_SECONDS = 0.1


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

    async def read(self, job: Job, sql: str, values: Any) -> Any:
        """Run a statement that changes nothing."""
        if self._costs.of(sql) <= QUICK_SECONDS:
            with contextlib.suppress(Cut):
                async with self._quick:
                    return await self._read(QUICK_SECONDS, job, sql, values)
        async with self._long:
            return await self._read(float("inf"), job, sql, values)

    async def _read(self, seconds: float, job: Job, sql: str, values: Any) -> Any:
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

    def _timed(self, connection: Connection, seconds: float, job: Job, sql: str, values: Any) -> Any:
        """Run a statement in a thread; only its processor time counts there, for it waits for the loop's thread too."""
        began = time.thread_time()
        try:
            return connection.run_within(seconds, job, sql, values)
        finally:
            self._costs.remember(sql, time.thread_time() - began)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
