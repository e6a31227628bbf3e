"""Fill a PostgreSQL database from a SQLite file. Each batch says in its own transaction how far it came.

While rows come in there are no foreign keys and no indexes beside those of keys: they are made afterwards, which is
faster and checks all rows. The row in `unfinished_move` has their statements, and keeps servers off until it is gone.
Triggers work as ever, so the search is made anew.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field

import asyncpg
import orjson

from mission_control.core.settings import ConfigError, Settings
from mission_control.database.migrate import UNFINISHED_MOVE, newest_migration
from mission_control.database.move_source import Rows, Source, Table
from mission_control.database.outages import finish
from mission_control.database.setup import postgres_credentials, unreachable
from mission_control.database.sql import converted, each

LOCK_KEY = 0x4D43_4D4F_5645
SECONDS_FOR_LOCK = 60
SERVER = "mission-control"
SESSION = {"application_name": "mission-control move", "statement_timeout": "0"}  # an index may take minutes
FILLED_BY_FIRST_START = {"instance_settings"}
REFUSALS = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, asyncpg.IntegrityConstraintViolationError)
LOADS = each(orjson.loads)

SCHEMA = "current_schema()::regnamespace"
TABLES = f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = {SCHEMA} AND relname <> ALL($1::text[])"
FOREIGN_KEYS = f"""
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'f' AND connamespace = {SCHEMA} ORDER BY conrelid::regclass::text, conname
"""
INDEXES = f"""
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = {SCHEMA} AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
    ORDER BY relname
