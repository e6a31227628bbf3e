"""The measured server: its own process on a free port, with figures from /proc."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOKEN = "bench-token-of-the-owner-with-at-least-fifty-characters-in-it"
TO_START_SECONDS = 60.0
PRINTED = "printed"  # the file in the folder that has what the server prints
TRACED = Path(__file__).with_name("traced.py")


class Server:
    """A running server, started here or elsewhere."""

    def __init__(
        self, port: int, pid: int | None, start_seconds: float | None, token: str = TOKEN, counter: Path | None = None
    ) -> None:
        self.port, self.pid, self.start_seconds, self.token, self.counter = port, pid, start_seconds, token, counter
        self.url = f"http://127.0.0.1:{port}"

    def statements(self) -> int:
        """Return the number of SQL statements that the server has begun; 0 where they are not counted."""
        return 0 if self.counter is None else int.from_bytes(self.counter.read_bytes(), "little")

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the process and its children; 0 for a server started elsewhere."""
        if self.pid is None:
            return 0.0
        return sum(time.clock_gettime(_cpu_clock(pid)) for pid in (self.pid, *_children(self.pid)))

    def resident_mib(self) -> float:
        if self.pid is None:
            return 0.0
        total = 0
        for pid in (self.pid, *_children(self.pid)):
            text = Path(f"/proc/{pid}/status").read_text()
            total += int(text.partition("VmRSS:")[2].split()[0])
        return total / 1024


def _cpu_clock(pid: int) -> int:
    """Return the id of a process's CPU clock, with all threads (Linux clock_getcpuclockid)."""
    return (~pid << 3) | 2


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty database: `sqlite` in the folder, or `postgres` of the tests."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    from tests.databases import postgres

    with postgres() as url:
        yield url


@contextmanager
def served(
    folder: Path, database_url: str, workers: int = 1, *, python: Path | None = None, counter: Path | None = None
) -> Iterator[Server]:
    """Serve an installation in a folder; stop the process afterwards.

    `python` is the interpreter of another checkout; `counter` is a file for the number of SQL statements (see
    `bench.traced`).
    """
    port = _free_port()
    environment = {
        **os.environ,
        "MAX_CONNECTIONS_PER_ADDRESS": "100000",
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": database_url,
        "LOCAL_AUTH_TOKEN": TOKEN,
        "LOG_LEVEL": "WARNING",
        "REQUEST_LOG_SLOW_MS": "0",
        "AGENT_REQUESTS_PER_MINUTE": "0",
        "PERSON_REQUESTS_PER_MINUTE": "0",
    }
    program = ["-m", "mission_control.cli"] if counter is None else [str(TRACED), str(counter)]
    command = [
        str(python or sys.executable), *program, "serve", "--port", str(port), "--workers", str(workers),
    ]  # fmt: skip
    started = time.perf_counter()
    with (folder / PRINTED).open("w") as printed:
        process = subprocess.Popen(command, env=environment, stdout=printed, cwd=folder)
    try:
        _wait_for_page(port, process)
        yield Server(port, process.pid, time.perf_counter() - started, counter=counter)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_page(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TO_START_SECONDS
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"})
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except urllib.error.HTTPError:
            return  # any response shows that it serves
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("The server does not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
