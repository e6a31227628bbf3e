"""Connections that stay at hand starve nobody and are never handed to two at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from mission_control.database.asyncpg_engine import SafePostgresClient
from mission_control.database.sql import rows
from tests.database.small_database import small_database

pytestmark = [pytest.mark.dialect, pytest.mark.database, pytest.mark.postgres]

SIZE = 2
PID = "SELECT pg_backend_pid() AS pid"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[SafePostgresClient]:
    async with small_database(tmp_path, pool_size=SIZE) as opened:
        assert isinstance(opened, SafePostgresClient)
        yield opened


async def test_the_connection_used_last_is_used_again(client: SafePostgresClient) -> None:
    assert len({(await rows(PID))[0]["pid"] for _ in range(5)}) == 1


async def test_more_callers_than_connections_are_all_answered(client: SafePostgresClient) -> None:
    async def call(number: int) -> int:
        async with in_transaction():
            await rows("SELECT pg_sleep(0.01)")
            return int((await rows("SELECT ?::int AS n", number))[0]["n"])

    async with asyncio.timeout(30):
        assert await asyncio.gather(*(call(number) for number in range(20))) == list(range(20))


async def test_two_transactions_have_two_connections(client: SafePostgresClient) -> None:
    await rows(PID)
    async with in_transaction():
        [first] = await rows(PID)
        other = await asyncio.create_task(outside(client))
        assert first["pid"] != other


async def outside(client: SafePostgresClient) -> int:
    """The process that serves a statement outside of the running transaction."""
    _, [row] = await client.fetch(PID, ())
    return int(row["pid"])


async def test_a_connection_that_was_cut_is_replaced(client: SafePostgresClient) -> None:
    [cut] = await rows(PID)
    with pytest.raises(asyncpg.PostgresError):  # it ends itself
        await rows("SELECT pg_terminate_backend(pg_backend_pid())")
    [other] = await rows(PID)
    assert other != cut


async def test_an_idle_connection_that_was_cut_is_replaced(client: SafePostgresClient) -> None:
    async with in_transaction():
        [cut] = await rows(PID)
        await outside(client)  # a second connection, which is at hand afterwards
    assert client.connections is not None
    killer = await client.connections.take()
    if killer.get_server_pid() == cut["pid"]:
        killer, mine = await client.connections.take(), killer
        await client.connections.give_back(mine, is_sound=True)
    await killer.execute("SELECT pg_terminate_backend($1)", cut["pid"])
    await asyncio.sleep(0.2)  # whether it was heard of or not, the next statement works or says that it did not
    [other] = await rows(PID)
    assert other != cut
    await client.connections.give_back(killer, is_sound=True)


async def test_cancelled_statement_leaves_no_connection_behind(client: SafePostgresClient) -> None:
    for _ in range(SIZE * 3):
        running = asyncio.create_task(rows("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    async with asyncio.timeout(30):
        await asyncio.gather(*(rows(PID) for _ in range(SIZE * 2)))
