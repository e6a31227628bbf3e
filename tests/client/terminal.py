"""A terminal with a home of its own, in which the program lies as it was fetched."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mission_control.api_docs.client_pages import program
from tests.live.servers import PATIENCE

WITH_CLOCK = str(Path(__file__).with_name("with_clock.py"))


@dataclass
class Printed:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer that it printed with --json."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Where somebody types commands."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    has_own_clock: bool = False  # it waits as it does for people, else by the clock of `with_clock.py`

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.program = self.folder / "client.pyz"

    @property
    def config(self) -> Path:
        """The folder of the tokens."""
        return self.folder / ".config" / "mission-control"

    def fetch(self, base: str) -> None:
        """Have the program as a server at this address sends it."""
        self.program.write_bytes(program(base))
        self.program.chmod(0o700)

    async def start(self, *arguments: str, **more: str) -> asyncio.subprocess.Process:
        """Begin a command."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment, **more}
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            self.python, *([] if self.has_own_clock else [WITH_CLOCK]), str(self.program), *arguments,
            env=environment, cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=_hear_ctrl_c,
        )  # fmt: skip

    async def run(self, *arguments: str, typed: str | bytes = "", **more: str) -> Printed:
        """Run a command to its end. No traceback, whatever happens."""
        process = await self.start(*arguments, **more)
        return await ended(process, typed)

    async def done(self, *arguments: str, typed: str = "", **more: str) -> str:
        """What a command prints that must succeed, and has no news."""
        printed = await self.run(*arguments, typed=typed, **more)
        assert (printed.code, printed.err) == (0, ""), printed
        return printed.out


def _hear_ctrl_c() -> None:
    """Tests that a shell runs in the background ignore it, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def ended(process: asyncio.subprocess.Process, typed: str | bytes = "") -> Printed:
    """What a command printed until its end."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(typed.encode() if isinstance(typed, str) else typed)
    assert process.returncode is not None
    printed = Printed(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in printed.err, printed.err
    return printed
