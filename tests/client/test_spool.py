"""The command of hooks while the server is there, away, silent or broken: programs go on, and nothing is lost."""

import asyncio
import fcntl
import json
import os
import shlex
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mission_control.client import script
from mission_control.client.spool import AWAY, Spool
from tests.client.with_clock import COMMAND
from tests.live.servers import PATIENCE

TOKEN = "mca_of_a_test"
BROKEN = ("off", "silent", "half", "page", "500", "429")


class Board:
    """A server that answers as it is told, on a port that stays its own."""

    def __init__(self) -> None:
        self.way, self.answer, self.came, self.tries = "on", b"{}", list[tuple[dict[str, str], dict[str, Any]]](), 0
        self.released = threading.Event()
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port = self._held.getsockname()[1]
        self._server: ThreadingHTTPServer | None = None

    def set(self, way: str) -> None:
        self.way = way
        if way == "off":
            self.close()
        elif self._server is None:
            board = self

            class Handler(_Handler):
                of = board

            class Server(ThreadingHTTPServer):
                allow_reuse_port = True
                daemon_threads = True

            self._server = Server(("127.0.0.1", self.port), Handler)
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def end(self) -> None:
        self.close()
        self._held.close()

    @property
    def events(self) -> list[str]:
        """What came of programs, by name, in its order."""
        return [body["name"] for _, body in self.came if "name" in body]


