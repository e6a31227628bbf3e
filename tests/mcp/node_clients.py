"""Clients of MCP that others wrote, from npm, driven over their standard input."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson

from tests.mcp.fake_model import FINISHED
from tests.node_packages import Installer, node_program

SOURCE = Path(__file__).parent / "node"
PATIENCE = 120
LIBRARIES = ("sdk", "client-legacy", "client-modern")


def clients(npm: Installer) -> Path:
    """Return the folder of the installed clients and of the programs that drive them."""
    return npm(SOURCE, "driver.mjs", "with_token.mjs")


class Driver:
    """A client of the TypeScript SDK in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.complaints: list[str] = []
        self._process = process
        self._answers: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self._key = 0
        self._reading = asyncio.create_task(self._read())

    async def tools(self) -> set[str]:
        """The tools that are shown; from now on the client holds answers against their schemas."""
        return set((await asyncio.wait_for(self._ask({"do": "tools"}, None), PATIENCE))["names"])

    def begin(self, tool: str, timeout: float | None = None, **arguments: Any) -> "asyncio.Future[dict[str, Any]]":
        """Begin a call; its key is the future's `key`."""
        self._key += 1
        asked = {"do": "call", "key": self._key, "tool": tool, "arguments": arguments}
        return self._ask(asked | ({"timeout": timeout * 1000} if timeout else {}), self._key)

    async def ok(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that must succeed; its structured content."""
        answer = await asyncio.wait_for(self.begin(tool, **arguments), PATIENCE)
        assert "error" not in answer, answer
        assert not answer["result"].get("isError"), answer
        return answer["result"]["structuredContent"]

    def abort(self) -> None:
        """Abort the last call."""
        self._send({"do": "abort", "key": self._key})

    def kill(self) -> None:
        """End the process without any warning."""
        self._process.kill()

    def _ask(self, asked: dict[str, Any], key: Any) -> "asyncio.Future[dict[str, Any]]":
        self._answers[key] = answer = asyncio.get_running_loop().create_future()
        self._send(asked)
        return answer

    def _send(self, asked: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(asked) + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = orjson.loads(line)
            if "complaint" in said:
                self.complaints.append(said["complaint"])
            elif said["do"] != "abort":
                self._answers.pop(said.get("key")).set_result(said)


@contextlib.asynccontextmanager
async def driven(folder: Path, library: str, url: str, token: str) -> AsyncIterator[Driver]:
    """A client that is connected."""
    process = await asyncio.create_subprocess_exec(
        node_program(folder),
        "driver.mjs",
        library,
        f"{url}/mcp",
        token,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=10_000_000,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert orjson.loads(await process.stdout.readline() or b"{}").get("ready") == "mission-control"
        yield Driver(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run(folder: Path, program: str, *arguments: str, home: Path) -> tuple[int, str, str]:
    """Run a program of a package to its end: its exit code, what it printed, and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        node_program(folder),
        f"node_modules/.bin/{program}",
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            printed, complained = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return process.returncode or 0, printed.decode(), complained.decode()


@contextlib.asynccontextmanager
async def with_token(folder: Path, url: str, token: str) -> AsyncIterator[str]:
    """The address of a proxy on loopback that adds a token, for clients that cannot send one."""
    process = await asyncio.create_subprocess_exec(
        node_program(folder), "with_token.mjs", url, token, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            yield (await process.stdout.readline()).decode().strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# Claude Code asks nobody but the model.
QUIET_CLAUDE = {
    "ANTHROPIC_API_KEY": "none",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "ENABLE_TOOL_SEARCH": "false",
}


async def finish(program: Path, *command: str, home: Path, environment: dict[str, str]) -> None:
    """Let a command line client work until its model says that it has finished."""
    process = await asyncio.create_subprocess_exec(
        program, *command, cwd=home, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            printed, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0 and FINISHED in printed.decode(), printed.decode() + complained.decode()
