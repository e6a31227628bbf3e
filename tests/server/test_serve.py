"""`mission-control serve` and its neighbours, as separate processes."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from mission_control.server import serving
from tests.own_database import empty_database

COMMAND = (sys.executable, "-m", "mission_control.cli")
TO_START = TO_STOP = 120
QUIET = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(Path(__file__).parents[2])}


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which only these settings are set."""
    return {**QUIET, "DATA_DIR": str(folder / "data"), "PYTHONUNBUFFERED": "1", **more}


async def run(folder: Path, *arguments: str, **more: str) -> tuple[int | None, str]:
    """Run a command to its end; returns exit code and everything printed."""
    process = await start(folder, *arguments, **more)
    try:
        async with asyncio.timeout(TO_START):
            printed, _ = await process.communicate()
    finally:
        await killed(process)
    return process.returncode, printed.decode()


async def start(folder: Path, *arguments: str, **more: str) -> Process:
    """Start a command in a folder of its own."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env=environment(folder, **more),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def served(folder: Path, *options: str, **more: str) -> AsyncIterator[tuple[Process, str]]:
    """Serve on a free port; yields the process and its address, and stops it."""
    process = await start(folder, "serve", "--port", "0", *options, **more)
    try:
        yield process, await printed_address(process)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(TO_STOP):
                await process.communicate()
        finally:
            await killed(process)


async def killed(process: Process) -> None:
    """End a process and close its pipe, in whatever state a test left them."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


async def printed_address(process: Process) -> str:
    """Read what `serve` prints until the address comes."""
    assert process.stdout is not None
    printed = b""
    async with asyncio.timeout(TO_START):
        while line := await process.stdout.readline():
            printed += line
            if found := re.search(rb"https?://[^/\s]+", line):
                return found[0].decode()
    raise AssertionError(printed.decode())


async def answered(url: str) -> httpx.Response:
    """Ask until the server answers."""
    async with asyncio.timeout(TO_START), httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                return await client.get(url)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_prints_the_setup_code_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path) as (process, address):
        health = await answered(f"{address}/healthz")
        assert (health.status_code, health.json()) == (200, {"ok": True})
        ready = await answered(f"{address}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ok": True})
        process.send_signal(number)
        async with asyncio.timeout(TO_STOP):
            assert await process.wait() == 0
    assert (tmp_path / "data" / "secret_key").exists()


TINY_WORKER = """
import gc
import sys
from mission_control.server import serving, worker
from tests.tiny_app import settings_with, tiny_app

worker.create_app = lambda settings: tiny_app()
worker.begin_shutdown = lambda app: None
if sys.argv[1] == "asyncio":
    worker._loop_factory = lambda: None
worker.CUT_SECONDS = float(sys.argv[2])
worker.GRACE_SECONDS = worker.LAST_RESORT_SECONDS = 3600  # only the cut ends anything, however slow the machine is
listener = serving.bind("127.0.0.1", 0)
print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
worker.run_worker(settings_with(), listener)
print(gc.get_freeze_count())
"""
NEVER = b"GET /never HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n"


@asynccontextmanager
async def tiny_worker(folder: Path, *, cut: float, loop: str = "uvloop") -> AsyncIterator[tuple[Process, str]]:
    """One worker around the tiny application, which cuts requests so many seconds after the signal to stop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", TINY_WORKER, loop, str(cut)),
        env=environment(folder),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process, await printed_address(process)
    finally:
        await killed(process)


@asynccontextmanager
async def connection(address: str, sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """What comes back on a connection on which this was sent."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        await writer.drain()
        yield reader
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_endless_stream_does_not_delay_stopping(tmp_path: Path, loop: str) -> None:
    async with tiny_worker(tmp_path, cut=0.2, loop=loop) as (process, address), httpx.AsyncClient() as client:
        async with client.stream("GET", f"{address}/endless") as response:
            chunks = response.aiter_bytes()
            assert await anext(chunks) == b": here\n\n"
            process.terminate()
            async with asyncio.timeout(TO_STOP):
                assert await process.wait() == 0
        assert process.stdout is not None
        printed = int(await process.stdout.read())
        assert printed > 10_000, "what was imported is walked through by every full collection"


