"""Tortoise engine for SQLite: transactions with BEGIN IMMEDIATE that survive a cancelled request.

BEGIN IMMEDIATE takes the write lock at once, so that two processes wait for each other instead of failing with
"database is locked" between reading and writing. Where statements run is decided in `sqlite_file`.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Any
from uuid import UUID

from asyncpg.pgproto import pgproto
from tortoise.backends.base.client import NestedTransactionContext, TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError, TransactionManagementError

from mission_control.core.times import naive_utc
from mission_control.database.outages import FULL, UNWRITABLE, finish, outage
from mission_control.database.sqlite.connection import Connection, Job, is_read
from mission_control.database.sqlite.file import SqliteFile

logger = logging.getLogger(__name__)
_savepoints = count()

# After Tortoise's own adapter, and in its form, so that a moment has one text in the database.
sqlite3.register_adapter(datetime, lambda moment: naive_utc(moment).isoformat(" "))
sqlite3.register_adapter(UUID, str)
sqlite3.register_adapter(pgproto.UUID, str)  # of rows


class Statements(SqliteClient):
    """What Tortoise asks of a client, and `fetch`, in terms of running one job on a connection."""

    async def run[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        raise NotImplementedError

    async def fetch(self, sql: str, values: Sequence[object]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the names of a statement's columns and its rows. UUIDs and datetimes may be passed as they are."""
        return await self.run(_fetch, sql, values)

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Sequence[Any]]:
        """Return how many rows were changed or found, and those."""
        return await self.run(_query, _without_nul(query), values or ())

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        columns, records = await self.run(_fetch, _without_nul(query), values or ())
        return [dict(zip(columns, row, strict=True)) for row in records]

    async def execute_insert(self, query: str, values: list[Any]) -> int:
        """Return the number of the row that was inserted."""
        number: int = await self.run(_insert, query, values)
        return number


