"""Tortoise engine for PostgreSQL whose transactions survive a cancelled request.

With the stock engine a client that hangs up at the wrong moment keeps a connection of the pool for ever.
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
    TransactionContextPooled,
)
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError

from mission_control.database.cancellation import finish

ALREADY_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, TransactionManagementError, OSError)


class SafeTransaction(TransactionContextPooled):
    """A transaction that always gives its connection back."""

    client: TransactionWrapper

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        pool: asyncpg.Pool = self.client._parent._pool
        self.client._connection = await pool.acquire()
        try:
            await self.client.begin()
        except BaseException:
            await pool.release(self.client._connection)  # shielded by asyncpg, which also resets the session
            raise
        self.token = get_connections().set(self.connection_name, self.client)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pool = self.client._parent._pool
        try:
            if not self.client._finalized:
                await (finish(self.client.commit()) if kind is None else self._undo())
        finally:
            get_connections().reset(self.token)
            if pool is not None:
                await pool.release(self.client._connection)

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

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(SafeTransactionClient(self), self._pool_init_lock)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


@functools.lru_cache(maxsize=2000)
def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1)) + parts[-1]


client_class = SafePostgresClient
