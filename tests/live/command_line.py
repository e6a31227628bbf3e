"""One process that runs many commands: starting a process for each would take most of the time of their tests.

`tests/server/test_serve.py` runs each command in a process of its own, as people do.
"""

import asyncio
import atexit
import io
import json
import os
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

QUICK = {"user", "token", "audit", "backup", "restore", "migrate", "doctor", "gateway", "move"}
ROOT = Path(__file__).parents[2]


class CommandLine:
    """The process, started at its first command."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()

    async def run(
        self, arguments: tuple[str, ...], environment: dict[str, str], folder: Path, typed: str
    ) -> tuple[int, str]:
        """Run a command to its end; its exit code and everything printed."""
        asked = json.dumps([arguments, environment, str(folder), typed])
        code, printed = json.loads(await asyncio.to_thread(self._ask, asked))
        return code, printed

    def _ask(self, asked: str) -> str:
        with self._one_at_a_time:
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            assert self._process.stdin is not None and self._process.stdout is not None
            self._process.stdin.write(asked + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()

    def _started(self) -> "subprocess.Popen[str]":
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.live.command_line"]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

        def end() -> None:
            with process:
                process.kill()

        atexit.register(end)
        return process


command_line = CommandLine()


def run_here(arguments: list[str], environment: dict[str, str], folder: str, typed: str) -> tuple[int, str]:
    """Run a command in this process; its exit code and everything printed."""
    from tortoise.backends.base.executor import EXECUTOR_CACHE

    from mission_control.cli import main

    EXECUTOR_CACHE.clear()  # it has statements of the kind of database of the command before
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["mission-control", *arguments]
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed.encode()))
    printed = io.TextIOWrapper(io.BytesIO(), write_through=True)
    code: int | str | None = 0
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    printed.seek(0)
    return (code if isinstance(code, int) else int(code is not None)), printed.read()


if __name__ == "__main__":
    questions, answers = sys.stdin, sys.stdout
    for line in questions:
        print(json.dumps(run_here(*json.loads(line))), file=answers, flush=True)