"""


@dataclass(slots=True)
class Place:
    """How far a table is moved: so many rows, up to this key."""

    rows: int = 0
    last: str | None = None


@dataclass(slots=True)
class Progress:
    """What `unfinished_move` says: which state of which file is moved, how far, and which statements are left."""

    source: str
    migration: str
    statements: list[str]
    places: dict[str, Place] = field(default_factory=dict)
    is_compared: bool = False

    def place(self, table: Table) -> Place:
        return self.places.setdefault(table.name, Place())


class Target:
    """The database that is filled, over one connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def opened(cls, settings: Settings) -> "Target":
        """Connect and see that nobody else uses the database. Raises ConfigError."""
        credentials = postgres_credentials(settings.database_url)
        credentials["server_settings"] |= SESSION
        try:
            connection = await asyncpg.connect(**credentials)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise ConfigError(unreachable(settings, error)) from error
        target = cls(connection)
        try:
            await target._check()
        except BaseException:
            await target.aclose()
            raise
        return target

    async def aclose(self) -> None:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # broken already
            await self._connection.close(timeout=5)

    async def _check(self) -> None:
        encoding = await self._connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            raise ConfigError(
                f"The target's encoding is {encoding}. Make the database anew, with"
                " `createdb --encoding=UTF8 --template=template0 NAME`."
            )
        for _ in range(SECONDS_FOR_LOCK):  # the connection of a killed move may end a statement first
            if await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY):
                break
            await asyncio.sleep(1)
        else:
            raise ConfigError("Another move into the target is running. Wait for its end.")
        await self._refuse_servers()

    async def _refuse_servers(self) -> None:
        others = await self._connection.fetchval(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", SERVER
        )
        if others:
            raise ConfigError("A Mission Control server uses the target. Stop it first.")

    async def version(self) -> str:
        return str(await self._connection.fetchval("SHOW server_version"))

    async def progress(self) -> Progress | None:
        if await self._connection.fetchval("SELECT to_regclass($1)", UNFINISHED_MOVE) is None:
            return None
        state = orjson.loads(await self._connection.fetchval(f"SELECT progress FROM {UNFINISHED_MOVE}"))
        return Progress(**state | {"places": {name: Place(**place) for name, place in state["places"].items()}})

    async def refuse_rows(self) -> None:
        filled = [
            name
            for (name,) in await self._connection.fetch(TABLES, ["aerich", *FILLED_BY_FIRST_START])
            if await self._connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{name}")')
        ]
        if filled:
            raise ConfigError(
                f"The target is not empty: there are rows in {', '.join(filled[:5])}"
                f"{' and others' if len(filled) > 5 else ''}. They were left alone. Name an empty database."
            )

    async def begin(self, source: Source) -> Progress:
        """Prepare a migrated database without rows for the move."""
        async with self._connection.transaction():
            for name in FILLED_BY_FIRST_START:
                await self._connection.execute(f"DELETE FROM {name}")
            keys, indexes = await self._connection.fetch(FOREIGN_KEYS), await self._connection.fetch(INDEXES)
            for drop, _ in [*keys, *indexes]:
                await self._connection.execute(drop)
            await self._refuse_servers()  # that were started since; all tables are locked here
            await self.refuse_rows()
            progress = Progress(source.state, newest_migration(), [make for _, make in [*indexes, *keys]])
            await self._connection.execute(f"CREATE TABLE {UNFINISHED_MOVE} (progress TEXT NOT NULL)")
            await self._connection.execute(f"INSERT INTO {UNFINISHED_MOVE} VALUES ('')")
            await self._save(progress)
        return progress

    async def abandon(self, progress: Progress) -> None:
        """Take an unfinished move back: the database is as migrations made it."""
        async with self._connection.transaction():
            names = [name for (name,) in await self._connection.fetch(TABLES, ["aerich", UNFINISHED_MOVE])]
            await self._connection.execute(f"TRUNCATE {', '.join(f'"{name}"' for name in names)}")
            for statement in progress.statements:
                await self._connection.execute(statement)
            await self._connection.execute(f"DROP TABLE {UNFINISHED_MOVE}")

    async def copy(self, table: Table, source: Source, progress: Progress, copied: Callable[[int], None]) -> None:
        """Copy what is left of a table; `copied` is told the number of rows of each batch that is committed."""
        async with aclosing(_ahead(source.batches(table, progress.place(table).last))) as batches:
            async for batch in batches:
                before = progress.place(table)
                try:
                    async with self._connection.transaction():
                        await self._connection.copy_records_to_table(table.name, records=batch, columns=table.names)
                        last = str(batch[-1][table.key_index])
                        progress.places[table.name] = Place(before.rows + len(batch), last)
                        await self._save(progress)
                except REFUSALS:
                    await self._refuse_row(table, batch)
                    raise
                copied(len(batch))

    async def make_indexes(self, progress: Progress, made: Callable[[int], None]) -> None:
        """Make the indexes and foreign keys that are left; `made` is told of each."""
        while progress.statements:
            statement, *progress.statements = progress.statements
            async with self._connection.transaction():
                await self._connection.execute(statement)
                await self._save(progress)
            made(1)
        await self._connection.execute("ANALYZE")

    async def compare(self, table: Table, source: Source, seen: Callable[[Rows], None]) -> None:
        """Compare all rows of a table with the source's, value by value; `seen` is told of those that are equal.

        Raises ConfigError for the first difference.
        """
        columns = ", ".join(f'"{name}"' for name in table.names)
        order = f'"{table.key}" COLLATE "C"' if table.has_text_key else f'"{table.key}"'
        async with (
            self._connection.transaction(isolation="repeatable_read", readonly=True),
            aclosing(_ahead(source.batches(table))) as batches,
        ):
            cursor = await self._connection.cursor(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')
            async for batch in batches:
                copied = [tuple(row) for row in await cursor.fetch(len(batch))]
                if _comparable(table, copied) != _comparable(table, batch):
                    raise ConfigError(_difference(table, batch, copied))
                seen(copied)
            if extra := await cursor.fetch(1):
                raise ConfigError(f"{table.name}: the target has a row more, {extra[0][table.key_index]}.")

    async def note_compared(self, progress: Progress) -> None:
        progress.is_compared = True
        await self._save(progress)

    async def complete(self) -> None:
        await self._connection.execute(f"DROP TABLE {UNFINISHED_MOVE}")

    async def _save(self, progress: Progress) -> None:
        await self._connection.execute(
            f"UPDATE {UNFINISHED_MOVE} SET progress = $1", orjson.dumps(asdict(progress)).decode()
        )

    async def _refuse_row(self, table: Table, batch: Rows) -> None:
        """Raise ConfigError for the row of a batch that PostgreSQL refuses."""
        for row in batch:
            try:
                async with self._connection.transaction():
                    await self._connection.copy_records_to_table(table.name, records=[row], columns=table.names)
            except asyncpg.PostgresError as error:
                raise ConfigError(f"PostgreSQL refuses {table.name}, {row[table.key_index]}: {error}.") from error


def _comparable(table: Table, rows: Rows) -> Rows:
    """Return rows whose JSON is no text, for PostgreSQL spells it in its own way."""
    return [*map(tuple, converted(rows, [(at, LOADS) for at, column in enumerate(table.columns) if column.is_json]))]


def _difference(table: Table, ours: Rows, theirs: Rows) -> str:
    for own, other in zip(_comparable(table, ours), _comparable(table, theirs), strict=False):
        names = [name for name, a, b in zip(table.names, own, other, strict=True) if a != b]
        if names:
            return f"{table.name}, {own[table.key_index]}: {', '.join(names)} differs in the target."
    return f"{table.name}: the target lacks rows, {ours[len(theirs)][table.key_index]} among them."


async def _ahead(batches: Iterator[Rows]) -> AsyncGenerator[Rows]:
    """Read the next batch in a thread while the caller works on the one before."""
    reading = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await finish(reading)) is not None:
            reading = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await finish(reading)