async def test_request_cut_by_a_stop_is_told_to_retry(tmp_path: Path) -> None:
    async with tiny_worker(tmp_path, cut=0.2) as (process, address), connection(address, NEVER) as reader:
        await answered(f"{address}/page")  # one loop serves both, so the first has begun
        process.terminate()
        async with asyncio.timeout(TO_STOP):
            answer = (await reader.read()).decode()
            assert await process.wait() == 0
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 503 ") and "retry-after: 1" in head
    assert '"request_id": "mine"' in body and "Send it again" in body


async def test_idle_connection_does_not_delay_stopping(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, address):
        await answered(f"{address}/healthz")
        async with httpx.AsyncClient() as client:
            await client.get(f"{address}/healthz")
            process.terminate()
            async with asyncio.timeout(TO_STOP):
                assert await process.wait() == 0


async def test_partial_request_does_not_delay_stopping(tmp_path: Path) -> None:
    half = b"POST /api/v1/auth/bootstrap HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
    async with served(tmp_path) as (process, address), connection(address, half):
        await answered(f"{address}/healthz")  # the half has been read, too
        process.terminate()
        async with asyncio.timeout(TO_STOP):
            assert await process.wait() == 0


@pytest.mark.thorough
async def test_stopping_server_frees_its_port_at_once(tmp_path: Path) -> None:
    """A restart need not wait for the last requests to end."""
    async with tiny_worker(tmp_path, cut=3600) as (process, address):
        host, _, port = address.removeprefix("http://").partition(":")
        async with connection(address, NEVER) as reader:
            await answered(f"{address}/page")  # one loop serves both, so the first has begun
            process.terminate()
            async with asyncio.timeout(TO_STOP):
                while await connects(host, int(port)):
                    await asyncio.sleep(0.02)
            with serving.bind(host, int(port)):
                assert process.returncode is None and not reader.at_eof(), "the last request was cut"
        async with asyncio.timeout(TO_STOP):
            assert await process.wait() == 0  # its last client has gone


async def connects(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


async def test_second_server_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, address):
        await answered(f"{address}/healthz")
        code, printed = await run(tmp_path, "serve", "--port", "0")
        assert code == 1 and printed.count("\n") == 1
        assert f"process {process.pid}" in printed and "SQLite serves one only" in printed
        process.kill()
        await process.wait()
    async with served(tmp_path) as (_, address):
        assert (await answered(f"{address}/readyz")).status_code == 200


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("migrate",), ("user", "list")])
async def test_invalid_database_file_reports_one_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rubbish").write_text("this is no database" * 100)
    code, printed = await run(tmp_path, *command, DATABASE_URL="sqlite:///rubbish")
    assert code == 1
    assert "cannot be opened: file is not a database" in printed and printed.count("\n") == 1


async def test_unusable_data_folder_reports_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (("serve", "--port", "0"), ("migrate",)):
        code, printed = await run(tmp_path, *command, DATA_DIR="file/data")
        assert code == 1
        assert "file/data cannot be made: Not a directory. Set DATA_DIR" in printed and printed.count("\n") == 1
    code, printed = await run(tmp_path, "doctor", DATA_DIR="file/data")
    assert code == 1 and "PROBLEM  Data folder: file/data cannot be written" in printed


async def test_setup_code_is_printed_for_an_empty_database(tmp_path: Path) -> None:
    process = await start(tmp_path, "serve", "--port", "0")
    try:
        assert process.stdout is not None
        printed = b""
        async with asyncio.timeout(TO_START):
            while b"/setup and enter the code" not in printed:
                line = await process.stdout.readline()
                assert line, printed
                printed += line
    finally:
        await killed(process)
    assert re.search(rb"Open http://127\.0\.0\.1:\d+/setup and enter the code [\w-]+", printed)


