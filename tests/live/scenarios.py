"""What a server must survive, in any length: aborted requests, sudden death, many writers, restarts."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import orjson

from mission_control.tasks.snapshots.streams import STREAMED
from tests.live.servers import API, PATIENCE, TOKEN, Follower, Installation, Server

AT_ONCE = 16
BURST = 100  # requests whose events, two at most each, a reader's queue has room for
MOVES = ("in_progress", "review", "inbox")


async def database(home: Installation, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement behind the server's back."""
    if home.sqlite_file is not None:
        with closing(sqlite3.connect(home.sqlite_file, timeout=30, isolation_level=None)) as opened:
            return opened.execute(sql).fetchall()
    connection = await asyncpg.connect(home.database_url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def new_board(server: Server, name: str = "Storm") -> str:
    """The path of a new board on which everything may be done."""
    body = {
        "name": name,
        "slug": name.lower(),
        "description": "Waves.",
        "board_type": "general",
        "require_approval_for_done": False,
    }
    async with server.client() as client:
        answer = await client.post(f"{API}/boards", json=body)
        return f"{API}/boards/{answer.raise_for_status().json()['id']}"


async def new_tasks(server: Server, board: str, count: int) -> list[str]:
    async with server.client() as client:
        made = [await client.post(f"{board}/tasks", json={"title": f"Task {number}"}) for number in range(count)]
    return [answer.raise_for_status().json()["id"] for answer in made]


async def streamed_numbers(home: Installation) -> list[int]:
    """The numbers of all committed events that a task stream shows, in order."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(STREAMED))
    return [row[0] for row in await database(home, f"SELECT seq FROM events WHERE kind IN ({kinds}) ORDER BY seq")]


async def check_whole(home: Installation) -> None:
    """The log has no hole, its chain holds, and every task and comment has exactly its event."""
    numbers = [row[0] for row in await database(home, "SELECT seq FROM events ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))
    for table, kind in (("tasks", "task.created"), ("task_comments", "task.comment")):
        events = f"SELECT COUNT(*) FROM events WHERE kind = '{kind}'"
        [(made, told)] = await database(home, f"SELECT COUNT(*), ({events}) FROM {table}")
        assert made == told, (table, made, told)
    await home.command("audit", "verify")


async def check_followers(home: Installation, followers: list[Follower]) -> None:
    """Every follower has seen every committed change exactly once and in order."""
    expected = await streamed_numbers(home)
    for follower in followers:
        await follower.until(expected[-1])
        seen = follower.ids
        if seen[-1] > expected[-1]:  # a request whose client is gone was still on its way
            expected = await streamed_numbers(home)
        committed = [number for number in expected if number <= seen[-1]]
        assert seen == committed, missing_and_twice(seen, committed)


def missing_and_twice(seen: list[int], expected: list[int]) -> str:
    """What is wrong with a stream, in a few words."""
    missing = sorted(set(expected) - set(seen))
    return f"missing {missing[:10]} ({len(missing)}), {len(seen) - len(set(seen))} twice, {len(seen)} seen"


# Requests whose clients hang up


async def abort_requests(server: Server, board: str, tasks: list[str], count: int, chance: random.Random) -> None:
    """Send requests and hang up at random moments, some before they are whole, some after the answer."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await _send_and_abort(server, _request(server, board, tasks, chance), chance)

    await asyncio.gather(*(one() for _ in range(count)))


def _request(server: Server, board: str, tasks: list[str], chance: random.Random) -> bytes:
    task = chance.choice(tasks)
    method, path, body = chance.choice(
        [
            ("POST", f"{board}/tasks", {"title": f"Aborted {chance.random()}", "description": "x" * 500}),
            ("PATCH", f"{board}/tasks/{task}", {"status": chance.choice(MOVES), "comment": "moved"}),
            ("PATCH", f"{board}/tasks/{task}", {"title": f"Renamed {chance.random()}"}),
            ("POST", f"{board}/tasks/{task}/comments", {"message": f"Aborted {chance.random()}"}),
        ]
    )
    text = orjson.dumps(body)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


async def _send_and_abort(server: Server, request: bytes, chance: random.Random) -> None:
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        length = chance.randrange(len(request)) if chance.random() < 0.1 else len(request)
        writer.write(request[:length])
        with suppress(OSError):
            await writer.drain()
        await asyncio.sleep(chance.choice((0, 0.001, 0.004, 0.01, 0.03, 0.1)) * chance.random())
        if chance.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()


# Writers whose every acknowledged write must stay


@dataclass
class Promises:
    tasks: set[str] = field(default_factory=set)
    comments: set[str] = field(default_factory=set)
    statuses: dict[str, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.tasks) + len(self.comments) + len(self.statuses)

    async def check_kept(self, home: Installation) -> None:
        """Everything acknowledged is in the database."""
        statuses = {str(row[0]): row[1] for row in await database(home, "SELECT id, status FROM tasks")}
        comments = {str(row[0]) for row in await database(home, "SELECT id FROM task_comments")}
        assert not (lost := self.tasks - statuses.keys()), f"{len(lost)} tasks lost"
        assert not (lost := self.comments - comments), f"{len(lost)} comments lost"
        for task, status in self.statuses.items():
            if task not in self.doubtful:  # the last change was sent but not answered
                assert statuses[task] == status


async def run_writer(server: Server, board: str, promises: Promises, chance: random.Random) -> None:
    """Make a task, move it, talk about it, and so on; ends when the server is gone."""
    async with server.client() as client:
        with suppress(httpx.TransportError):
            while True:
                await _write_round(client, board, promises, chance)


async def _write_round(client: httpx.AsyncClient, board: str, promises: Promises, chance: random.Random) -> None:
    answer = await client.post(f"{board}/tasks", json={"title": f"Kept {chance.random()}"})
    task = answer.raise_for_status().json()["id"]
    promises.tasks.add(task)
    for status in MOVES[: chance.randint(0, 2)]:
        promises.doubtful.add(task)
        (await client.patch(f"{board}/tasks/{task}", json={"status": status})).raise_for_status()
        promises.statuses[task] = status
        promises.doubtful.discard(task)
    answer = await client.post(f"{board}/tasks/{task}/comments", json={"message": "kept"})
    promises.comments.add(answer.raise_for_status().json()["id"])


async def write_until(
    server: Server, board: str, promises: Promises, chance: random.Random, end: Callable[[], Awaitable[Any]]
) -> float:
    """Let many writers work until `end` has ended; returns acknowledged writes per second."""
    before, start = len(promises), time.monotonic()
    writers = [asyncio.create_task(run_writer(server, board, promises, chance)) for _ in range(AT_ONCE)]
    try:
        await end()
        return (len(promises) - before) / (time.monotonic() - start)
    finally:
        for writer in writers:
            writer.cancel()
        results = await asyncio.gather(*writers, return_exceptions=True)
        for failed in (one for one in results if isinstance(one, Exception)):
            raise failed


async def write_some(server: Server, board: str, writers: int, each: int) -> None:
    """Several writers on connections of their own, each with so many tasks and comments."""

    async def one(number: int) -> None:
        async with server.client() as client:
            for round_number in range(each):
                body = {"title": f"Task {number}-{round_number}"}
                task = (await client.post(f"{board}/tasks", json=body)).raise_for_status().json()["id"]
                said = {"message": f"Comment {number}-{round_number}"}
                (await client.post(f"{board}/tasks/{task}/comments", json=said)).raise_for_status()

    await asyncio.gather(*(one(number) for number in range(writers)))


# Whole plays


async def play_aborted_requests(home: Installation, count: int, seed: int) -> None:
    """Clients hang up; the server goes on, and an open stream shows every committed change exactly once."""
    chance = random.Random(seed)
    async with home.served() as server:
        board = await new_board(server)
        follower = Follower(server.url, f"{board}/tasks/stream", 0)
        try:
            tasks = await new_tasks(server, board, 10)
            for _ in range(count // BURST):
                await abort_requests(server, board, tasks, BURST, chance)
                await check_followers(home, [follower])
            async with asyncio.timeout(PATIENCE):
                await write_some(server, board, writers=4, each=2)
            await check_followers(home, [follower])
            assert follower.cuts == 0
            await check_whole(home)
        finally:
            await follower.close()


async def play_sudden_death(home: Installation, rounds: int, seconds: float, seed: int) -> list[float]:
    """Kill the server in the middle of writes, again and again; what was acknowledged stays. Returns rates."""
    chance, promises, rates = random.Random(seed), Promises(), []
    server = await home.start()
    board, port = await new_board(server), server.port
    follower = Follower(server.url, f"{board}/tasks/stream", 0)
    try:
        for _ in range(rounds):

            async def die(victim: Server = server) -> None:
                await asyncio.sleep(seconds * chance.uniform(0.6, 1.4))
                await victim.kill()

            rates.append(await write_until(server, board, promises, chance, die))
            server = await home.start(port=port)
            await promises.check_kept(home)
        await write_some(server, board, writers=2, each=2)
        await check_followers(home, [follower])
        await check_whole(home)
    finally:
        await follower.close()
        await server.stop()
    return rates


async def play_restarts(home: Installation, streams: int, restarts: int) -> None:
    """Restart the server under open streams; clients resume and miss nothing."""
    server = await home.start()
    board, port = await new_board(server), server.port
    followers = [Follower(server.url, f"{board}/tasks/stream", 0) for _ in range(streams)]
    try:
        for _ in range(restarts):
            await asyncio.gather(*(follower.connected.wait() for follower in followers))
            await write_some(server, board, writers=4, each=3)
            assert await server.stop() == 0
            server = await home.start(port=port)
            await write_some(server, board, writers=4, each=3)
        await check_followers(home, followers)
        assert all(follower.cuts >= restarts for follower in followers)
        await check_whole(home)
    finally:
        for follower in followers:
            await follower.close()
        await server.stop()
