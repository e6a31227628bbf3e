"""Connections of a pool that stay at hand between statements.

Taking a connection from asyncpg's pool and giving it back costs about as much as a short statement: a task, a timer and
a proxy each time. So those that were used last are kept here, and return to the pool when a caller waits for it
or when they were not needed for a while.
"""

import time
from collections import deque
from types import TracebackType
from typing import Any

import asyncpg

IDLE_SECONDS = 30.0


class Connections:
    """The connections of one pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._idle: deque[tuple[asyncpg.Connection, float]] = deque()  # used last at the right
        self._waiting = 0

    async def take(self) -> Any:
        """A connection for the caller alone, until it is given back."""
        while self._idle:
            connection, _ = self._idle.pop()
            if _is_open(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any, *, is_sound: bool) -> None:
        """Take a connection back; one that is not sound, or maybe in the middle of something, is left to the pool."""
        now = time.monotonic()
        if is_sound and not self._waiting and _is_open(connection) and not connection.is_in_transaction():
            self._idle.append((connection, now))
            connection = None
            if now - self._idle[0][1] > IDLE_SECONDS:
                connection, _ = self._idle.popleft()
        if connection is not None:
            await self._pool.release(connection)  # shielded by asyncpg, which also resets the session

    async def close(self) -> None:
        """Give everything back to the pool, which is about to close."""
        while self._idle:
            connection, _ = self._idle.pop()
            await self._pool.release(connection)


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # the server ended it, and the pool has it back already
        return False


class Taken:
    """`async with`: a connection for one statement."""

    __slots__ = ("_client", "_connection", "_connections")

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __aenter__(self) -> Any:
        self._connections: Connections = self._client.connections or await self._client.opened()
        self._connection = await self._connections.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.give_back(self._connection, is_sound=kind is None)
