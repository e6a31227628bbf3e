"""Apply migrations: all or nothing, one process at a time, with a copy of a SQLite file."""

import asyncio
import fcntl
import hashlib
import json
import logging
import os
import re
import sqlite3
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from datetime import datetime
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from mission_control.core.paths import data_dir
from mission_control.core.private_files import make_private
from mission_control.core.setting_values import made_folder
from mission_control.core.settings import ConfigError, Settings
from mission_control.database.fit import Misfit, without_servers
from mission_control.database.setup import APP, CONNECTION, orm_config, unreachable

KEPT = 3

_log = logging.getLogger(__name__)


def before_migration(file: Path, version: str) -> Path | None:
    """Copy `file` to `<file>.before-<version>` when it holds tables, and keep the newest three copies."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(file)) as source:
        if not any(name != "aerich" for (name,) in source.execute(tables)):
            return None
        copy = file.with_name(f"{file.name}.before-{version}")
        unfinished = copy.with_name(f"{copy.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        unfinished.replace(copy)
    copies = sorted(file.parent.glob(f"{file.name}.before-*"), key=lambda copy: copy.stat().st_mtime_ns, reverse=True)
    for old in copies[KEPT:]:
        old.unlink(missing_ok=True)
    return copy


def copy_whole(source: Path, target: Path) -> None:
    """Copy a database in use to a new file, checked before it gets its name; ConfigError when that cannot be."""
    if target.exists():
        raise ConfigError(f"{target} exists already; choose another name.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(source, timeout=30)) as opened, closing(sqlite3.connect(unfinished)) as written:
            opened.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")
            _check(written, unfinished)
        os.link(unfinished, target)  # unlike a rename it overwrites nothing
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def check_backup(file: Path) -> None:
    """Raise ConfigError unless the file is a sound database of this program."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            _check(opened, file)
            opened.execute("SELECT log_seq FROM organizations LIMIT 1")
    except sqlite3.Error as error:
        raise ConfigError(f"{file} is no backup of Mission Control: {error}") from error


def _check(opened: sqlite3.Connection, file: Path) -> None:
    [(verdict,), *_] = opened.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise ConfigError(f"{file} is damaged: {verdict}")


