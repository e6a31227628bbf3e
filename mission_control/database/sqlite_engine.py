"""Tortoise engine for SQLite: BEGIN IMMEDIATE, and transactions that survive a cancelled request.

With the stock engine a client that hangs up at the wrong moment leaves the lock of the process taken
for ever. BEGIN IMMEDIATE takes the write lock at once, so that two processes wait for each other instead
of failing with "database is locked" between reading and writing.
"""

import asyncio
import logging
import sqlite3
from datetime import datetime
from types import TracebackType
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

from mission_control.core.clock import naive_utc
from mission_control.database.cancellation import finish
from mission_control.database.outages import FULL, UNWRITABLE, outage

logger = logging.getLogger(__name__)

# After Tortoise's own adapter, and in its form, so that a moment has one text in the database.
sqlite3.register_adapter(datetime, lambda moment: naive_utc(moment).isoformat(" "))


class SafeTransaction(SqliteTransactionContext):
    """A transaction whose begin and end are never half done."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await finish(self._begin())
        except BaseException:
            try:
                await finish(self._undo())
            finally:
                self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        client: TransactionalDBClient = self.connection
        return client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self.connection._finalized:
                await finish(self._commit() if kind is None else self._undo())
        finally:
            get_connections().reset(self.token)
            self._trxlock.release()

    async def _begin(self) -> None:
        await self.ensure_connection()
        try:
            await self.connection._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error

    async def _commit(self) -> None:
        try:
            await self.connection.commit()
        except sqlite3.Error as error:
            await self._undo()
            raise OperationalError(error) from error

    async def _undo(self) -> None:
        connection = self.connection._connection
        if connection is not None and connection.in_transaction:
            await connection.rollback()


class SafeSqliteClient(SqliteClient):
    """One connection and one lock for the process."""

    def __init__(self, file_path: str, **options: Any) -> None:
        super().__init__(file_path, **options)
        self._opening = asyncio.Lock()

    async def create_connection(self, with_db: bool) -> None:
        """Open the file once, to the end, whoever gives up waiting for it."""
        await finish(self._open(with_db))

    async def _open(self, with_db: bool) -> None:
        async with self._opening:
            try:
                await self._open_file(with_db)
                if self._connection is not None:
                    await self._connection.create_function("unicode_lower", 1, _lower, deterministic=True)
            except BaseException:
                await self.close()  # or its thread keeps the process from ending
                raise

    async def _open_file(self, with_db: bool) -> None:
        """Open the file, on a full disk without the index of its log that processes share: for reading that is enough.

        Other processes, such as a backup, have to wait until it is closed again.
        """
        try:
            await super().create_connection(with_db)
        except sqlite3.OperationalError as error:
            if outage(error) not in (FULL, UNWRITABLE):
                raise
            await self.close()
            self.pragmas = {"locking_mode": "EXCLUSIVE", **self.pragmas}
            await super().create_connection(with_db)
            logger.error("database.opened_alone", extra={"reason": str(error)})

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(SqliteTransactionWrapper(self), self._lock)

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


def _lower(value: Any) -> Any:
    """SQLite's own LOWER knows the letters of ASCII only."""
    return value.lower() if isinstance(value, str) else value


client_class = SafeSqliteClient
