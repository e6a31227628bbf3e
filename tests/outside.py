"""The outside world, small and local: a souls directory and an agent's server on the loopback, skills in a folder."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from quart import Quart

from mission_control.agents.souls.directory import EXTENSION
from tests.channels.one_channel import a_chat
from tests.settings import having


@dataclass
class Directory:
    """A souls directory on the loopback whose pages a test writes."""

    url: str = ""
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pause: float = 0.0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.asked.append(path)
        await asyncio.sleep(self.pause)
        status, text = self.pages.get(path, (404, "nothing"))
        body = text.encode()
        head = f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    def lists(self, *paths: str, prefix: str = "") -> None:
        entries = "".join(f"<{prefix}url><{prefix}loc>{self.url}{path}</{prefix}loc></{prefix}url>" for path in paths)
        self.pages["/sitemap.xml"] = (200, f"<{prefix}urlset>{entries}</{prefix}urlset>")


@asynccontextmanager
async def souls_directory(app: Quart) -> AsyncIterator[Directory]:
    directory = Directory()
    server = await asyncio.start_server(directory.handle, "127.0.0.1", 0)
    async with server:
        directory.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with having(app, souls_directory_url=directory.url, outbound_allow_private=True):
            app.extensions.pop(EXTENSION, None)
            yield directory
    app.extensions.pop(EXTENSION, None)


OK = "200 OK"


@dataclass
class Receiver:
    """An agent's server on the loopback. It keeps what it got, and answers what a test says, else 200."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers | {"": lines[0]}, body))
        await self.gate.wait()
        status = self.answers.pop(0) if self.answers else OK
        more = "Location: /elsewhere\r\n" if status.startswith("3") else ""
        writer.write(f"HTTP/1.1 {status}\r\n{more}Content-Length: 5000000\r\nConnection: close\r\n\r\nno".encode())
        writer.close()

    @property
    def items(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, body in self.got]


@asynccontextmanager
async def listening(path: str = "/hook") -> AsyncIterator[Receiver]:
    """Run a receiver that accepts everything, on a port of its own."""
    found = Receiver()
    found.gate.set()
    server = await asyncio.start_server(found.handle, "127.0.0.1", 0)
    async with server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
        yield found
        found.gate.set()


@asynccontextmanager
async def a_receiver(app: Quart, path: str = "/hook") -> AsyncIterator[Receiver]:
    """Let the installation reach a receiver that accepts everything."""
    async with listening(path) as found:
        with having(app, outbound_allow_private=True):
            yield found


def git(folder: Path, *arguments: str) -> None:
    """Run git as Ada, whatever this machine's configuration is."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, capture_output=True, env=environment)


def repository_of_skills(folder: Path) -> None:
    """Create `observatory/skills` with one skill in a folder that mirrors GitHub."""
    repository = folder / "mirror" / "observatory" / "skills"
    (repository / "star").mkdir(parents=True)
    (repository / "star" / "SKILL.md").write_text("---\nname: Star gazer\ndescription: Looks up\n---\n")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=star")


@contextmanager
def skill_repository(app: Quart, folder: Path) -> Iterator[None]:
    """Let the installation clone `observatory/skills` from a folder that mirrors GitHub."""
    repository_of_skills(folder)
    with having(app, skills_git_base_url=f"file://{folder / 'mirror'}"):
        yield


@asynccontextmanager
async def outside(app: Quart, path: str, folder: Path) -> AsyncIterator[None]:
    """Yield what the operation at a path needs outside, if anything."""
    async with AsyncExitStack() as stack:
        if "/souls-directory/" in path:
            directory = await stack.enter_async_context(souls_directory(app))
            directory.lists("/souls/ada/night-owl")
            directory.pages["/api/souls/ada/night-owl.md"] = (200, "# Night owl")
        if "/channels" in path or "/reach" in path:
            stack.enter_context(a_chat())
        if path.endswith("/sync"):
            stack.enter_context(skill_repository(app, folder))
        yield
