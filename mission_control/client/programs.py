"""Run the programs that are connected."""

from __future__ import annotations

import json
import os
import subprocess

from mission_control.client.printing import plain
from mission_control.client.problems import Problem

SECONDS = 300.0  # a turn on a busy machine


class Turn:
    """What a program said about a turn: its session, and how it found the tools of the board, if it tells."""

    def __init__(self) -> None:
        self.session, self.tools, self.trouble = "", "", ""


def answer_of(command: str, typed: str) -> str | None:
    """Return what a command for the shell prints, None when that is no JSON or it fails."""
    pipe = subprocess.PIPE
    try:
        done = subprocess.run(
            command, shell=True, input=typed.encode(), stdout=pipe, stderr=pipe, timeout=SECONDS, check=False
        )
        json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode() if done.returncode == 0 else None


def run(
    program: str, arguments: list[str], folder: str | None = None, more: dict[str, str] | None = None
) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            [program, *arguments], cwd=folder or os.sep, env={**os.environ, **(more or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{os.path.basename(program)} did not end well: {plain(error)}", "program_failed") from error
    return done.returncode == 0, plain(done.stdout.decode("utf-8", "replace")).strip()
