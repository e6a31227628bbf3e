"""Tortoise engine for PostgreSQL whose transactions survive a cancelled request.

With the stock engine a client that disconnects at the wrong moment keeps a connection of the pool forever.
"""

import contextlib
import functools
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import NestedTransactionContext, TransactionalDBClient, TransactionContext
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError

from mission_control.database.outages import finish

IDLE_SECONDS = 30.0


# Connections of a pool that stay at hand between statements. Taking a connection from asyncpg's pool and giving it back
# costs about as much as a short statement: a task, a timer and a proxy each time. So those that were used last are kept
# here, and return to the pool when a caller waits for it or when they were not needed for a while.
class Connections:
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


ALREADY_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, TransactionManagementError, OSError)


class SafeTransaction(TransactionContext):
    """A transaction that always gives its connection back."""

    def __init__(self, parent: "SafePostgresClient") -> None:
        self._parent = parent

    async def __aenter__(self) -> TransactionalDBClient:
        self._connections = self._parent.connections or await self._parent.opened()
        self.client = SafeTransactionClient(self._parent)
        self.client._connection = await self._connections.take()
        try:
            await self.client.begin()
        except BaseException:
            await self._connections.give_back(self.client._connection, is_sound=False)
            raise
        self._token = get_connections().set(self._parent.connection_name, self.client)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_sound = False
        try:
            if not self.client._finalized:
                await (finish(self.client.commit()) if kind is None else self._undo())
            is_sound = kind is None
        finally:
            get_connections().reset(self._token)
            await self._connections.give_back(self.client._connection, is_sound=is_sound)

    async def _undo(self) -> None:
        # The error that led here matters more; releasing the connection resets it in any case.
        with contextlib.suppress(*ALREADY_BROKEN):
            await self.client.rollback()


class Fetching(AsyncpgDBClient):
    """A client with `fetch`."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[tuple[str, ...], list[asyncpg.Record]]:
        """The names of the columns of a statement with `?` placeholders, and its rows."""
        numbered = _numbered(sql)
        async with self.acquire_connection() as connection:
            self.log.debug("%s: %s", numbered, values)
            try:
                records = await connection.fetch(numbered, *values)
            except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
                raise OperationalError(error) from error
            except asyncpg.IntegrityConstraintViolationError as error:
                raise IntegrityError(error) from error
        return (tuple(records[0].keys()) if records else ()), records


class SafeTransactionClient(Fetching, TransactionWrapper):
    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(SafeTransactionClient(self))


class SafePostgresClient(Fetching):
    connections: Connections | None = None

    async def opened(self) -> Connections:
        async with self._pool_init_lock:
            if self.connections is None:
                if self._pool is None:
                    await self.create_connection(with_db=True)
                self.connections = Connections(self._pool)
        return self.connections

    async def close(self) -> None:
        if self.connections is not None:
            await self.connections.close()
            self.connections = None
        await super().close()

    def acquire_connection(self) -> Any:
        return Taken(self)

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(self)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


@functools.lru_cache(maxsize=2000)
def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1)) + parts[-1]


client_class = SafePostgresClient
