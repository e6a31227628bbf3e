"""Tortoise engine for PostgreSQL whose transactions survive a cancelled request.

With the stock engine a client that hangs up at the wrong moment keeps a connection of the pool for ever.
"""

import contextlib
from types import TracebackType

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.exceptions import TransactionManagementError

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


class SafePostgresClient(AsyncpgDBClient):
    """A pool of connections."""

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(TransactionWrapper(self), self._pool_init_lock)

    async def execute_many(self, query: str, values: list[list[object]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


client_class = SafePostgresClient
