"""Packages of npm that tests need: fetched once, kept for later runs, shared by all workers of a run."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

LOCKED = ("package.json", "package-lock.json")


def installed(source: Path, *programs: str, needs: Iterable[str] = ("node", "npm")) -> Path:
    """Return a folder with copies of `programs` and everything that the package-lock.json in `source` names.

    Skips the test where a program is missing or npm cannot install.
    """
    for program in needs:
        if shutil.which(program) is None:
            pytest.skip(f"this test needs {program}, which is not installed")
    names = (*LOCKED, *programs)
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in names)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"mission-control-{source.name}-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(source, folder, names)
            (folder / "installed").touch()
    return folder


def _install(source: Path, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        shutil.copy(source / name, folder / name)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot install what {source.name} needs: {done.stderr.strip()[-300:]}")
