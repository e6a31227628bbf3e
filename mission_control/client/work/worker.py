"""A worker: one agent of a board, in one repository of this machine."""

from __future__ import annotations

import binascii
import contextlib
import os
import signal
import sys
import threading

from mission_control.client import clock, credentials, files
from mission_control.client.printing import entry, line
from mission_control.client.problems import Problem, Usage
from mission_control.client.tasks import NEXT
from mission_control.client.work import worktree
from mission_control.client.work.agents import program_for_work
from mission_control.client.work.holding import Holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import TextIO

    from mission_control.client.api import Api
    from mission_control.client.shapes import AgentHealth, Board, Next

PARENT = "MISSION_CONTROL_PARENT"


class Ended(Exception):
    """A person or the system ends the worker."""


class Worker:
    def __init__(self, api: Api, given: Namespace) -> None:
        self.api, self.given, self.connection = api, given, api.connection
        self.program = program_for_work(given.agent, acp=given.acp)
        self.holding = Holding(self)
        self.repository = worktree.repository(os.path.abspath(given.repository))
        self.top = self.repository.folder
        self.ends, self._is_waiting = False, False
        self.directive = "continue"  # as it is known here
        agent: AgentHealth = api.call("GET", "/api/v1/agent/healthz")
        if agent["board_id"] is None:
            raise Problem("This agent belongs to no board.", "no_board")
        self.board: Board = api.call("GET", f"/api/v1/agent/boards/{agent['board_id']}")
        names = (str(self.board["id"]), self.board["name"].casefold(), str(self.board.get("slug", "")).casefold())
        if given.board and given.board.casefold() not in names:
            raise Usage(
                f"You are signed in for the board {self.board['name']}. For another one sign in once more:"
                f" {credentials.called()} sign-in --connection NAME --board {given.board}, then --connection NAME."
            )
        mark = f"{api.connection.url} {agent['agent_id']} {self.top}"
        name = f"{os.path.basename(self.top)}-{binascii.crc32(mark.encode('utf-8', 'surrogateescape')):08x}"
        self.folder = os.path.join(files.folder_of("XDG_STATE_HOME", "~/.local/state"), "work", name)

    def show(self) -> None:
        base, commit, policy = worktree.begin(self.repository)
        mode = f", in the mode {self.program.acp_mode}" if self.program.acp_mode else ""
        lines = [
            f"Board {self.board['name']} at {self.connection.url}",
            f"Repository {self.top}, from {base or 'its main branch'} at {commit[:12]}",
            f"Program {' '.join(self.program.acp_command())}{mode}",
            f"Set up by {policy.setup or 'nothing'}, checked by {policy.check or 'nothing'} ({worktree.WORKFLOW})",
            f"Worktrees below {self.folder}",
            "Nothing was claimed.",
        ]
        print("\n".join(map(line, lines)))

    def say(self, text: str) -> None:
        print(entry(text), file=sys.stderr, flush=True)

    def claim_again(self, task: str) -> Next:
        """Claim a task that is, or was, this worker's."""
        body = {"task_id": task, "lease_seconds": self.given.lease, "known": self.directive}
        answer: Next = self.api.call("POST", NEXT, body)
        return answer

    # -- one process at a time ----------------------------------------------------------------------------------------

    def locked(self, name: str, *, waits: bool = False) -> TextIO | None:
        """Open a file that this process alone holds until it is closed; None when another holds it."""
        import fcntl

        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        file = open(os.path.join(self.folder, f"{name}.lock"), "a")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except OSError:
            file.close()
            return None
        return file

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time change the worktrees of the repository, whichever agent it works for."""
        import fcntl

        shared = os.path.join(self.repository.path("--git-common-dir"), "mission-control.lock")
        with open(shared, "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- the end ------------------------------------------------------------------------------------------------------

    def hear_signals(self) -> None:
        def end(*_: object) -> None:
            self.ends = True
            if self._is_waiting:
                raise Ended

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        if os.environ.pop(PARENT, ""):
            threading.Thread(target=_end_with_parent, daemon=True).start()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for something; raise Ended when the worker is to end, at once also by a signal."""
        self._is_waiting = True
        try:
            if self.ends:
                raise Ended
            yield
        finally:
            self._is_waiting = False

    def pause(self, seconds: float) -> None:
        with self.waiting():
            clock.sleep(seconds)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
