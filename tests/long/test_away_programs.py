"""The real Claude Code and Codex while the server is off, and silent: they work on, and all of it arrives."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.terminal import Terminal, ended
from tests.client.test_sign_in_by_code import OWNER, code_of
from tests.live.servers import PATIENCE, TOKEN, installation

pytestmark = pytest.mark.long

MODULES = {"claude-code": "claude_code", "codex": "codex"}
TURN = """
import tempfile
from mission_control.client import {module} as one
from mission_control.client.model import model
with tempfile.TemporaryDirectory() as folder, model(*one.CALL) as asked:
    turn = one.turn("{program}", asked.url, folder)
assert asked.times, turn.trouble
print(turn.session)
"""


class Way:
    """The way to a server: `on`, `off` (refused) or `silent` (taken, and never answered)."""

    def __init__(self, to: str) -> None:
        self._to, self._now = to, "off"
        self.port, self._tasks = 0, set[asyncio.Task[None]]()
        self._server: asyncio.Server | None = None

    async def set(self, now: str) -> None:
        self._now = now
        if now == "off" and self._server is not None:
            self._server.close()
            self._server = None
        elif now != "off" and self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(asyncio.CancelledError, OSError):
            if self._now == "silent":
                await asyncio.Event().wait()
            host, port = httpx.URL(self._to).host, httpx.URL(self._to).port
            answers, asks = await asyncio.open_connection(host, port)
            try:
                await asyncio.gather(_pour(reader, asks), _pour(answers, writer))
            finally:
                asks.close()
        self._tasks.discard(task)
        writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65_536):
        writer.write(part)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[Way]:
    way = Way(url)
    await way.set("on")
    try:
        yield way
    finally:
        await way.set("off")


@pytest.mark.parametrize("client", MODULES)
async def test_program_works_on_and_all_of_it_arrives(programs: Path, tmp_path: Path, client: str) -> None:
    async with installation(tmp_path) as here, here.served() as server, way_to(server.url) as way:
        terminal = Terminal(tmp_path / "home", {"PATH": f"{programs}:{os.environ['PATH']}"})
        terminal.fetch(f"http://127.0.0.1:{way.port}")
        ours = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
            setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
            assert (await browser.post("/setup", data=setup)).status_code == 303
            fields = {"name": "Quay", "slug": "quay", "description": "d"}
            board = (await browser.post("/api/v1/boards", json=fields)).json()["id"]
            process = await terminal.start("connect", client, "--board", board, "--yes")
            approval = {"user_code": await code_of(process), "agent": f"{board}:new"}
            assert (await browser.post("/device/approvals", data=approval)).status_code == 303
            assert (await ended(process)).code == 0
            whole = await _arrived(browser, board, await _turn(terminal, client, programs, "on"), 0)
            for now in ("off", "silent"):
                await way.set(now)
                session = await _turn(terminal, client, programs, now)
                spool = terminal.folder / ".local/state/mission-control/spool"
                assert sum(len(one.read_bytes()) for one in spool.glob("*usual*"))
                await way.set("on")
                assert await _arrived(browser, board, session, len(whole)) == whole
        await way.set("on")
        await terminal.done("disconnect", client)


async def _turn(terminal: Terminal, client: str, programs: Path, now: str) -> str:
    """The session of a turn that it took with a model on this machine."""
    module = MODULES[client]
    text = TURN.format(module=module, program=programs / ("claude" if client == "claude-code" else client))
    environment = {**terminal.environment, "HOME": str(terminal.folder)}
    pipe = asyncio.subprocess.PIPE
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", text, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )
    printed = await ended(process)
    assert printed.code == 0, printed
    print(f"{client}, {now}: {time.monotonic() - began:.2f} s")
    return printed.out.strip()


async def _arrived(browser: httpx.AsyncClient, board: str, session: str, count: int) -> list[tuple[Any, ...]]:
    """What is told of a session, as soon as it has ended and so much of it is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            items = (await browser.get(f"/api/v1/boards/{board}/sessions")).json()["items"]
            for one in items:
                if one["external_id"] == session and one["ended_at"]:
                    path = f"/api/v1/boards/{board}/sessions/{one['id']}/activities"
                    found = [
                        (item["kind"], item["title"].partition(",")[0])
                        for item in (await browser.get(path)).json()["items"]
                        if item["kind"] != "GAP"
                    ]
                    if len(found) >= count:
                        return found
            await asyncio.sleep(0.2)
