"""The programs that people run (Claude Code and others) from npm, kept in the user's cache: 1 GB.

`package.json` beside this is the one place where their versions stand. `python -m tests.programs.installing` installs
them; exit code 69 says that they cannot be had, and why.
"""

import os
import sys
from pathlib import Path

from tests.node_packages import CACHE, CannotInstall, install, must, node_program

SOURCE = Path(__file__).parent
CANNOT_BE_HAD = 69
FOLDER = "PROGRAMS"  # names other ones, see drift.py


def programs() -> Path:
    """Return the folder with the programs. Raises CannotInstall."""
    if folder := os.environ.get(FOLDER):
        return Path(folder)
    return install(SOURCE, then=with_own_parts, into=CACHE) / "node_modules" / ".bin"


def with_own_parts(folder: Path) -> None:
    """Let Claude Code take its binary, which no script of npm may fetch here, and put opencode beside the others."""
    packages = folder / "node_modules"
    must(packages / "@anthropic-ai" / "claude-code", str(node_program(folder)), "install.cjs")
    for opencode in packages.glob("opencode-linux-*/bin/opencode"):
        (packages / ".bin" / "opencode").unlink(missing_ok=True)
        (packages / ".bin" / "opencode").symlink_to(opencode)


if __name__ == "__main__":
    try:
        programs()
    except CannotInstall as reason:
        print(f"The programs that people run cannot be installed: {reason}", file=sys.stderr)
        sys.exit(CANNOT_BE_HAD)
