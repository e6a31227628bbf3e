"""Real servers on real sockets: an installation in a folder, its command line, its server processes, its streams."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.live.command_line import QUICK, command_line
from tests.own_database import migrated_database

COMMAND = (sys.executable, "-m", "mission_control.cli")
TELLING = (sys.executable, "-m", "tests.live.telling_server")
ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-owner-for-tests-that-has-fifty-characters-or-more"
PATIENCE = 120
BEFORE_POLLS_END = 40  # seconds: what waits for fifty would have ended by itself later
API = "/api/v1"


@dataclass
class Server:
    """A running `mission-control serve`."""

    process: asyncio.subprocess.Process
    url: str
    log: Path
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {TOKEN}"})

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=PATIENCE, **options)

    async def told(self, words: str, times: int = 1) -> None:
        """Wait until a server of `TELLING` has written that so often, such as `waits at inbox:`."""
        async with asyncio.timeout(PATIENCE):
            while self.log.read_text().count(f"\n{words}") < times:
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End the process without any warning."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self, within: float = PATIENCE) -> int:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            return await self.process.wait()

    def resident_mib(self) -> float:
        [line] = [
            text
            for text in Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            if text.startswith("VmRSS:")
        ]
        return int(line.split()[1]) / 1024


@dataclass
class Installation:
    """A folder with a database of its own, on the kind of database under test."""

    folder: Path
    database_url: str
    starts: int = 0
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def sqlite_file(self) -> Path | None:
        return Path(self.database_url.removeprefix("sqlite:///")) if self.database_url.startswith("sqlite") else None

    def environment(self, **more: str) -> dict[str, str]:
        """An environment in which only these settings are set."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self.database_url,
            "LOCAL_AUTH_TOKEN": TOKEN,
            "REQUEST_LOG_SLOW_MS": "0",
            "AGENT_REQUESTS_PER_MINUTE": "0",
            "PERSON_REQUESTS_PER_MINUTE": "0",
            "LOG_LEVEL": "WARNING",
            "GATEWAYS_ALLOW_PRIVATE": "true",  # the cast has two organizations, and gateways on this machine
            **self.settings,
            **more,
        }

    async def run(self, *arguments: str, typed: str = "", **more: str) -> tuple[int | None, str]:
        """Run a command to its end; its exit code and everything printed."""
        if arguments[0] in QUICK:
            return await command_line.run(arguments, self.environment(**more), self.folder, typed)
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=self.environment(**more),
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate(typed.encode())
        return process.returncode, printed.decode()

    async def command(self, *arguments: str, typed: str = "", **more: str) -> str:
        """Run a command that must succeed; what it printed."""
        code, printed = await self.run(*arguments, typed=typed, **more)
        assert code == 0, printed
        return printed

    async def start(
        self, *options: str, port: int = 0, program: tuple[str, ...] = COMMAND, waits_for: str = "/readyz", **more: str
    ) -> Server:
        """Start a server and wait until it answers; `program` is what takes the place of `mission-control`."""
        self.starts += 1
        log = self.folder / f"server-{self.starts}.log"
        with log.open("wb") as opened:
            process = await asyncio.create_subprocess_exec(
                *program, "serve", "--port", str(port), *options,
                env=self.environment(**more), cwd=self.folder, stdout=opened, stderr=opened,
            )  # fmt: skip
        server = Server(process, "", log)
        try:
            server.url = await _address(server)
            await _answers(server, waits_for)
        except BaseException:
            await server.kill()
            raise
        return server

    @asynccontextmanager
    async def served(self, *options: str, **more: Any) -> AsyncIterator[Server]:
        """A server, stopped afterwards."""
        server = await self.start(*options, **more)
        try:
            yield server
        finally:
            try:
                await server.stop()
            finally:
                await server.kill()


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """A new installation whose database is migrated, gone afterwards."""
    async with migrated_database(folder) as url:
        yield Installation(folder, url)


async def _address(server: Server) -> str:
    async with asyncio.timeout(PATIENCE):
        while not (found := re.search(r"https?://[\w.]+:\d+", server.log.read_text())):
            assert server.process.returncode is None, server.log.read_text()
            await asyncio.sleep(0.02)
    return found[0]


async def _answers(server: Server, path: str) -> None:
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                if (await client.get(f"{server.url}{path}")).status_code == 200:
                    return
            await asyncio.sleep(0.02)


@dataclass
class Message:
    id: int | None
    event: str
    data: str


async def messages(response: httpx.Response) -> AsyncIterator[Message]:
    """The messages of a stream as they come; comments are left out."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif line == "" and fields:
            if "data" in fields:
                number = fields.get("id")
                yield Message(int(number) if number else None, fields.get("event", ""), fields["data"])
            fields = {}


class Follower:
    """Somebody who follows a stream, resumes where it was cut, and remembers every message."""

    def __init__(self, url: str, path: str, after: int) -> None:
        self.url, self.path, self.last = url, path, after
        self.seen: list[Message] = []
        self.connected = asyncio.Event()
        self.cuts = 0
        self.refused: list[int] = []
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client:
            while True:
                with suppress(httpx.TransportError):
                    await self._read(client)
                self.connected.clear()
                self.cuts += 1
                await asyncio.sleep(0.1)

    async def _read(self, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", self.url + self.path, headers={"Last-Event-ID": str(self.last)}) as response:
            if response.status_code != 200:
                self.refused.append(response.status_code)
                return
            self.connected.set()
            async for message in messages(response):
                self.seen.append(message)
                self.last = message.id or self.last

    @property
    def ids(self) -> list[int]:
        """The numbers of all messages, in the order in which they came."""
        return [message.id for message in self.seen if message.id is not None]

    async def until(self, seq: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.last < seq:
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
