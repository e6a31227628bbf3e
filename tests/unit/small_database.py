"""A database of its own for tests of the database layer, on the server under test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from mission_control.database.setup import orm_config
from tests.conftest import database_url_for_tests

MODULES = ["tests.unit.small_models"]


@asynccontextmanager
async def small_database(folder: Path, pool_size: int = 5) -> AsyncIterator[BaseDBAsyncClient]:
    """Tables of `small_models`, empty, gone afterwards."""
    async with TortoiseContext() as context:
        await context.init(config=orm_config(database_url_for_tests(folder), pool_size, MODULES))
        client = context.db("default")
        await client.create_connection(with_db=True)
        await client.execute_script("DROP TABLE IF EXISTS small_tags; DROP TABLE IF EXISTS small_notes;")
        await context.generate_schemas()
        try:
            yield client
        finally:
            await client.execute_script("DROP TABLE IF EXISTS small_tags; DROP TABLE IF EXISTS small_notes;")


@asynccontextmanager
async def empty_database(folder: Path) -> AsyncIterator[str]:
    """The address of a database without any table, on the server under test, gone afterwards."""
    url = database_url_for_tests(folder)
    if url.startswith("sqlite"):
        yield url
        return
    parts = urlsplit(url)
    name = f"{parts.path.lstrip('/').removesuffix('_test')}_empty_test"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