class _Handler(BaseHTTPRequestHandler):
    of: Board
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        board, way = self.of, self.of.way
        board.tries += 1
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if way == "silent":
            board.released.wait(PATIENCE)
        if way in ("silent", "half"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{" if way == "half" else b"")
            self.close_connection = True
            return
        if way == "slow":
            board.released.wait(1.5 * script.SECONDS)
        is_good = way in ("on", "slow") and self.headers["X-Agent-Token"] == TOKEN
        answer = board.answer if is_good else b"<html>" if way == "page" else b'{"detail": "no"}'
        if is_good:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            try:
                board.came.append((query, json.loads(raw)))
            except ValueError:
                board.came.append((query, {"cut": len(raw)}))
        status = 200 if is_good or way == "page" else int(way) if way.isdigit() else 401
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Machine:
    """A home where a program was connected."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.config = home / ".config/mission-control/connect.env"
        self.config.parent.mkdir(parents=True)
        self.config.write_text(f"MISSION_CONTROL_URL={url}\nMISSION_CONTROL_TOKEN={TOKEN}\n")
        self.config.chmod(0o600)
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PAUSES_ONLY": "1", "SHORTER": "4"}
        self.script = home / "hook"
        self.script.write_text(script.text())
        self.kept = home / ".local/state/mission-control/spool/claude-code-usual"

    def find_in(self, folders: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the script find its commands in other folders."""
        monkeypatch.setattr(script, "search_path", lambda: folders)
        self.script.write_text(script.text())

    async def hook(self, name: str, *more: str, way: str = "sh", **fields: Any) -> str:
        """What the command prints for an event; it never fails."""
        body = json.dumps({"hook_event_name": "Stop", "session_id": "s1", "name": name, **fields})
        return await self.hand_on(body, *more, way=way)

    async def hand_on(self, body: str, *more: str, way: str = "sh", client: str = "claude-code") -> str:
        first = ["sh", str(self.script)] if way == "sh" else [*shlex.split(COMMAND), "hook"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *first, client, *more, env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe
        )
        async with asyncio.timeout(PATIENCE):
            out, error = await process.communicate(body.encode())
        assert (process.returncode, error.decode()) == (0, ""), error
        return out.decode()

    def lines(self) -> list[bytes]:
        """What waits."""
        found = [Path(f"{self.kept}{more}") for more in (".sending", "")]
        return [line for path in found if path.exists() for line in path.read_bytes().splitlines()]

    def is_quiet(self) -> bool:
        """Whether nothing waits, and nobody tries to send."""
        names = (one.name for one in self.kept.parent.iterdir()) if self.kept.parent.exists() else ()
        return not set(names) - {f"{self.kept.name}.lock"} and self.is_free()

    def is_free(self) -> bool:
        try:
            with Path(f"{self.kept}.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True

    def forget(self) -> None:
        for one in self.kept.parent.glob("*") if self.kept.parent.exists() else ():
            if not one.name.endswith(".lock"):
                one.unlink(missing_ok=True)


async def until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.05)


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    board.set("on")
    yield board
    board.end()


@pytest.fixture
async def machine(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    monkeypatch.setattr(script, "python_command", lambda: COMMAND)
    machine = Machine(tmp_path, f"http://127.0.0.1:{board.port}")
    yield machine
    machine.forget()
    await until(machine.is_free)


async def test_what_is_being_written_while_it_is_taken_goes_too(board: Board, machine: Machine) -> None:
    machine.environment["SHORTER"] = "1"  # who writes at that moment has a real clock
    board.set("off")
    await machine.hook("a")
    with machine.kept.open("ab") as slow:
        board.set("on")
        await until(Path(f"{machine.kept}.sending").exists)
        slow.write(b'%d {"hook_event_name": "Stop", "session_id": "s1", "name": "b"}\n' % time.time())
    await until(machine.is_quiet)
    assert board.events == ["a", "b"]


@pytest.mark.parametrize("way", ["sh", "python"])
@pytest.mark.parametrize("broken", BROKEN)
async def test_what_cannot_be_sent_goes_later_in_its_order(
    board: Board, machine: Machine, broken: str, way: str
) -> None:
    board.answer = b'{"decision": "block"}'
    assert json.loads(await machine.hook("first", way=way)) == {"decision": "block"} and machine.is_quiet()
    board.set(broken)
    board.released.clear()
    for name in ("a", "b", "c"):
        assert await machine.hook(name, way=way) == "{}\n"
    assert len(machine.lines()) == 3 and board.events == ["first"]
    board.released.set()
    board.set("on")
    await until(machine.is_quiet)
    assert board.events == ["first", "a", "b", "c"]
    [first, *late] = [query for query, body in board.came if "name" in body]
    assert "age" not in first and all(int(one["age"]) >= 0 and int(one["at"]) >= int(first["at"]) for one in late)
    assert json.loads(await machine.hook("now", way=way)) == {"decision": "block"} and board.events[-1] == "now"


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_silent_server_is_waited_for_once(board: Board, machine: Machine, way: str) -> None:
    board.set("silent")
    machine.kept.parent.mkdir(parents=True)
    with Path(f"{machine.kept}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nobody else tries to send
        for name in ("first", "second", "third"):
            assert await machine.hook(name, way=way) == "{}\n"
    assert len(machine.lines()) == 3 and board.tries == 1
    board.released.set()
    board.set("on")
    Path(f"{machine.kept}.away").write_text("1 2\n")  # who was to try it again did not
    assert await machine.hook("fourth", way=way) == "{}\n"
    await until(machine.is_quiet)
    assert board.events == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_ended_connection_keeps_nothing_and_says_so(board: Board, machine: Machine, way: str) -> None:
    board.set("401")
    said = await machine.hook("first", way=way, hook_event_name="SessionStart")
    assert "not on the board" in json.loads(said)["systemMessage"]
    assert await machine.hook("second", way=way) == "{}\n" and machine.is_quiet()
    machine.config.unlink()
    assert await machine.hook("third", way=way) == "{}\n" and machine.is_quiet()


async def test_what_was_kept_stays_while_the_connection_has_ended(board: Board, machine: Machine) -> None:
    board.set("off")
    await machine.hook("first")
    board.set("401")
    await until(machine.is_free)
    assert len(machine.lines()) == 1
    board.set("on")
    await machine.hook("second")
    Path(f"{machine.kept}.away").unlink(missing_ok=True)
    await machine.hook("third")
    await until(machine.is_quiet)
    assert sorted(board.events) == ["first", "second", "third"]


async def test_many_at_once_lose_and_mix_nothing(board: Board, machine: Machine) -> None:
    machine.environment["SHORTER"] = "1"  # who writes at that moment has a real clock
    board.set("off")
    names = [f"n{number}" for number in range(24)]
    await asyncio.gather(*(machine.hook(name, text="é\n" * 3_000) for name in names))
    assert sorted(json.loads(line.partition(b" ")[2])["name"] for line in machine.lines()) == sorted(names)
    board.set("on")
    await until(machine.is_quiet)
    assert sorted(board.events) == sorted(names)


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_a_megabyte_is_kept_and_the_rest_is_counted(board: Board, machine: Machine, way: str) -> None:
    board.set("off")
    await machine.hook("first", way=way, session_id="s9")
    for number in range(12):
        await machine.hook(f"n{number}", way=way, session_id=f"s{number % 2}", text="x" * 100_000)
    size = sum(path.stat().st_size for path in machine.kept.parent.glob("*usual*"))
    assert size <= script.LARGEST_SPOOL + 1_000
    board.set("on")
    await until(machine.is_quiet)
    gaps = [body for _, body in board.came if body.get("hook_event_name") == AWAY]
    lost = sum(gap["lost"] for gap in gaps)
    assert 0 < lost <= 3 and len(board.events) == 13 - lost
    order = [(body["session_id"], body["hook_event_name"] == AWAY) for _, body in board.came]
    losers = {gap["session_id"] for gap in gaps if gap["lost"]}
    assert losers <= {"s0", "s1"}
    assert all(order.index((session, True)) < order.index((session, False)) for session in losers)


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_body_becomes_a_line_and_what_is_too_long_is_cut(board: Board, machine: Machine, way: str) -> None:
    board.set("off")
    await machine.hand_on(json.dumps({"session_id": "s1", "name": "pretty", "a": ["b\n", 1]}, indent=2), way=way)
    await machine.hook("long", way=way, text="x" * script.LARGEST_BODY)
    await machine.hand_on("no JSON", way=way)
    board.set("on")
    await until(machine.is_quiet)
    assert [body for _, body in board.came] == [
        {"session_id": "s1", "name": "pretty", "a": ["b\n", 1]}, {"cut": script.HEAD}, {"cut": 7},
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_question_waits_for_its_answer(board: Board, machine: Machine, way: str) -> None:
    board.set("slow")
    board.answer = b'{"decision": "allow"}'
    assert json.loads(await machine.hook("asks", "--seconds", "30", way=way)) == {"decision": "allow"}
    assert await machine.hook("tells", way=way) == "{}\n"


async def test_token_is_no_argument_and_files_are_private(
    board: Board, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, real = machine.home / "seen", shutil.which("curl")
    if real is None:
        pytest.skip("curl is not installed: apt install curl")
    (machine.home / "bin").mkdir()
    (machine.home / "bin/curl").write_text(f'#!/bin/sh\necho "$@" >>{seen}; env >>{seen}; exec {real} "$@"\n')
    (machine.home / "bin/curl").chmod(0o755)
    machine.environment["PATH"] = f"{machine.home}/bin:{os.environ['PATH']}"
    await machine.hook("first")
    assert board.events == ["first"] and not seen.exists()  # a program may write what its own path names
    machine.find_in(machine.environment["PATH"], monkeypatch)
    await machine.hook("second")
    assert board.events[1:] == ["second"] and "connect/claude-code/hooks" in seen.read_text()
    assert TOKEN not in seen.read_text()
    board.set("off")
    await machine.hook("third")
    assert all(path.stat().st_mode & 0o077 == 0 for path in machine.kept.parent.rglob("*"))


async def test_without_curl_python_does_it(board: Board, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = machine.home / "bin"
    folder.mkdir()
    for name in ("cat", "date"):
        (folder / name).symlink_to(shutil.which(name) or "")
    machine.find_in(str(folder), monkeypatch)
    assert await machine.hook("first") == "{}\n" and board.events == ["first"]


@pytest.mark.parametrize(("line", "status"), [
    (
        {"item": {"type": "CommandExecution", "id": "c2", "output": '"status":"completed"', "status": "failed"}},
        "failed",
    ),
    ({"item": {"type": "FileChange", "id": "c2", "status": "completed"}}, "completed"),
    ({"item": {"type": "McpToolCall", "id": "c2", "status": "completed", "result": {"status": "failed"}}}, ""),
    ({"item": {"type": "CommandExecution", "id": "c3", "status": "failed"}}, ""),
    (None, None),
])  # fmt: skip
async def test_status_of_a_codex_call_is_read_in_its_file(
    board: Board, machine: Machine, line: dict[str, Any] | None, status: str | None
) -> None:
    file = machine.home / "rollout.jsonl"
    if line is not None:
        file.write_text("{}\n" + json.dumps({"payload": line}, separators=(",", ":")) + "\n")
    call = {"hook_event_name": "PostToolUse", "transcript_path": str(file), "tool_use_id": "c2"}
    body = json.dumps({**call, "name": "first"}, separators=(",", ":"))
    assert await machine.hand_on(body, client="codex") == "{}\n"
    [(_, came)] = board.came
    assert came.get("call_status") == status and came["name"] == "first"


@pytest.mark.parametrize("way", ["sh", "python"])
async def test_session_of_work_is_told_by_that_alone(board: Board, machine: Machine, way: str) -> None:
    machine.environment["MISSION_CONTROL_RUN"] = "a run"
    assert await machine.hook("first", way=way) == "{}\n" and board.tries == 0


async def test_named_connection_has_a_spool_of_its_own(board: Board, machine: Machine) -> None:
    other = machine.config.parent / "connections/two.env"
    other.parent.mkdir()
    other.write_text(machine.config.read_text())
    other.chmod(0o600)
    machine.config.unlink()
    await machine.hook("first", "--connection", "two")
    board.set("off")
    await machine.hook("second", "--connection", "two")
    machine.kept = machine.kept.with_name("claude-code-two")
    assert len(machine.lines()) == 1
    board.set("on")
    await until(machine.is_quiet)
    assert board.events == ["first", "second"]


def test_what_waits_is_forgotten_with_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    spool = Spool("codex", "")
    Path(spool.path).parent.mkdir(parents=True)
    for path in (spool.path, spool.sending, spool.away, spool.lost):
        Path(path).write_text("1 2\n")
    spool.forget()
    assert not list(Path(spool.path).parent.iterdir())
