"""The Agent Client Protocol, version 1: JSON-RPC in lines on the standard input and output of an agent.

An agent and all that it starts end with this process, however that ends: a shell in their group waits for the end of a
pipe, and kills them. Processes that left the group are found by MISSION_CONTROL_RUN in their environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading

from mission_control.client import clock
from mission_control.client.problems import Problem
from mission_control.client.work.inbox import Event
from mission_control.client.work.values import text_at, value_at, values_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.shapes import Message, Values
    from mission_control.client.work.inbox import Inbox

    Process = subprocess.Popen[bytes]

RUN = "MISSION_CONTROL_RUN"
# Of the shell that becomes the agent: the run, and the end of the pipe that is closed when this process has ended.
LIFELINE = f"""(read -r nothing </dev/fd/$2
for one in $(grep -lsF "{RUN}=$1" /proc/[0-9]*/environ); do one=${{one#/proc/}}; kill -9 "${{one%%/*}}"; done
kill -9 0) >/dev/null 2>&1 & export {RUN}="$1"; shift 2; exec "$@"
"""
LINES_KEPT = 40
START_SECONDS, END_SECONDS, GROUP_SECONDS = 300.0, 5.0, 10.0


class Refused(Exception):
    """The agent answered with an error; `code` is that of JSON-RPC."""

    def __init__(self, error: object) -> None:
        data = value_at(error, "data")
        more = f" ({data.get('details') or data.get('message') or data})" if isinstance(data, dict) else ""
        super().__init__(f"{value_at(error, 'message') or error}{more}"[:1000])
        self.error = error
        words = text_at(error, "message").removeprefix("Internal error").removeprefix(": ")
        self.words = (words or text_at(data, "message") or str(self))[:1000]


class Gone(Exception):
    """The agent has ended, or says nothing that can be understood."""


def start(command: list[str], folder: str, environment: dict[str, str], run: str) -> tuple[Process, int]:
    """Start a command in a group of its own, and return it with the pipe that keeps it alive."""
    reading, writing = os.pipe()
    environment = {name: value for name, value in environment.items() if name != RUN}
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", LIFELINE, "sh", run, str(reading), *command], cwd=folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(reading,),
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        os.close(writing)
        raise Problem(f"{command[0]} cannot be run: {error.strerror}.", "program_failed") from error
    finally:
        os.close(reading)
    return process, writing


def end(process: Process, writing: int, seconds: float = END_SECONDS) -> None:
    """End a command: let it end by itself for a moment, then kill it with all that it started."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    os.close(writing)
    process.wait()
    deadline = clock.monotonic() + GROUP_SECONDS
    while clock.monotonic() < deadline and _lives(process.pid):
        clock.sleep(0.02)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _lives(group: int) -> bool:
    """Whether a process of a group runs: not one that has ended, and whose parent does not ask how."""
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    if not os.path.isdir("/proc/self"):
        return True
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
            state, _, its_group = file.read().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def kill_leftovers(run: str) -> int:
    """Kill what an earlier process of this run left behind; return how many there were."""
    count, mark = 0, f"{RUN}={run}".encode()
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                    if any(variable.startswith(mark) for variable in file.read().split(b"\0")):
                        os.kill(int(name), signal.SIGKILL)
                        count += 1
    return count


class Agent:
    """An agent that runs. What it sends of itself goes to `hear`, which may answer requests by `reply`."""

    def __init__(self, command: list[str], folder: str, environment: dict[str, str], run: str, inbox: Inbox) -> None:
        self.name, self.inbox = command[0], inbox
        self.errors: list[str] = []
        self._writing, self._number = threading.Lock(), 0
        self.process, self._lifeline = start(command, folder, environment, run)
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def begin(self, method: str, **params: object) -> int:
        """Send a request, and return its number."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        return self._number

    def tell(self, method: str, **params: object) -> None:
        self._send({"method": method, "params": params})

    def reply(self, number: object, result: object) -> None:
        self._send({"id": number, "result": result})

    def refuse(self, number: object) -> None:
        self._send({"id": number, "error": {"code": -32601, "message": "This client has no such method."}})

    def answer(self, number: int, hear: Callable[[Event], None], seconds: float) -> Values:
        """Wait for the answer to a request; what comes before it is heard. Raise Gone when none comes in time."""
        deadline = clock.monotonic() + seconds
        while True:
            try:
                event = self.inbox.get(timeout=max(0.0, min(1.0, deadline - clock.monotonic())))
            except queue.Empty:
                if self.process.poll() is not None and self.inbox.empty():
                    raise Gone(f"{self.name} has ended{self._why()}.") from None
                if clock.monotonic() >= deadline:
                    raise Gone(f"{self.name} did not answer in {seconds:.0f} seconds.") from None
                event = Event("tick")
            is_own = event.source is self
            if is_own and event.kind == "closed":
                raise Gone(f"{self.name} has ended{self._why()}.")
            if is_own and event.kind == "answer" and event.message["id"] == number:
                if "error" in event.message:
                    raise Refused(event.message["error"])
                return values_at(event.message, "result")
            hear(event)

    def close(self) -> None:
        end(self.process, self._lifeline)
        for thread in self._threads:
            thread.join(GROUP_SECONDS)

    def _why(self) -> str:
        code = self.process.poll()
        error = f": {self.errors[-1]}" if self.errors else ""
        return (f" with exit code {code}" if code is not None else "") + error

    def _send(self, message: Values) -> None:
        assert self.process.stdin is not None
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._writing:
            try:
                self.process.stdin.write(line)
                self.process.stdin.flush()
            except (OSError, ValueError) as error:
                raise Gone(f"{self.name} has ended{self._why()}.") from error

    def _read(self) -> None:
        for line in self.process.stdout or ():
            message: Message | None = None
            with contextlib.suppress(ValueError):
                message = json.loads(line)
            if not isinstance(message, dict):
                self._note(line)
            elif "method" in message:
                self.inbox.put(Event("message", source=self, message=message))
            elif isinstance(message.get("id"), int):
                self.inbox.put(Event("answer", source=self, message=message))
        self.inbox.put(Event("closed", source=self))

    def _read_errors(self) -> None:
        for line in self.process.stderr or ():
            self._note(line)

    def _note(self, line: bytes) -> None:
        if text := line.decode("utf-8", "replace").strip():
            self.errors = [*self.errors[1 - LINES_KEPT :], text[:300]]
