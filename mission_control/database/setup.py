"""Connect Tortoise to the configured database."""

import fcntl
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tortoise import Tortoise
from tortoise.connection import get_connection

from mission_control.core.private_files import make_private
from mission_control.core.setting_values import made_folder, sqlite_path, without_password
from mission_control.core.settings import ConfigError, Settings
from mission_control.database.fit import follow_clock

OTHERWISE = "Stop it, set another DATA_DIR, or set DATABASE_URL to a PostgreSQL database."


# One server at a time may have a SQLite file: what one process changes, another would not push to its readers.
@contextmanager
def held(sqlite_file: Path | None, remedy: str = OTHERWISE) -> Iterator[None]:
    """Keep other servers off the file (None: PostgreSQL, which needs no such thing) until this process ends, however it
    ends; ConfigError when another one has it.
    """
    if sqlite_file is None:
        yield
        return
    file = sqlite_file.resolve()
    lock = made_folder(file.parent) / f"{file.name}.server.lock"
    try:
        opened = lock.open("a+", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"{lock} cannot be written: {error.strerror or error}.") from error
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.seek(0)
            raise ConfigError(
                f"Another server (process {opened.read().strip() or 'unknown'}) uses {sqlite_file}, and SQLite serves"
                f" one only. {remedy}"
            ) from None
        with suppress(OSError):  # on a full disk nobody is named
            lock.write_text(f"{os.getpid()}\n", encoding="ascii")
        yield


# The installed modules of models.
MODEL_MODULES: list[str] = []
APP = "models"
CONNECTION = "default"

SQLITE_PRAGMAS = {"journal_mode": "WAL", "foreign_keys": "ON", "synchronous": "FULL", "cache_size": -16000}


def orm_config(url: str, pool_size: int = 10, modules: list[str] | None = None) -> dict[str, Any]:
    return {
        "connections": {CONNECTION: _connection(url, pool_size)},
        "apps": {APP: {"models": modules or MODEL_MODULES, "default_connection": CONNECTION}},
        "use_tz": False,
    }


def _connection(url: str, pool_size: int) -> dict[str, Any]:
    file = sqlite_path(url)
    if file is not None:
        credentials = {"file_path": str(file), **SQLITE_PRAGMAS}
        return {"engine": "mission_control.database.sqlite.engine", "credentials": credentials}
    pool = {"minsize": 1, "maxsize": pool_size, "reset": keep_session}
    prepared = {"statement_cache_size": 500, "max_cached_statement_lifetime": 3600}
    credentials = {**postgres_credentials(url), **pool, **prepared}
    return {"engine": "mission_control.database.asyncpg_engine", "credentials": credentials}


async def keep_session(connection: object) -> None:
    """What the pool does with a returned connection: nothing, for sessions are never changed here.

    An open transaction was rolled back by then. The default would reset the session after every statement
    outside of a transaction, which doubles the round trips of a read.
    """


def postgres_credentials(url: str) -> dict[str, Any]:
    """Return the parts of a PostgreSQL address; `sslmode` and a socket directory as `host` are known."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    credentials = {
        "host": query.pop("host", None) or parts.hostname or "localhost",
        "port": parts.port or 5432,
        "user": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "database": unquote(parts.path.lstrip("/")),
        "server_settings": {"timezone": "UTC", "application_name": "mission-control"},
    }
    mode = query.pop("sslmode", None)
    if mode is not None:
        credentials["ssl"] = ssl.create_default_context() if mode == "verify-full" else mode
    return credentials


async def connect(settings: Settings) -> None:
    """Open the database for this process; every task of it sees the connection.

    Raises ConfigError when the database cannot be reached.
    """
    if settings.sqlite_path is not None:
        made_folder(settings.sqlite_path.parent)
    make_private(settings)
    await read_models(settings)
    try:
        await get_connection(CONNECTION).create_connection(with_db=True)
        await follow_clock()
    except Exception as error:
        await disconnect()
        raise ConfigError(unreachable(settings, error)) from error


async def read_models(settings: Settings) -> None:
    """Let Tortoise know the models; the first statement opens the database."""
    if not MODEL_MODULES:
        raise RuntimeError("Install the features before the database is opened.")
    config = orm_config(settings.database_url, settings.db_pool_size)
    await Tortoise.init(config=config, _enable_global_fallback=True)


async def disconnect() -> None:
    await Tortoise.close_connections()


def unreachable(settings: Settings, error: Exception) -> str:
    where = without_password(settings.database_url)
    return f"The database {where} cannot be opened: {str(error) or type(error).__name__}"