def set_aside(file: Path) -> Path:
    """Give a database that nobody uses another name; ConfigError while a server has it open."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE")  # refused while somebody else has the file open
    except sqlite3.OperationalError as error:
        raise ConfigError(f"{file} is in use: stop the server first.") from error
    except sqlite3.DatabaseError:
        pass  # damaged, which is why it is being replaced
    aside = file.with_name(f"{file.name}.replaced-{datetime.now():%Y%m%d-%H%M%S}")  # noqa: DTZ005 - a name for people
    file.rename(aside)
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    return aside


LOCK_KEY = 0x4D43_4D49_4752


# One process at a time may migrate: a lock file next to a SQLite file, an advisory lock on PostgreSQL.
def held(client: BaseDBAsyncClient, sqlite_file: Path | None) -> AbstractAsyncContextManager[Any]:
    return _advisory_lock(client) if sqlite_file is None else _file_lock(sqlite_file)


@asynccontextmanager
async def _file_lock(sqlite_file: Path) -> AsyncIterator[None]:
    with sqlite_file.with_name(f"{sqlite_file.name}.migrate.lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def _advisory_lock(client: Any) -> AsyncIterator[Any]:
    """Yield the connection that has the lock."""
    async with client._pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        try:
            yield connection
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK_KEY)


def statements(script: str) -> Iterator[str]:
    buffer = ""
    for part in re.split(r"(;)", script):
        buffer += part
        if part == ";" and buffer.count("$$") % 2 == 0 and sqlite3.complete_statement(buffer):
            if _says_something(buffer):
                yield buffer.strip()
            buffer = ""
    if _says_something(buffer):
        yield buffer.strip()


def _says_something(statement: str) -> bool:
    return bool(re.sub(r"--[^\n]*", "", statement).strip(" ;\n\t"))


HISTORY_TABLE = {
    "sqlite": (
        'CREATE TABLE IF NOT EXISTS "aerich" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,'
        ' "version" VARCHAR(255) NOT NULL, "app" VARCHAR(100) NOT NULL, "content" JSON NOT NULL)'
    ),
    "postgres": (
        'CREATE TABLE IF NOT EXISTS "aerich" ("id" SERIAL NOT NULL PRIMARY KEY,'
        ' "version" VARCHAR(255) NOT NULL, "app" VARCHAR(100) NOT NULL, "content" JSONB NOT NULL)'
    ),
}
DIGEST = "sha256"
OTHER_TABLES = (
    "The database was made by a development version whose tables were still changing; it cannot be brought up to date."
    " Set it aside and start with an empty one."
)
UNFINISHED_MOVE = "unfinished_move"  # the table that is there until a move is complete
OURS = ("users", "organizations", "boards", "tasks", "agents")
RECORD = {
    "sqlite": "INSERT INTO aerich (version, app, content) VALUES (?, ?, ?)",
    "postgres": "INSERT INTO aerich (version, app, content) VALUES ($1, $2, $3::jsonb)",
}


def by_dialect(scripts: Mapping[str, str]) -> Callable[[BaseDBAsyncClient], Awaitable[str]]:
    async def script(db: BaseDBAsyncClient) -> str:
        return scripts[db.capabilities.dialect]

    return script


def scripts_of(direction: str, *names: str) -> dict[str, str]:
    """Return what migrations do together, `UP` or `DOWN`, by the beginnings of their names."""
    modules = [_imported(next(migration_folder().glob(f"{name}_*.py"))) for name in names]
    return {dialect: "".join(getattr(module, direction)[dialect] for module in modules) for dialect in HISTORY_TABLE}


def migration_folder() -> Path:
    return data_dir("migrations") / APP


async def migrate(settings: Settings, folder: Path | None = None) -> list[str]:
    """Apply every pending migration and return their names; waits while another process does it.

    Raises ConfigError when the database is newer than this program, cannot be reached, refuses a migration, or is
    served by processes that do not leave.
    """
    if settings.sqlite_path is not None:
        made_folder(settings.sqlite_path.parent)
    make_private(settings)
    async with own_connection(settings) as client, held(client, settings.sqlite_path) as lock:
        await _refuse_foreign_content(client)
        await client.execute_script(HISTORY_TABLE[client.capabilities.dialect])
        files = _files(folder or migration_folder())
        waiting = _pending(files, await _applied(client))
        if not waiting and await _was_applied_otherwise(client, files[-1:]):  # of those before, only when one fails
            _log.warning(OTHER_TABLES)
        if waiting and settings.sqlite_path is not None:
            before_migration(settings.sqlite_path, waiting[0].stem)
        async with without_servers(lock) if waiting and lock is not None else nullcontext():
            for number, file in enumerate(waiting, 1):
                if len(waiting) < len(files):  # with much in an old database each of them can take a minute
                    _log.info("Applying migration %s of %s: %s", number, len(waiting), file.stem)
                try:
                    await _apply(client, file)
                except Exception as error:
                    raise ConfigError(await _why_not(client, file, files, error)) from error
        return [file.name for file in waiting]


async def pending(client: BaseDBAsyncClient, folder: Path | None = None) -> list[str]:
    waiting = _pending(_files(folder or migration_folder()), await _applied(client))
    return [file.name for file in waiting]


async def pending_for(settings: Settings) -> list[str]:
    """Return the names of pending migrations, read over an own connection; change nothing.

    Raises ConfigError for the database of another program.
    """
    if settings.sqlite_path is not None and not settings.sqlite_path.exists():
        return [file.name for file in _files(migration_folder())]
    async with own_connection(settings) as client:
        await _refuse_foreign_content(client)
        return await pending(client)


@asynccontextmanager
async def own_connection(settings: Settings, *, is_direct: bool = True) -> AsyncIterator[BaseDBAsyncClient]:
    """Yield a connection of its own, past a pooler unless told otherwise; the application's is untouched."""
    url = settings.direct_url if is_direct else settings.database_url
    async with TortoiseContext() as context:
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # that it knows no models
            await context.init(config=orm_config(url, 2, ["tortoise"]))
        client = context.db(CONNECTION)
        try:
            await client.create_connection(with_db=True)
        except Exception as error:
            raise ConfigError(unreachable(settings, error)) from error
        yield client


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*_*.py"), key=lambda file: int(file.name.split("_")[0]))


async def _applied(client: BaseDBAsyncClient) -> set[str]:
    if not await _has_table(client, "aerich"):
        return set()
    history = await client.execute_query_dict(f"SELECT version FROM aerich WHERE app = '{APP}'")
    return {row["version"] for row in history}


