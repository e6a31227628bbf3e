"""A real OpenClaw gateway for tests, with a scripted model: one for a whole run.

Tests with the marker `gateway` use the fixture `real_gateway`. They name what they make after themselves, because they
share the gateway, and script their own agents only.
"""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.gateways.fake_model import FakeModel
from tests.gateways.real_programs import Programs

START_SECONDS = 120.0
STOP_SECONDS = 30.0
QUIET = {
    "OPENCLAW_NO_AUTO_UPDATE": "1", "OPENCLAW_DISABLE_BONJOUR": "1", "OPENCLAW_NO_RESPAWN": "1",
    "OPENCLAW_EXEC_SHELL_SNAPSHOT": "0", "OPENCLAW_SKIP_CHANNELS": "1", "TZ": "UTC", "LANG": "C.UTF-8",
}  # fmt: skip


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RealGateway:
    """A gateway in a process of its own, on loopback, with a folder of its own."""

    def __init__(self, programs: Programs, folder: Path, model: FakeModel, *, is_old: bool = False) -> None:
        self.folder = folder
        self.model = model
        self.port = free_port()
        self.token = "a-shared-token-of-a-real-gateway-0123456789"
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = folder / "openclaw.json"
        for name in ("home", "state", "workspace"):
            (folder / name).mkdir(parents=True)
        initial = self._initial()
        if is_old:
            _without_newer_keys(initial)
        self._configuration.write_text(json.dumps(initial, indent=2))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def workspaces(self) -> Path:
        """Where agents may have their workspaces."""
        return self.folder / "workspace"

    def start(self) -> None:
        """Start the gateway and wait until it is ready."""
        with (self.folder / "gateway.out").open("ab") as out:
            self._process = subprocess.Popen(
                [self._programs.node, self._programs.entry, "gateway", "run", "--port", str(self.port)],
                cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError, URLError, ValueError):
                with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                    if json.load(answer).get("ready") is True:
                        return
            time.sleep(0.1)
        said = (self.folder / "gateway.out").read_text()[-3000:]
        self.stop()
        raise AssertionError(f"the gateway did not become ready:\n{said}")

    def stop(self, *, is_killed: bool = False) -> None:
        """End the gateway and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        (process.kill if is_killed else process.terminate)()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    async def command(self, *words: str, at_terminal: bool = False) -> str:
        """Run `openclaw ...` as its owner does on the gateway's host."""
        run = [str(self._programs.node), str(self._programs.entry), *words]
        process = await asyncio.create_subprocess_exec(
            *(["script", "-qec", shlex.join(run), "/dev/null"] if at_terminal else run),
            cwd=self.folder, env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(START_SECONDS):
            printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    def _environment(self) -> dict[str, str]:
        return {
            **QUIET, "PATH": os.pathsep.join((str(self._programs.node.parent), "/usr/local/bin", "/usr/bin", "/bin")),
            "HOME": str(self.folder / "home"), "TMPDIR": str(self._programs.temporary),
            "OPENCLAW_STATE_DIR": str(self.folder / "state"), "OPENCLAW_CONFIG_PATH": str(self._configuration),
        }  # fmt: skip

    def _initial(self) -> dict[str, Any]:
        model = {
            "id": "fake-1", "name": "Fake 1", "reasoning": False, "input": ["text"], "contextWindow": 128000,
            "maxTokens": 4096, "cost": {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0},
        }  # fmt: skip
        fake = {"baseUrl": self.model.url, "apiKey": "none", "api": "openai-completions", "models": [model]}
        return {
            "gateway": {
                "mode": "local", "port": self.port, "bind": "loopback", "trustedProxies": ["127.0.0.1"],
                "auth": {"mode": "token", "token": self.token}, "controlUi": {"enabled": False},
                "terminal": {"enabled": False}, "tailscale": {"mode": "off"},
            },
            "update": {"checkOnStart": False},
            "telemetry": {"enabled": False},
            "discovery": {"mdns": {"mode": "off"}},
            "logging": {"file": str(self.folder / "gateway.log.jsonl"), "level": "info", "consoleLevel": "info"},
            "models": {"catalogRefresh": {"enabled": False}, "mode": "replace", "providers": {"fake": fake}},
            "browser": {"enabled": False},
            "tools": {"exec": {"host": "gateway", "mode": "full", "notifyOnExit": False}},
            "agents": {
                "defaults": {
                    "workspace": str(self.workspaces / "main"), "skipBootstrap": True, "sandbox": {"mode": "off"},
                    "heartbeat": {"every": "0m"}, "model": {"primary": "fake/fake-1"},
                },
            },
        }  # fmt: skip


@contextlib.contextmanager
def started(programs: Programs, folder: Path, *, is_old: bool = False) -> Iterator[RealGateway]:
    """Run a gateway with a scripted model."""
    with FakeModel() as model:
        gateway = RealGateway(programs, folder, model, is_old=is_old)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _without_newer_keys(configuration: dict[str, Any]) -> None:
    """Take out what a gateway of March 2026 refuses to start with, and what makes all clients remote."""
    del configuration["telemetry"], configuration["gateway"]["terminal"], configuration["models"]["catalogRefresh"]
    del configuration["gateway"]["trustedProxies"]
    configuration["tools"]["exec"] = {"host": "gateway", "security": "full", "ask": "off"}


@asynccontextmanager
async def from_elsewhere(gateway: RealGateway) -> AsyncIterator[str]:
    """The address of a proxy, through which the gateway sees clients of another machine: those have to be paired."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        inner_writer.write(head.replace(b"\r\n", b"\r\nX-Forwarded-For: 203.0.113.9\r\n", 1))
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close_clients()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
