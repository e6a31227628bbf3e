"""Claude Code at a terminal, with somebody at its keyboard."""

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.live.servers import PATIENCE
from tests.mcp.node_clients import QUIET_CLAUDE
from tests.programs.connected import SECRET, Person

KEY = "none-of-a-provider-at-all"


@dataclass
class Keyboard:
    """The terminal: what it showed, and keys to press."""

    terminal: int
    shown: bytearray = field(default_factory=bytearray)

    async def shows(self, words: str) -> None:
        """Wait until words were on the screen."""
        async with asyncio.timeout(PATIENCE):
            while words.encode() not in self.shown:
                await asyncio.sleep(0.1)

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())


@asynccontextmanager
async def keyboard(programs: Path, made: Person, url: str) -> AsyncIterator[Keyboard]:
    """Claude Code of somebody who has used it before, at work, and killed at last."""
    path = made.home / ".claude.json"
    known = orjson.loads(path.read_bytes())
    known |= {"hasCompletedOnboarding": True, "customApiKeyResponses": {"approved": [KEY[-20:]]}}
    known.setdefault("projects", {}).setdefault(str(made.home), {})["hasTrustDialogAccepted"] = True
    path.write_bytes(orjson.dumps(known))
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**made.terminal.environment, "HOME": str(made.home), "TERM": "xterm-256color", **QUIET_CLAUDE}
    environment |= {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY}
    process = await asyncio.create_subprocess_exec(
        *(programs / "claude", "--permission-mode", "default", f"Work with {SECRET}."),
        cwd=made.home, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    keys = Keyboard(ours)
    asyncio.get_running_loop().add_reader(ours, lambda: keys.shown.extend(os.read(ours, 65536)))
    try:
        yield keys
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        process.kill()
        await process.wait()
        os.close(ours)
        os.close(theirs)
