"""Tortoise engine for PostgreSQL whose transactions survive a cancelled request.

With the stock engine a client that disconnects at the wrong moment keeps a connection of the pool forever.
"""

import contextlib
import functools
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    NestedTransactionContext,
    TransactionalDBClient,
    TransactionContext,
)
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError

from mission_control.database.cancellation import finish
from mission_control.database.postgres_connections import Connections, Taken

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
                found = await connection.fetch(numbered, *values)
            except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as error:
                raise OperationalError(error) from error
            except asyncpg.IntegrityConstraintViolationError as error:
                raise IntegrityError(error) from error
        return (tuple(found[0].keys()) if found else ()), found


class SafeTransactionClient(Fetching, TransactionWrapper):
    """The client inside of a transaction, or of a savepoint in one."""

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(SafeTransactionClient(self))


class SafePostgresClient(Fetching):
    """A pool of connections."""

    connections: Connections | None = None

    async def opened(self) -> Connections:
        """The connections of the open pool."""
        async with self._pool_init_lock:
            if self.connections is None:
                if self._pool is None:
                    await self.create_connection(with_db=True)
                self.connections = Connections(self._pool)
        return self.connections

    async def close(self) -> None:
        """Close every connection."""
        if self.connections is not None:
            await self.connections.close()
            self.connections = None
        await super().close()

    def acquire_connection(self) -> Any:
        """A connection for one statement."""
        return Taken(self)

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(self)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


@functools.lru_cache(maxsize=2000)
def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1)) + parts[-1]


client_class = SafePostgresClient
