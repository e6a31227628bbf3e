"""Databases for tests: each process of the suite has its own, and copies a migrated one instead of migrating again."""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from mission_control.core.settings import Settings
from mission_control.database.migrate import migrate

_permitted: list[bool] = []
_made: dict[str, str] = {}


def permit(*, database: bool) -> None:
    """Say whether the test that begins may use a database: only such tests run on PostgreSQL as well."""
    _permitted[:] = [database]


def database_url_for_tests(folder: Path) -> str:
    """Return TEST_DATABASE_URL, else a new SQLite file; a database not named for tests is refused."""
    if _permitted == [False]:
        pytest.fail("This test uses a database: mark it with `pytest.mark.database`, so that PostgreSQL runs it too.")
    url = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{folder / 'mission_control_test'}"
    if not Path(urlsplit(url).path).name.endswith("_test"):
        raise pytest.UsageError("The database in TEST_DATABASE_URL must have a name that ends in _test.")
    return url


def own_database_of_worker() -> None:
    """Give a worker of pytest-xdist a database of its own beside the one in TEST_DATABASE_URL."""
    url, worker = os.environ.get("TEST_DATABASE_URL"), os.environ.get("PYTEST_XDIST_WORKER")
    if url and worker:
        os.environ["TEST_DATABASE_URL"] = asyncio.run(_created(url, worker))


@asynccontextmanager
async def empty_database(folder: Path) -> AsyncIterator[str]:
    """The address of a database without any table, on the server under test, gone afterwards."""
    url = database_url_for_tests(folder)
    if url.startswith("sqlite"):
        yield url
        return
    made = await _created(url, "empty")
    try:
        yield made
    finally:
        await _dropped(url, made)


@asynccontextmanager
async def migrated_database(folder: Path) -> AsyncIterator[str]:
    """The address of a database with all tables and nothing in them, gone afterwards."""
    url = database_url_for_tests(folder)
    if url not in _made and not (url.startswith("sqlite") and "sqlite" in _made):
        await _make_original(url)
    if url.startswith("sqlite"):
        shutil.copy(_made["sqlite"], url.removeprefix("sqlite:///"))
        yield url
        return
    made = await _created(url, "copy", template=_made[url])
    try:
        yield made
    finally:
        await _dropped(url, made)


async def _make_original(url: str) -> None:
    if url.startswith("sqlite"):
        folder = tempfile.mkdtemp(prefix="mc-original-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        original = f"sqlite:///{folder}/original_test"
        _made["sqlite"] = original.removeprefix("sqlite:///")
    else:
        original = await _created(url, "original")
        _made[url] = _name(original)
    await migrate(Settings.from_environment({"DATABASE_URL": original, "DATA_DIR": tempfile.gettempdir()}))


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


async def _created(url: str, word: str, template: str = "template1") -> str:
    """Make a database beside the one of `url`, anew when it is left over, and return its address."""
    name = f"{_name(url).removesuffix('_test')}_{word}_test"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _dropped(url: str, made: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{_name(made)}" WITH (FORCE)')
    finally:
        await connection.close()
