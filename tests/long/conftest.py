"""Long forms run by `make long` only; SEED in the environment repeats a run, ROUNDS makes it longer."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.live.servers import ROOT
from tests.node_packages import installed, node_program

collect_ignore_glob = [] if os.environ.get("LONG") else ["test_*.py"]


@pytest.fixture
def seed() -> int:
    """The seed of this run; it is printed, so that a failure can be repeated."""
    chosen = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"SEED={chosen}")
    return chosen


@pytest.fixture
def rounds() -> int:
    """How often a play is repeated."""
    return int(os.environ.get("ROUNDS") or 10)


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the clients' programs."""
    folder = installed(ROOT / "tests" / "mcp" / "cli")
    claude = folder / "node_modules" / "@anthropic-ai" / "claude-code"
    subprocess.run((node_program(folder), "install.cjs"), cwd=claude, check=True, capture_output=True)  # its binary
    found = folder / "node_modules" / ".bin"
    for opencode in folder.glob("node_modules/opencode-linux-*/bin/opencode"):
        (found / "opencode").unlink(missing_ok=True)
        (found / "opencode").symlink_to(opencode)
    return found
