"""Nothing that was acknowledged is lost, nothing committed stays unseen: the short forms of `tests/long`."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.live.scenarios import (
    check_followers,
    check_whole,
    new_board,
    play_aborted_requests,
    play_restarts,
    play_sudden_death,
    write_some,
)
from tests.live.servers import PATIENCE, TELLING, Follower, Installation, Server, installation, messages

pytestmark = pytest.mark.database


@pytest.mark.dialect
async def test_aborted_requests_leave_no_locks(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        await play_aborted_requests(home, 300, seed=1)


@pytest.mark.dialect
async def test_acknowledged_writes_survive_a_crash(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        await play_sudden_death(home, rounds=1, seconds=1.0, seed=2)


async def test_streams_resume_after_a_restart(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        await play_restarts(home, streams=20, restarts=1)


async def test_stop_answers_running_requests_and_ends_streams(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served(program=TELLING) as server:
        board = await new_board(server)
        async with server.client() as client, client.stream("GET", f"{board}/tasks/stream") as stream:
            chunks = stream.aiter_bytes()
            await anext(chunks)
            async with asyncio.TaskGroup() as group, writes_held(home):
                running = await sent(group, client, f"{board}/tasks", {"title": "Last"})
                (await client.get("/healthz")).raise_for_status()  # the server has read on since
                server.process.terminate()
                async for _ in chunks:
                    pass  # a stream that is cut instead of ended raises here
                assert not running.done()
            assert running.result().status_code == 200
        async with asyncio.timeout(PATIENCE):
            assert await server.process.wait() == 0
        await check_whole(home)


async def sent(
    group: asyncio.TaskGroup, client: httpx.AsyncClient, path: str, body: dict[str, str]
) -> "asyncio.Task[httpx.Response]":
    """A request that is on its way as a whole, however slow this machine is."""
    whole = asyncio.Event()

    async def trace(name: str, info: object) -> None:
        if name.endswith(".send_request_body.complete"):
            whole.set()

    running = group.create_task(client.post(path, json=body, extensions={"trace": trace}))
    async with asyncio.timeout(PATIENCE):
        await whole.wait()
    return running


@asynccontextmanager
async def writes_held(home: Installation) -> AsyncIterator[None]:
    """Hold the lock that every write needs."""
    if home.sqlite_file is not None:
        with closing(sqlite3.connect(home.sqlite_file, isolation_level=None)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            yield
            opened.execute("ROLLBACK")
        return
    connection = await asyncpg.connect(home.database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM organizations FOR UPDATE")
            yield
    finally:
        await connection.close()


@pytest.mark.postgres
async def test_two_workers_act_as_one_server(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served("--workers", "2") as server:
        board = await new_board(server)
        followers: list[Follower] = []
        try:
            while min(served_by_each(server)) < 2:  # whichever worker is first takes a connection
                assert len(followers) < 100
                followers.append(Follower(server.url, f"{board}/tasks/stream", 0))
                await followers[-1].connected.wait()
            await write_some(server, board, writers=20, each=5)
            await check_followers(home, followers)
            await check_whole(home)
        finally:
            await asyncio.gather(*(follower.close() for follower in followers))


def served_by_each(server: Server) -> list[int]:
    """How many established connections each worker holds on the server's port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == server.port and fields[3] == "01":
            inodes.add(f"socket:[{fields[9]}]")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [len([one for one in open_files(pid) if one in inodes]) for pid in children]


def open_files(pid: str) -> list[str]:
    """What the descriptors of a process point to."""
    found = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it has been closed
            found.append(str(file.readlink()))
    return found


async def test_sqlite_refuses_two_workers(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        if home.sqlite_file is not None:
            code, said = await home.run("serve", "--workers", "2")
            assert code == 1 and "SQLite serves one process only" in said


async def test_stalled_readers_are_harmless(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        board = await new_board(server)
        stuck = [await never_reading(server, f"{board}/tasks/stream") for _ in range(10)]
        follower = Follower(server.url, f"{board}/tasks/stream", 0)
        try:
            await follower.connected.wait()
            before = server.resident_mib()
            async with server.client() as client:
                for number in range(250):  # 15 MB for each reader
                    body = {"title": f"Task {number}", "description": "x" * 60_000}
                    (await client.post(f"{board}/tasks", json=body)).raise_for_status()
            await check_followers(home, [follower])
            assert server.resident_mib() - before < 100
            assert await resumed_numbers(server, f"{board}/tasks/stream", 10) == follower.ids[:10]
        finally:
            await follower.close()
            for writer in stuck:
                writer.transport.abort()


async def never_reading(server: Server, path: str) -> asyncio.StreamWriter:
    """Open a stream and never read from it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {server.headers['Authorization']}\r\n\r\n".encode())
    await reader.readline()
    return writer


async def resumed_numbers(server: Server, path: str, count: int) -> list[int]:
    """The first numbers of a stream that begins at the beginning."""
    found: list[int] = []
    async with server.client() as client, client.stream("GET", path, headers={"Last-Event-ID": "0"}) as stream:
        async for message in messages(stream):
            found.append(message.id or 0)
            if len(found) == count:
                break
    return found


@pytest.mark.postgres
async def test_lost_database_is_reported_and_recovers(tmp_path: Path) -> None:
    """Every connection of the server is cut, the listener's among them; the stream goes on."""
    async with installation(tmp_path) as home, home.served() as server:
        board = await new_board(server)
        follower = Follower(server.url, f"{board}/tasks/stream", 0)
        try:
            await follower.connected.wait()
            await write_some(server, board, writers=2, each=2)
            await cut_connections(home)
            async with server.client() as client:
                async with asyncio.timeout(PATIENCE):
                    while (answer := await client.post(f"{board}/tasks", json={"title": "Again"})).status_code != 200:
                        assert answer.status_code == 503, answer.text
                        await asyncio.sleep(0.1)
            await write_some(server, board, writers=2, each=2)
            await check_followers(home, [follower])
            await becomes_ready(server)  # the listener reconnects on its own time, after the first write may succeed
            await check_whole(home)
        finally:
            await follower.close()


async def becomes_ready(server: Server) -> None:
    async with server.client() as client, asyncio.timeout(PATIENCE):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)


async def cut_connections(home: Installation) -> None:
    """End every other session of the database."""
    connection = await asyncpg.connect(home.database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


async def test_command_line_changes_reach_open_streams(tmp_path: Path) -> None:
    """Another process writes; on SQLite nothing but the file tells of it."""
    async with installation(tmp_path) as home, home.served() as server:
        board = await new_board(server)
        follower = Follower(server.url, f"{board}/tasks/stream", 0)
        try:
            await follower.connected.wait()
            other = await home.start(program=(sys.executable, "-m", "tests.live.unlocked_server"))
            try:
                await write_some(other, board, writers=1, each=3)
            finally:
                await other.stop()
            await check_followers(home, [follower])
        finally:
            await follower.close()
