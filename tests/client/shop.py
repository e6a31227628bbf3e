"""A repository in which a worker does the tasks of a board, by a program of the tests."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.client.terminal import Terminal
from tests.live.crew import Crew
from tests.live.servers import API, PATIENCE

AGENT = f"{sys.executable} {Path(__file__).with_name('acp_agent.py')}"


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Mara", "-c", "user.email=mara@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@dataclass
class Shop:
    """A repository, and the worker that works there for Vega."""

    made: Crew
    terminal: Terminal
    top: Path
    kept: Path

    @property
    def work(self) -> list[str]:
        return ["work", "--agent", AGENT, "--acp", "--repository", str(self.top)]

    async def task(self, text: str = "", **fields: Any) -> str:
        return await self.made.add_task(fields.pop("title", "Mend the lock"), description=text, **fields)

    def check_by(self, command: str) -> None:
        """Have the repository say how work in it is checked."""
        (self.top / "WORKFLOW.md").write_text(f"---\ncheck: {command}\n---\n")
        git(self.top, "commit", "--quiet", "--all", "-m", "Check")

    async def once(self, *more: str, code: int = 0) -> str:
        """What a worker says that takes one task."""
        printed = await self.terminal.run(*self.work, "--once", *more)
        assert printed.code == code, printed.err
        return printed.err

    async def review(self, task: str, **said: Any) -> None:
        await self.made.ask("POST", f"{self.made.tasks}/{task}/reviews", said)

    async def runs(self, task: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.made.ask("GET", f"{self.made.tasks}/{task}/runs"))["items"]
        return found

    async def session(self) -> dict[str, Any]:
        """The session, once it rests: its last words are written a moment after they were taken."""

        async def resting() -> dict[str, Any]:
            [found] = (await self.made.ask("GET", f"{API}/boards/{self.made.board_id}/sessions"))["items"]
            return {} if found["state"] == "working" else dict(found)

        return await until(resting)

    def prompts(self) -> list[str]:
        return [json.loads(line) for line in (self.kept / "prompts").read_text().splitlines()]

    def states(self) -> Path:
        [folder] = (self.terminal.folder / ".local/state/mission-control/work").iterdir()
        return folder

    def trees(self) -> list[Path]:
        return [one / "tree" for one in self.states().iterdir() if (one / "tree").is_dir()]

    def left(self) -> list[str]:
        """What still runs of the worker's programs."""
        mark, found = str(self.kept).encode(), []
        for one in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (one / "environ").read_bytes():
                    found.append((one / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


def shop_in(folder: Path, made: Crew) -> Shop:
    """A repository in a folder, with Vega's worker."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed: apt install git")
    top, kept = folder / "shop", folder / "sessions"
    kept.mkdir(parents=True)
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "WORKFLOW.md").write_text("---\nsetup: touch .ready\ncheck: test -s work.txt\n---\nBe brief.\n")
    (top / "AGENTS.md").write_text("Write tests.\n")
    (top / ".gitignore").write_text(".ready\n")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Begin")
    names = {"MISSION_CONTROL_URL": made.server.url, "MISSION_CONTROL_TOKEN": made.vega.token}
    vega = Terminal(folder / "vega", {**names, "ACP_SESSIONS": str(kept), "IS_SANDBOX": "1"})
    vega.fetch(made.server.url)
    return Shop(made, vega, top, kept)


async def until[T](found: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(PATIENCE):
        while not (one := await found()):
            await asyncio.sleep(0.1)
    return one