def test_start_waits_for_a_port_about_to_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of a server that was killed hold it until they notice."""
    taken = serving.bind("127.0.0.1", 0)
    port = taken.getsockname()[1]
    monkeypatch.setattr("mission_control.server.serving.time.sleep", lambda _: taken.close())
    with serving.bind("127.0.0.1", port) as listener:
        assert listener.getsockname()[1] == port


async def test_taken_port_reports_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, printed = await run(tmp_path, "serve", "--port", port)
    assert code == 1
    assert printed.count("\n") == 1
    assert f"port {port}" in printed and "in use" in printed


@pytest.mark.parametrize(("more", "says"), [
    ({"PORT": "x"}, "PORT cannot be"),
    ({"WORKERS": "2"}, "SQLite serves one process only"),
    ({"HOST": "no such host"}, "Choose another HOST"),
    ({"DATABASE_URL": "postgres://u:hush@127.0.0.1:1/d"}, "cannot be opened"),
    ({"DB_AUTO_MIGRATE": "false"}, "run `mission-control migrate` first"),
])  # fmt: skip
async def test_invalid_configuration_reports_one_sentence(tmp_path: Path, more: dict[str, str], says: str) -> None:
    code, printed = await run(tmp_path, "serve", **{"PORT": "0", **more})
    assert code == 1
    assert says in printed
    assert "Traceback" not in printed and "hush" not in printed


async def test_another_secret_key_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path):
        pass
    (tmp_path / "data" / "secret_key").write_text("another-key-that-is-long-enough-for-the-rule")
    code, printed = await run(tmp_path, "serve", "--port", "0")
    assert code == 1
    assert "SECRET_KEY" in printed and "Traceback" not in printed


@pytest.mark.thorough
async def test_migrate_and_doctor(tmp_path: Path) -> None:
    code, printed = await run(tmp_path, "doctor", DB_AUTO_MIGRATE="false")
    assert code == 1
    assert "PROBLEM  Database" in printed
    code, printed = await run(tmp_path, "migrate")
    assert code == 0 and "Applied 0_" in printed
    assert await run(tmp_path, "migrate") == (0, "The database is up to date.\n")
    code, printed = await run(tmp_path, "doctor", LOCAL_AUTH_TOKEN="t" * 50)
    assert code == 0, printed
    assert "LOCAL_AUTH_TOKEN = (set)" in printed and "t" * 50 not in printed


@pytest.mark.postgres
async def test_workers_share_a_port_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    async with empty_database(tmp_path) as url:
        async with served(tmp_path, "--workers", "2", DATABASE_URL=url) as (process, address):
            await answered(f"{address}/healthz")
            before = await children(process.pid, 2)
            os.kill(before[0], signal.SIGKILL)
            async with asyncio.timeout(TO_START):
                while set(after := await children(process.pid, 2)) == set(before):
                    await asyncio.sleep(0.05)
            assert (await answered(f"{address}/healthz")).status_code == 200
            process.terminate()
            async with asyncio.timeout(TO_STOP):
                assert await process.wait() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in (*before, *after))


@pytest.mark.postgres
async def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    async with empty_database(tmp_path) as url:
        async with served(tmp_path, "--workers", "2", DATABASE_URL=url) as (process, address):
            await answered(f"{address}/healthz")
            pids = await children(process.pid, 2)
            process.kill()
            await process.wait()
            async with asyncio.timeout(TO_STOP):
                while any(Path(f"/proc/{pid}").exists() for pid in pids):
                    await asyncio.sleep(0.05)


async def children(parent: int, count: int) -> list[int]:
    """The process ids of a supervisor's workers, once there are `count`."""
    file = Path(f"/proc/{parent}/task/{parent}/children")
    async with asyncio.timeout(TO_START):
        while len(found := [int(pid) for pid in file.read_text().split()]) < count:
            await asyncio.sleep(0.05)
    return found
