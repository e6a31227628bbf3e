"""Where clients are generated: the locked generators, installed once, and a folder for each client."""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers import PATIENCE
from tests.node_packages import Installer, must

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Workshop:
    """A folder with `node_modules` and a virtual environment, named after what is locked."""

    folder: Path

    def place(self, name: str) -> Path:
        """An empty folder inside, from which Node finds the modules."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    async def run(self, cwd: Path, *command: str, **environment: str) -> str:
        """Run a command that must succeed, with the installed programs first; what it printed."""
        paths = (self.folder / "venv" / "bin", self.folder / "node_modules" / ".bin", os.environ["PATH"])
        known = {"PATH": os.pathsep.join(map(str, paths)), "HOME": str(self.folder), "NO_COLOR": "1", **QUIET}
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, env=known | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
        assert process.returncode == 0, f"{' '.join(command)}\n{printed.decode()}"
        return printed.decode()


# Nothing calls home.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "SCARF_ANALYTICS": "false"}


def workshop(npm: Installer) -> Workshop:
    """Return the installed generators: those of npm and, in a virtual environment, those of PyPI."""
    return Workshop(npm(HERE, "requirements.txt", then=_install_python_packages))


def _install_python_packages(folder: Path) -> None:
    locked = ("--quiet", "--require-hashes", "--requirement", "requirements.txt")
    python = str(folder / "venv" / "bin" / "python")
    if shutil.which("uv"):
        must(folder, "uv", "venv", "--quiet", "--clear", "--python", sys.executable, "venv")
        must(folder, "uv", "pip", "install", "--python", python, *locked)
    else:
        must(folder, sys.executable, "-m", "venv", "--clear", "venv")
        must(folder, python, "-m", "pip", "install", "--disable-pip-version-check", *locked)
