"""Real programs while the server is off, and silent: they work on, and all of it arrives. MINUTES makes it longer."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mission_control.client.program import keys
from tests.client.terminal import Terminal, ended
from tests.client.test_sign_in_by_code import OWNER, code_of
from tests.live.servers import PATIENCE, TOKEN, installation

pytestmark = [pytest.mark.long, pytest.mark.database]

COMMANDS = {"claude-code": "claude"}  # of the others it is the name
TURN = """
import tempfile
from mission_control.client.model import model
from mission_control.client.program import program_of
one = program_of("{key}")
with tempfile.TemporaryDirectory() as folder, model(*one.call) as asked:
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


@dataclass
class Person:
    """Whose programs are on a board, and lead there by a way that may be cut."""

    way: Way
    terminal: Terminal
    browser: httpx.AsyncClient
    board: str
    programs: Path

    async def connect(self, client: str) -> None:
        process = await self.terminal.start("connect", client, "--board", self.board, "--yes")
        approval = {"user_code": await code_of(process), "agent": f"{self.board}:new"}
        assert (await self.browser.post("/device/approvals", data=approval)).status_code == 303
        assert (await ended(process)).code == 0

    async def turn(self, client: str, now: str) -> str:
        """Let a program take a turn with a model on this machine, and return its session."""
        text = TURN.format(key=client, program=self.programs / COMMANDS.get(client, client))
        environment = {**self.terminal.environment, "HOME": str(self.terminal.folder)}
        pipe = asyncio.subprocess.PIPE
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", text, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
        )
        printed = await ended(process)
        assert printed.code == 0, printed
        print(f"{client}, {now}: {time.monotonic() - began:.2f} s")
        return printed.out.strip()

    async def arrived(self, session: str, count: int) -> list[tuple[Any, ...]]:
        """Return what is told of a session, as soon as it has ended and so much of it is there."""
        path, found = f"/api/v1/boards/{self.board}/sessions", list[tuple[Any, ...]]()
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for one in (await self.browser.get(f"{path}?limit=200")).json()["items"]:
                        if one["external_id"] == session and one["ended_at"]:
                            items = (await self.browser.get(f"{path}/{one['id']}/activities")).json()["items"]
                            told = [item for item in items if item["kind"] != "GAP"]
                            found = [(item["kind"], item["title"].partition(",")[0]) for item in told]
                            if len(found) >= count:
                                return found
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"of {session}, {found} arrived") from None


@asynccontextmanager
async def person(programs: Path, folder: Path) -> AsyncIterator[Person]:
    async with installation(folder) as here, here.served() as server, way_to(server.url) as way:
        terminal = Terminal(folder / "home", {"PATH": f"{programs}:{os.environ['PATH']}"})
        terminal.fetch(f"http://127.0.0.1:{way.port}")
        ours = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
            setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
            assert (await browser.post("/setup", data=setup)).status_code == 303
            fields = {"name": "Quay", "slug": "quay", "description": "d"}
            board = (await browser.post("/api/v1/boards", json=fields)).json()["id"]
            yield Person(way, terminal, browser, board, programs)


@pytest.mark.parametrize("client", ["claude-code", "codex"])
async def test_program_works_on_and_all_of_it_arrives(programs: Path, tmp_path: Path, client: str) -> None:
    async with person(programs, tmp_path) as made:
        await made.connect(client)
        whole = await made.arrived(await made.turn(client, "on"), 0)
        for now in ("off", "silent"):
            await made.way.set(now)
            session = await made.turn(client, now)
            spool = made.terminal.folder / ".local/state/mission-control/spool"
            assert sum(len(one.read_bytes()) for one in spool.glob("*usual*"))
            await made.way.set("on")
            assert await made.arrived(session, len(whole)) == whole
        await made.terminal.done("disconnect", client)


@pytest.mark.parametrize("now", ["off", "silent"])
async def test_all_programs_at_once_for_minutes(programs: Path, tmp_path: Path, now: str) -> None:
    minutes = float(os.environ.get("MINUTES") or 1)

    async def work_on(client: str, until: float) -> list[str]:
        sessions: list[str] = []
        while not sessions or time.monotonic() < until:
            sessions.append(await made.turn(client, now))
            await asyncio.sleep(minutes * 3)  # so that a spool has room for all of it
        return sessions

    async with person(programs, tmp_path) as made:
        wholes = {}
        for client in keys():
            await made.connect(client)
            wholes[client] = await made.arrived(await made.turn(client, "on"), 0)
        await made.way.set(now)
        until = time.monotonic() + 60 * minutes
        sessions = dict(zip(keys(), await asyncio.gather(*(work_on(one, until) for one in keys())), strict=True))
        await made.way.set("on")
        for client, whole in wholes.items():
            await made.turn(client, "on")  # which sends what was kept
            for session in sessions[client]:
                assert await made.arrived(session, len(whole)) == whole, client
