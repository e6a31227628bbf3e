"""The outside world, small and local: a souls directory on the loopback, and a repository of skills in a folder."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from quart import Quart

from mission_control.souls.api import EXTENSION


@dataclass
class Directory:
    """A directory on the loopback whose pages a test writes."""

    url: str = ""
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pause: float = 0.0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request with the page at its path."""
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
        """Write the index."""
        entries = "".join(f"<{prefix}url><{prefix}loc>{self.url}{path}</{prefix}loc></{prefix}url>" for path in paths)
        self.pages["/sitemap.xml"] = (200, f"<{prefix}urlset>{entries}</{prefix}urlset>")


@asynccontextmanager
async def souls_directory(app: Quart) -> AsyncIterator[Directory]:
    """An installation that reads an empty directory of its own."""
    directory = Directory()
    before = app.config["SETTINGS"]
    server = await asyncio.start_server(directory.handle, "127.0.0.1", 0)
    async with server:
        directory.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        app.config["SETTINGS"] = replace(before, souls_directory_url=directory.url, outbound_allow_private=True)
        app.extensions.pop(EXTENSION, None)
        yield directory
    app.config["SETTINGS"] = before
    app.extensions.pop(EXTENSION, None)


def git(folder: Path, *arguments: str) -> None:
    """Run git as Ada, whatever this machine's configuration is."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, capture_output=True, env=environment)


def repository_of_skills(folder: Path) -> None:
    """Make `observatory/skills`, which has one skill, in a mirror in a folder."""
    repository = folder / "mirror" / "observatory" / "skills"
    (repository / "star").mkdir(parents=True)
    (repository / "star" / "SKILL.md").write_text("---\nname: Star gazer\ndescription: Looks up\n---\n")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=star")


@contextmanager
def skill_repository(app: Quart, folder: Path) -> Iterator[None]:
    """An installation that clones `observatory/skills` from a mirror in a folder."""
    repository_of_skills(folder)
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, skills_git_base_url=f"file://{folder / 'mirror'}")
    yield
    app.config["SETTINGS"] = before


@asynccontextmanager
async def outside(app: Quart, path: str, folder: Path) -> AsyncIterator[None]:
    """What the operation at a path reaches for outside, if anything."""
    async with AsyncExitStack() as stack:
        if "/souls-directory/" in path:
            directory = await stack.enter_async_context(souls_directory(app))
            directory.lists("/souls/ada/night-owl")
            directory.pages["/api/souls/ada/night-owl.md"] = (200, "# Night owl")
        if path.endswith("/sync"):
            stack.enter_context(skill_repository(app, folder))
        yield
