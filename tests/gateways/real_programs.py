"""Real OpenClaw gateways and their Node, installed from npm once and kept in the user's cache (850 MB each).

`python -m tests.gateways.real_programs` installs them; exit code 69 says that they cannot be had, and why.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.node_packages import CACHE, CannotInstall, install, node_program

NEWEST, OLD = (Path(__file__).parent / name for name in ("real_gateway", "old_gateway"))
CANNOT_BE_HAD = 69


@dataclass(frozen=True)
class Programs:
    """What starts a gateway."""

    node: Path
    entry: Path
    temporary: Path  # shared by all starts: Node keeps compiled code there


def programs(source: Path = NEWEST) -> Programs:
    """Return the installed programs of a gateway. Raises CannotInstall."""
    folder = install(source, into=CACHE)
    node = node_program(folder)
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as problem:
        raise CannotInstall(f"Node does not run: {problem}") from None
    if int(version.removeprefix("v").split(".")[0]) < 24:
        raise CannotInstall(f"OpenClaw needs Node 24, here is {version}")
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return Programs(node, folder / "node_modules" / "openclaw" / "openclaw.mjs", temporary)


if __name__ == "__main__":
    try:
        programs()
    except CannotInstall as reason:
        print(f"The real OpenClaw gateway cannot be installed: {reason}", file=sys.stderr)
        sys.exit(CANNOT_BE_HAD)
