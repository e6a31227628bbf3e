"""A command of a task: it ends with this process, and the end of what it prints is kept."""

from __future__ import annotations

import threading

from mission_control.client.printing import plain
from mission_control.client.work import acp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

TOO_LONG = 124  # as `timeout` has it
LONGEST_OUTPUT = 200_000
LAST_SECONDS = 2.0  # for what was printed by others than the command itself


class Command:
    """A command that runs. Its mark is not that of the agent, which goes on when it ends."""

    def __init__(self, words: list[str], folder: str, environment: dict[str, str], run: str) -> None:
        self._printed, self._writing = b"", threading.Lock()
        self.process, self._lifeline = acp.start(words, folder, environment, f"{run}.command")
        typed, *printed = self.process.stdin, self.process.stdout, self.process.stderr
        assert typed is not None
        typed.close()
        self._reading = [threading.Thread(target=self._read, args=(pipe,), daemon=True) for pipe in printed]
        for thread in self._reading:
            thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        for part in iter(lambda: pipe.read1(65536), b""):  # type: ignore[attr-defined]
            with self._writing:
                self._printed = (self._printed + part)[-2 * LONGEST_OUTPUT :]

    def is_over(self) -> bool:
        if self.process.poll() is None:
            return False
        for thread in self._reading:
            thread.join(LAST_SECONDS)
        return True

    def output(self) -> str:
        return plain(self._printed.decode("utf-8", "replace"))[-LONGEST_OUTPUT:]

    def end(self) -> None:
        acp.end(self.process, self._lifeline, 0.0)