def newest_migration() -> str:
    return _files(migration_folder())[-1].name


async def _has_table(client: BaseDBAsyncClient, name: str) -> bool:
    if client.capabilities.dialect == "sqlite":
        query = f"SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = '{name}'"
    else:
        query = f"SELECT 1 AS found WHERE to_regclass('{name}') IS NOT NULL"
    return bool(await client.execute_query_dict(query))


async def _refuse_foreign_content(client: BaseDBAsyncClient) -> None:
    """Raise ConfigError for a database that another program filled, such as the predecessor, or a move only in part."""
    if await _has_table(client, UNFINISHED_MOVE):
        raise ConfigError(
            "The database holds an unfinished move from SQLite, and nothing else uses it until that is complete."
            " Start the same `mission-control move sqlite-to-postgres` again: it goes on where it was."
        )
    if await _has_table(client, "aerich"):
        return
    taken = [name for name in OURS if await _has_table(client, name)]
    if taken:
        raise ConfigError(
            f"The database holds tables of another program: {', '.join(taken)}. They were left alone."
            " Set DATABASE_URL to an empty database."
        )


def _pending(files: Iterable[Path], applied: set[str]) -> list[Path]:
    files = list(files)
    unknown = applied - {file.name for file in files}
    if unknown:
        raise Misfit(
            f"The database is newer than this program: it has the migration {max(unknown)}, unknown here."
            " Install the newer version, or go back to a copy of the database."
        )
    return [file for file in files if file.name not in applied]


async def _apply(client: BaseDBAsyncClient, file: Path) -> None:
    module = _imported(file)
    dialect = client.capabilities.dialect
    transactions: AbstractAsyncContextManager[Any] = nullcontext(client)
    if getattr(module, "RUN_IN_TRANSACTION", True):
        transactions = _sqlite_transaction(client) if dialect == "sqlite" else in_transaction(CONNECTION)
    async with transactions as transaction:
        script = await module.upgrade(transaction)
        if dialect == "sqlite":
            for statement in statements(script):  # executescript() would commit first
                await transaction.execute_query(statement)
        elif script.strip():
            await transaction.execute_script(script)
        await transaction.execute_query(RECORD[dialect], [file.name, APP, json.dumps({DIGEST: _digest(script)})])


def _imported(file: Path) -> Any:
    module = ModuleType(file.stem)
    SourceFileLoader(file.stem, str(file)).exec_module(module)
    return module


async def _why_not(client: BaseDBAsyncClient, file: Path, files: list[Path], error: Exception) -> str:
    sentence = f"The migration {file.name} could not be applied, and nothing of it was: {error}."
    if not await _was_applied_otherwise(client, files):
        return sentence
    return f"{sentence} {OTHER_TABLES}"


async def _was_applied_otherwise(client: BaseDBAsyncClient, files: list[Path]) -> bool:
    history = await client.execute_query_dict(f"SELECT version, content FROM aerich WHERE app = '{APP}'")
    contents = {row["version"]: row["content"] for row in history}
    for file in (file for file in files if file.name in contents):
        content = contents[file.name]
        digest = (json.loads(content) if isinstance(content, str) else content).get(DIGEST)
        if digest is not None and digest != _digest(await _imported(file).upgrade(client)):
            return True
    return False


def _digest(script: str) -> str:
    """Return a digest of a script that does not depend on how its lines are broken."""
    return hashlib.sha256(" ".join(script.split()).encode()).hexdigest()


@asynccontextmanager
async def _sqlite_transaction(client: BaseDBAsyncClient) -> AsyncIterator[BaseDBAsyncClient]:
    """Hold a transaction in which tables may be rebuilt: foreign keys are checked at its end only."""
    await client.execute_query("PRAGMA foreign_keys=OFF")
    await client.execute_query("BEGIN IMMEDIATE")
    try:
        yield client
        _, broken = await client.execute_query("PRAGMA foreign_key_check")
        if broken:
            raise RuntimeError(f"The migration left {len(broken)} rows that point nowhere.")
        await client.execute_query("COMMIT")
    except BaseException:
        await client.execute_query("ROLLBACK")
        raise
    finally:
        await client.execute_query("PRAGMA foreign_keys=ON")
