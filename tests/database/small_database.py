"""A database of its own for tests of the database layer, on the server under test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext

from mission_control.database.setup import orm_config
from tests.own_database import database_url_for_tests

MODULES = ["tests.database.small_models"]


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