class SafeSqliteClient(Statements):
    """The file and the lock for its one writer."""

    def __init__(self, file_path: str, **options: object) -> None:
        super().__init__(file_path, **options)
        self._opening = asyncio.Lock()
        self._file: SqliteFile | None = None
        self._waiting = 0  # transactions
        self._committing: asyncio.Future[None] | None = None

    async def opened(self) -> SqliteFile:
        if self._file is None:
            await self.create_connection(with_db=True)
        assert self._file is not None
        return self._file

    async def create_connection(self, with_db: bool) -> None:
        """Open the file once, even when callers stop waiting for it."""
        await finish(self._open())

    async def _open(self) -> None:
        async with self._opening:
            if self._file is None:
                self._file = await self._open_file()
                await self._post_connect()

    async def _open_file(self) -> SqliteFile:
        """Open the file, on a full disk without the index of its log that processes share: for reading that is enough.

        Other processes, such as a backup, have to wait until it is closed again.
        """
        try:
            return await asyncio.to_thread(SqliteFile, self.filename, self.pragmas)
        except sqlite3.OperationalError as error:
            if outage(error) not in (FULL, UNWRITABLE):
                raise
            self.pragmas = {"locking_mode": "EXCLUSIVE", **self.pragmas}
            file = await asyncio.to_thread(SqliteFile, self.filename, self.pragmas)
            logger.error("database.opened_alone", extra={"reason": str(error)})
            return file

    async def close(self) -> None:
        """Close the file; the next statement would open it again."""
        if self._file is not None:
            file, self._file = self._file, None
            await file.close()

    async def run[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement that stands alone."""
        file = self._file or await self.opened()
        self.log.debug("%s: %s", sql, values)
        try:
            if is_read(sql) and file.reader is not None and not self._is_migrating(file):
                return await file.read(job, sql, values)
            async with self._writing(file):
                return await file.write(job, sql, values)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise _tortoise_error(error) from error

    def _is_migrating(self, file: SqliteFile) -> bool:
        """Whether a migration, which sends BEGIN itself, has to see what it changed so far."""
        return file.writer.in_transaction and not self._lock.locked() and file.together is None

    async def execute_script(self, query: str) -> None:
        file = await self.opened()
        self.log.debug(query)
        try:
            async with self._writing(file):
                await file.run_script(query)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise _tortoise_error(error) from error

    @contextlib.asynccontextmanager
    async def _writing(self, file: SqliteFile) -> AsyncIterator[None]:
        """Hold the lock, outside of every transaction."""
        async with self._lock:
            if file.together is not None:
                with contextlib.suppress(sqlite3.Error):  # which those who wait for it are told
                    await file.commit()
            yield

    # A disk that is not quick is waited for once by several transactions. When one ends and others wait for the writer,
    # it leaves its COMMIT to a task that queues for the lock behind them; they run in savepoints of the same
    # transaction until then. Nobody is answered before that COMMIT, not even with a refusal, which may depend on what
    # it writes. When it fails, all of them fail.
    async def begin(self, file: SqliteFile) -> None:
        """Begin a transaction when it is its turn; hold the lock from then on."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        try:
            await file.begin()
        except BaseException:
            try:
                if file.together is None:  # else it has not begun
                    await finish(file.roll_back())
            finally:
                self._lock.release()
            raise

    async def end(self, file: SqliteFile, error: BaseException | None, *, is_over: bool) -> None:
        """End a transaction and release the lock. Return when it is on the disk or, after an error, undone."""
        try:
            if is_over:
                pass
            elif error is not None:
                await finish(file.roll_back(error))
            elif file.together is None and (not self._waiting or file.commits_quickly()):
                await file.commit()
            elif file.leave() is not None and self._committing is None:
                self._committing = asyncio.ensure_future(self._commit_together(file))
            together = file.together
        finally:
            self._lock.release()
        if together is not None:
            with contextlib.nullcontext() if error is None else contextlib.suppress(sqlite3.Error):
                await finish(together)

    async def _commit_together(self, file: SqliteFile) -> None:
        async with self._writing(file):
            self._committing = None

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """Run one statement for many rows, all or none."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)

    def _in_transaction(self) -> TransactionContext:
        return SafeTransaction(self)


class SafeTransaction(TransactionContext):
    """A transaction whose begin and end are never half done."""

    def __init__(self, client: SafeSqliteClient) -> None:
        self._client = client

    async def __aenter__(self) -> TransactionalDBClient:
        file = await self._client.opened()
        try:
            await self._client.begin(file)
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error
        self._file = file
        self.connection = SafeTransactionClient(self._client, file)
        self._token = get_connections().set(self._client.connection_name, self.connection)
        return self.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._client.end(self._file, error, is_over=self.connection._finalized)
        except sqlite3.Error as failure:
            raise OperationalError(failure) from failure
        finally:
            get_connections().reset(self._token)


class SafeTransactionClient(Statements, TransactionalDBClient):
    """The client inside of a transaction, or of a savepoint in one."""

    def __init__(self, parent: "SafeSqliteClient | SafeTransactionClient", file: SqliteFile) -> None:
        self.capabilities = parent.capabilities
        self.connection_name = parent.connection_name
        self.log = parent.log
        self.fetch_inserted = parent.fetch_inserted
        self.filename = parent.filename
        self._bound_loop = parent._bound_loop
        self._lock = parent._lock if isinstance(parent, SafeTransactionClient) else asyncio.Lock()
        self._file = file
        self._finalized = False
        self._savepoint: str | None = None

    async def run[T](self, job: Job[T], sql: str, values: Sequence[object]) -> T:
        """Run a statement of the transaction, after those that others have begun in it."""
        self.log.debug("%s: %s", sql, values)
        try:
            async with self._lock:
                return await self._file.run(job, sql, values)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise _tortoise_error(error) from error

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        await self.run(_many, query, values)

    async def execute_script(self, query: str) -> None:
        """Run several statements; SQLite commits first."""
        self.log.debug(query)
        try:
            async with self._lock:
                await self._file.run_script(query)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise _tortoise_error(error) from error

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(SafeTransactionClient(self, self._file))

    async def begin(self) -> None:
        """Is done by `SafeTransaction`."""
        raise TransactionManagementError("A transaction begins with in_transaction().")

    async def commit(self) -> None:
        """Commit before the end of the block."""
        self._refuse_ended()
        try:
            await self._file.commit()
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise _tortoise_error(error) from error
        self._finalized = True

    async def rollback(self) -> None:
        """Roll back before the end of the block."""
        self._refuse_ended()
        await finish(self._file.roll_back())
        self._finalized = True

    async def savepoint(self) -> None:
        """Begin what can be undone by itself."""
        self._savepoint = f"savepoint_{next(_savepoints)}"
        self._file.writer.execute(f"SAVEPOINT {self._savepoint}")

    async def savepoint_rollback(self) -> None:
        """Undo what was done since the savepoint."""
        self._refuse_ended()
        self._file.writer.execute(f"ROLLBACK TO {self._savepoint}")

    async def release_savepoint(self) -> None:
        """Keep what was done since the savepoint."""
        self._refuse_ended()
        self._file.writer.execute(f"RELEASE {self._savepoint}")

    def _refuse_ended(self) -> None:
        if self._finalized:
            raise TransactionManagementError("Transaction already finalised")


def _tortoise_error(error: sqlite3.OperationalError | sqlite3.IntegrityError) -> Exception:
    return IntegrityError(error) if isinstance(error, sqlite3.IntegrityError) else OperationalError(error)


def _fetch(connection: Connection, sql: str, values: Sequence[object]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    cursor = connection.execute(sql, values)
    records = connection.fetched(cursor)
    return tuple(column[0] for column in cursor.description or ()), records


def _query(connection: Connection, sql: str, values: Sequence[object]) -> tuple[int, list[Any]]:
    changes = connection.total_changes
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    records = connection.fetched(cursor.execute(sql, values))
    return (connection.total_changes - changes) or len(records), records


def _insert(connection: Connection, sql: str, values: Sequence[object]) -> Any:
    return connection.execute(sql, values).lastrowid


def _many(connection: Connection, sql: str, values: Sequence[Any]) -> None:
    connection.executemany(sql, values)


def _without_nul(sql: str) -> str:
    """Tortoise writes some texts into the statement itself, where SQLite would end at a NUL."""
    return sql.replace("\x00", "'||CHAR(0)||'")


client_class = SafeSqliteClient
