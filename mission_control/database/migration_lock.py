"""One process at a time may migrate: a lock file next to a SQLite file, an advisory lock on PostgreSQL."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

LOCK_KEY = 0x4D43_4D49_4752


@asynccontextmanager
async def held(client: BaseDBAsyncClient, sqlite_file: Path | None) -> AsyncIterator[None]:
    """Wait for the lock and hold it."""
    lock = _advisory_lock(client) if sqlite_file is None else _file_lock(sqlite_file)
    async with lock:
        yield


@asynccontextmanager
async def _file_lock(sqlite_file: Path) -> AsyncIterator[None]:
    with sqlite_file.with_name(f"{sqlite_file.name}.migrate.lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def _advisory_lock(client: Any) -> AsyncIterator[None]:
    async with client._pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK_KEY)
