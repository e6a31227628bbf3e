"""Outgoing webhooks over the sudden death of the server, and with two of them: nothing is lost."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.live.scenarios import database, new_board
from tests.live.servers import API, PATIENCE, Server, installation
from tests.outgoing import verified
from tests.outside import Receiver, listening

pytestmark = [pytest.mark.dialect, pytest.mark.database]

TASKS, BEFORE_THE_CRASH = 100, 30
ALLOWED = {"OUTBOUND_ALLOW_PRIVATE": "true", "SECRET_KEY": "a-secret-key-of-an-installation-for-tests-long-enough"}


async def make_webhook(server: Server, receiver: Receiver) -> dict[str, Any]:
    body = {"description": "Warehouse", "url": receiver.url, "kinds": ["task.created"]}
    async with server.client() as client:
        made: dict[str, Any] = (await client.post(f"{API}/outgoing-webhooks", json=body)).raise_for_status().json()
    return made


async def add_tasks(server: Server, board: str, first: int, count: int) -> None:
    async with server.client() as client:
        for number in range(first, first + count):
            (await client.post(f"{board}/tasks", json={"title": f"Task {number}"})).raise_for_status()


def ids(receiver: Receiver) -> Counter[str]:
    return Counter(headers["webhook-id"] for headers, _ in receiver.got)


async def until(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(ids(receiver)) < count:
            await asyncio.sleep(0.02)


@pytest.mark.thorough
async def test_hundred_messages_survive_a_crash_in_the_middle(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, listening() as receiver:
        async with home.served(**ALLOWED) as first:
            board = await new_board(first)
            hook = await make_webhook(first, receiver)
            sending = asyncio.create_task(add_tasks(first, board, 0, TASKS))
            await until(receiver, BEFORE_THE_CRASH)
            receiver.gate.clear()  # one message is on its way when the process dies, and the others wait
            await sending
            assert len(ids(receiver)) < TASKS / 2
            await first.kill()
        receiver.gate.set()
        async with home.served(**ALLOWED):
            await until(receiver, TASKS)
            found = [("waiting", TASKS)]
            async with asyncio.timeout(PATIENCE):
                while found != [("sent", TASKS)]:
                    found = await database(home, "SELECT state, COUNT(*) FROM outgoing_deliveries GROUP BY state")
                    await asyncio.sleep(0.05)
        counts = ids(receiver)
        assert len(counts) == TASKS and max(counts.values()) <= 2 and sum(counts.values()) <= TASKS + 1
        assert all(verified(hook["secret"], got)["type"] == "task.created" for got in receiver.got)
        wanted = await database(home, "SELECT id FROM events WHERE kind = 'task.created'")
        assert {str(row[0]) for row in wanted} == set(counts)


@pytest.mark.postgres
async def test_two_processes_send_each_message_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, listening() as receiver:
        async with home.served(**ALLOWED) as first, home.served(**ALLOWED) as second:
            board = await new_board(first)
            hook = await make_webhook(second, receiver)
            await asyncio.gather(*(add_tasks(one, board, n * 30, 30) for n, one in enumerate((first, second))))
            await until(receiver, 60)
            async with first.client() as client:
                (await client.post(f"{API}/outgoing-webhooks/{hook['id']}/pauses")).raise_for_status()
            await add_tasks(second, board, 60, 3)
            async with second.client() as client:
                resumed = await client.post(f"{API}/outgoing-webhooks/{hook['id']}/resumptions", json={})
                resumed.raise_for_status()
            await until(receiver, 63)
        assert set(ids(receiver).values()) == {1}
