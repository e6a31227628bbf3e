"""Where clients are generated: the locked generators, installed once, and a folder for each client."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers import PATIENCE, ROOT

HERE = Path(__file__).parent
LOCKS = ("package-lock.json", "package.json", "requirements.txt")
IN_CI = os.environ.get("CI") == "true"


class CannotInstall(Exception):
    """The generators could not be installed; the message says why."""


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


def workshop() -> Workshop:
    """Install the generators unless that was done; CannotInstall without npm or without its registry."""
    if shutil.which("npm") is None:
        raise CannotInstall("npm is not installed")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCKS)).hexdigest()[:12]
    made = Workshop(ROOT / "build" / "clients" / digest)
    made.folder.mkdir(parents=True, exist_ok=True)
    with _locked(made.folder / "lock"):
        installed = made.folder / "installed"
        if not installed.exists():
            _install(made.folder)
            installed.touch()
    return made


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(folder: Path) -> None:
    for name in LOCKS:
        shutil.copy(HERE / name, folder)
    _must(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    pip = "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", "requirements.txt"
    if uv := shutil.which("uv"):
        _must(folder, uv, "venv", "--quiet", "--clear", "--python", sys.executable, "venv")
        python = str(folder / "venv" / "bin" / "python")
        _must(folder, uv, "pip", "install", "--quiet", "--python", python, *pip[-3:])
    else:
        _must(folder, sys.executable, "-m", "venv", "--clear", "venv")
        _must(folder, str(folder / "venv" / "bin" / "python"), *pip)


def _must(folder: Path, *command: str) -> None:
    ran = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | QUIET,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise CannotInstall(f"{' '.join(command[:3])} failed:\n{(ran.stdout + ran.stderr)[-2000:]}")
