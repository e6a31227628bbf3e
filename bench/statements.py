"""Count the SQL statements of each operation, traced by SQLite inside one process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.data import V1, Data, Request, operations
from bench.server import TOKEN
from mission_control.core.settings import Settings

SETTLE_SECONDS = 5.0


async def count(folder: Path) -> dict[str, int]:
    from mission_control.database.migrate import migrate
    from mission_control.server.app import create_app

    settings = Settings.from_environment({"DATA_DIR": str(folder), "LOCAL_AUTH_TOKEN": TOKEN})
    await migrate(settings)
    app = create_app(settings)
    counts: dict[str, int] = {}
    async with app.test_app():
        client = app.test_client()
        seen: list[str] = []

        async def call(request: Request) -> Any:
            method, path, body = request
            headers = {"Authorization": f"Bearer {TOKEN}"}
            answer = await client.open(path, method=method, json=body, headers=headers)
            return await answer.get_json()

        data = await _small(call)
        await _trace(seen.append)
        for name, make in operations(data).items():
            await call(make(0, 0))
            seen.clear()
            await call(make(0, 1))
            counts[name] = len(sent(seen))
    return counts


async def _trace(callback: Callable[[str], None] | None) -> None:
    """Call a function with every statement of this process; None stops it."""
    from tortoise.connection import get_connection

    client: Any = get_connection("default")
    file = await client.opened()
    for connection in (file.writer, file.reader, *file.readers.all):
        connection.set_trace_callback(callback)


def sent(traced: list[str]) -> list[str]:
    """Return the traced statements without those run by triggers and the full-text index.

    Those start with a comment, or repeat the text of their statement.
    """
    own = [text for text in traced if not text.startswith("--")]
    return [text for number, text in enumerate(own) if number == 0 or text != own[number - 1]]


async def _small(call: Any) -> Data:
    board = await call(
        ("POST", f"{V1}/boards",
         {"name": "B", "slug": "b", "description": "b", "board_type": "general", "require_approval_for_done": False})
    )  # fmt: skip
    path = f"{V1}/boards/{board['id']}"
    tasks = [(await call(("POST", f"{path}/tasks", {"title": "T"})))["id"] for _ in range(3)]
    return Data(path, tasks)


async def count_waiting(folder: Path, count: int, seconds: float) -> list[str]:
    """Return all statements of a process in which this many agents wait on their inboxes."""
    from mission_control.database.migrate import migrate
    from mission_control.events import wakeup_channels
    from mission_control.http import authentication
    from mission_control.server.app import create_app

    unlimited = {"AGENT_REQUESTS_PER_MINUTE": "0", "PERSON_REQUESTS_PER_MINUTE": "0"}
    settings = Settings.from_environment({"DATA_DIR": str(folder), "LOCAL_AUTH_TOKEN": TOKEN, **unlimited})
    await migrate(settings)
    app = create_app(settings)
    seen: list[str] = []
    async with app.test_app():

        async def call(request: Request, token: str = TOKEN) -> Any:
            method, path, body = request
            headers = {"Authorization": f"Bearer {token}"}
            answer = await app.test_client(use_cookies=False).open(path, method=method, json=body, headers=headers)
            return await answer.get_json()

        board_id = (await _small(call)).board.rpartition("/")[2]
        body = {"board_id": board_id, "name": ""}
        agents = [await call(("POST", f"{V1}/agents", body | {"name": f"Waiter {n}"})) for n in range(count)]
        wait = f"{V1}/agent/inbox?wait_seconds={min(50, int(SETTLE_SECONDS + seconds) + 5)}"
        polls = [asyncio.create_task(call(("GET", wait, None), one["token"])) for one in agents]
        await asyncio.sleep(SETTLE_SECONDS)
        if sum(wakeup_channels.channels_waiting(f"inbox:{one['id']}") for one in agents) < count:
            raise RuntimeError("Not all of them wait.")
        await authentication.write_down()  # the last use of the tokens, written once a minute
        await _trace(seen.append)
        await asyncio.sleep(seconds)
        await _trace(None)
        await asyncio.gather(*polls)
    return sent(seen)
