"""The plugin of opencode under Node: what it tells, brings back, asks, and keeps while the server is away."""

import asyncio
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mission_control.client import script
from mission_control.client.programs import opencode
from tests.live.crew import Crew
from tests.live.servers import PATIENCE, ROOT

DRIVER = Path(__file__).with_name("opencode_driver.mjs")
SESSION, TOKEN = "ses_1", "mca_of_a_test"
SAID = {"type": "text", "id": "prt_1", "messageID": "msg_1", "sessionID": SESSION, "text": "Write the note."}
MESSAGE = {"id": "msg_1", "agent": "build", "model": {"modelID": "fake-1"}}
ASKED = {
    "id": "per_1", "sessionID": SESSION, "permission": "bash", "patterns": ["make"], "metadata": {"command": "make"},
}  # fmt: skip
ASKED |= {"tool": {"callID": "c1"}}


class Board:
    """A server that answers events by their names, some only when they are released."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.answers: dict[str, list[Any]] = {}
        self.held: set[str] = set()
        self.released = threading.Event()
        board = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["X-Agent-Token"] == TOKEN and self.path == "/api/v1/connect/opencode/hooks"
                board.came.append(body)
                name = body["hook_event_name"]
                if name in board.held:
                    board.released.wait()
                answers = board.answers.get(name, [])
                raw = json.dumps(answers.pop(0) if answers else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def do_GET(self) -> None:
                assert self.path == "/healthz" and "X-Agent-Token" not in self.headers
                if "healthz" in board.held:
                    board.released.wait()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a plugin that no longer waits."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def names(self) -> list[str]:
        return [one["hook_event_name"] for one in self.came]

    def of(self, name: str) -> dict[str, Any]:
        [found] = [one for one in self.came if one["hook_event_name"] == name]
        return found

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def board() -> Iterator[Board]:
    found = Board()
    yield found
    found.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: Board) -> Path:
    """A home in which opencode is connected; what was kept is sent by a command that leaves a sign."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(script, "python_command", lambda: f"sh -c 'touch {tmp_path}/flushed'")
    stored = tmp_path / ".config" / "mission-control" / "connect.env"
    stored.parent.mkdir(parents=True)
    port = board.server.server_address[1]
    stored.write_text(f"MISSION_CONTROL_URL=http://127.0.0.1:{port}\nMISSION_CONTROL_TOKEN={TOKEN}\n")
    stored.chmod(0o600)
    (tmp_path / "plugin.mjs").write_bytes(opencode.plugin_of(""))
    return tmp_path


class Plugin:
    """opencode as far as its plugin sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.said, self._calls = process, list[dict[str, Any]](), 0

    async def heard(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        assert self.process.stdout is not None
        while not (found := [one for one in self.said if is_it(one)]):
            self.said.append(json.loads(await self.process.stdout.readline()))
        return found[0]

    def begin(self, name: str, *given: Any) -> int:
        assert self.process.stdin is not None
        self._calls += 1
        self.process.stdin.write(json.dumps({"key": self._calls, "name": name, "given": given}).encode() + b"\n")
        return self._calls

    async def call(self, name: str, *given: Any) -> dict[str, Any]:
        key = self.begin(name, *given)
        return await self.heard(lambda one: one.get("key") == key)

    async def event(self, kind: str, **properties: Any) -> None:
        await self.call("event", {"event": {"id": f"evt_{kind}", "type": kind, "properties": properties}})

    async def before(self, call: str, tool: str = "bash", **given: Any) -> dict[str, Any]:
        return await self.call(
            "tool.execute.before", {"tool": tool, "sessionID": SESSION, "callID": call}, {"args": given}
        )

    async def after(self, call: str, output: str = "Done.", **metadata: Any) -> str:
        given = {"tool": "bash", "sessionID": SESSION, "callID": call, "args": {"command": "make"}}
        done = await self.call("tool.execute.after", given, {"output": output, "metadata": metadata})
        return str(done["given"][1]["output"])

    async def prompt(self) -> list[dict[str, Any]]:
        done = await self.call("chat.message", {"sessionID": SESSION}, {"message": MESSAGE, "parts": [SAID]})
        parts: list[dict[str, Any]] = done["given"][1]["parts"]
        return parts


@asynccontextmanager
async def running(home: Path, **more: str) -> AsyncIterator[Plugin]:
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):
        pytest.skip("node is not installed: apt install nodejs")
    pipe = asyncio.subprocess.PIPE
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], **more}
    command = (node or "node", str(DRIVER), str(home / "plugin.mjs"))
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(PATIENCE):
            yield Plugin(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(is_it: Callable[[], bool]) -> None:
    while not is_it():
        await asyncio.sleep(0.02)


async def test_a_turn_is_told_in_its_order_and_notes_come_back(home: Path, board: Board) -> None:
    board.answers = {"chat.message": [{"note": "For the turn."}], "tool.execute.after": [{"note": "For the call."}, {}]}
    async with running(home) as plugin:
        await plugin.event("session.created", info={"id": SESSION, "version": "1.18.33"})
        for kind in ("session.updated", "plugin.added", "message.part.delta"):
            await plugin.event(kind, sessionID=SESSION)
        said, note = await plugin.prompt()
        assert said == SAID and note["text"] == "For the turn." and note["synthetic"] and note["id"] > SAID["id"]
        for agent in ("build", "title"):
            await plugin.call("chat.params", {"sessionID": SESSION, "agent": agent}, {})
        await plugin.before("c1", command="make")
        assert await plugin.after("c1", exit=2) == "Done.\n\nFor the call."
        assert await plugin.after("c2") == "Done."
        used = {"id": "msg_2", "role": "assistant", "sessionID": SESSION, "modelID": "fake-1", "cost": 0.5}
        used |= {"tokens": {"input": 1}, "time": {"completed": 1}}
        for info in ({**used, "time": {}}, used, used, {**used, "id": "msg_1", "role": "user"}):
            await plugin.event("message.updated", info=info)
        text = {"type": "text", "sessionID": SESSION, "text": "All done.", "time": {"end": 1}}
        await plugin.event("message.part.updated", part=text)
        for _ in range(2):
            await plugin.event("session.idle", sessionID=SESSION)
        await plugin.call("dispose")
    assert board.names == [
        "session.created", "chat.message", "session.titled", "tool.execute.before", "tool.execute.after",
        "tool.execute.after", "message.updated", "session.idle", "session.ended",
    ]  # fmt: skip
    assert {one["session_id"] for one in board.came} == {SESSION} and board.came[0]["cwd"] == "/home/mara/shop"
    assert board.of("chat.message")["prompt"] == "Write the note." and board.came[4]["exit_code"] == 2
    idle = board.of("session.idle")
    assert (idle["prompt_id"], idle["last_assistant_message"]) == ("msg_1", "All done.")


async def test_only_a_stop_of_the_board_is_thrown(home: Path, board: Board) -> None:
    board.answers = {"tool.execute.before": [{"deny": "Vega is stopped: Rain."}, {}]}
    async with running(home) as plugin:
        assert (await plugin.before("c1", command="make"))["error"] == "Vega is stopped: Rain."
        assert "error" not in await plugin.before("c2", command="make")
        for name in ("chat.message", "tool.execute.before", "tool.execute.after", "event", "config"):
            assert "error" not in await plugin.call(name, {}, None)
        broken = {"type": "tool", "sessionID": SESSION, "tool": "read", "callID": "c3"}
        await plugin.event("message.part.updated", part={**broken, "state": {"status": "error", "error": "No file"}})
        await until(lambda: board.names[-1] == "message.part.updated")
    assert board.came[-1]["error"] == "No file"


async def test_helpers_have_sessions_of_their_own(home: Path, board: Board) -> None:
    async with running(home) as plugin:
        await plugin.event("session.created", info={"id": "ses_2", "parentID": SESSION})
        await plugin.event("session.idle", sessionID="ses_2")
        await plugin.event("session.deleted", info={"id": "ses_2"})
        await plugin.event("session.error", sessionID=SESSION, error={"name": "APIError", "data": {"message": "zq9"}})
        await until(lambda: "session.error" in board.names)
    assert board.came[0]["parent"] == SESSION and board.of("session.ended")["reason"] == "helper"
    assert board.of("session.error")["error"] == "APIError" and "zq9" not in str(board.came)


async def test_people_answer_what_is_asked(home: Path, board: Board) -> None:
    words = {"reply": "reject", "message": "Use a copy."}
    board.answers = {"permission.asked": [{}, words]}
    async with running(home) as plugin:
        await plugin.before("c1", command="make", workdir="/srv")
        await plugin.event("permission.asked", **ASKED)
        replied = (await plugin.heard(lambda one: "replied" in one))["replied"]
        await plugin.event("permission.replied", sessionID=SESSION, requestID="per_1", reply="reject")
        state = {"status": "error", "error": "The user rejected permission", "input": {"command": "make"}}
        part = {"type": "tool", "sessionID": SESSION, "tool": "bash", "callID": "c1", "state": state}
        await plugin.event("message.part.updated", part=part)
        await until(lambda: "message.part.updated" in board.names)
    assert (replied["path"], replied["body"]) == ({"id": "per_1"}, words)
    first, again = [one for one in board.came if one["hook_event_name"] == "permission.asked"]
    assert first == again and first["tool_input"] == {"command": "make", "workdir": "/srv"}
    assert board.of("permission.replied")["reply"] == "reject" and board.of("message.part.updated")["is_refused"]


async def test_the_keyboard_answers_first_and_at_once_by_settings(home: Path, board: Board) -> None:
    board.held = {"permission.asked"}
    async with running(home) as plugin:
        await plugin.event("permission.asked", **ASKED)
        await until(lambda: "permission.asked" in board.names)
        for number in ("per_0", "per_1"):  # the first was never asked on the board
            await plugin.event("permission.replied", sessionID=SESSION, requestID=number, reply="once")
        await until(lambda: "permission.replied" in board.names)
        await plugin.event("permission.asked", **{**ASKED, "id": "per_2"})
        await plugin.event("permission.replied", sessionID=SESSION, requestID="per_2", reply="reject")
        await plugin.after("c1")
        await plugin.call("dispose")
    assert board.names.count("permission.asked") == board.names.count("permission.replied") == 1
    assert not [one for one in plugin.said if "replied" in one]


async def test_an_edit_and_another_folder_are_asked_for_as_they_are(home: Path, board: Board) -> None:
    board.answers = {"permission.asked": [{"reply": "once"}, {"reply": "once"}]}
    diff = "Index: /a\n=====\n--- /a\n+++ /a\n@@ -0,0 +1,1 @@\n+Oil\n"
    async with running(home) as plugin:
        await plugin.before("c1", tool="write", filePath="/a", content="Oil\n")
        edit = {**ASKED, "permission": "edit", "patterns": ["a"], "metadata": {"filepath": "/a", "diff": diff}}
        await plugin.event("permission.asked", **edit)
        await plugin.heard(lambda one: "replied" in one)
        folder = {**ASKED, "id": "per_2", "permission": "external_directory", "patterns": ["/etc/*"], "metadata": {}}
        await plugin.event("permission.asked", **folder)
        await plugin.heard(lambda one: "replied" in one and one["replied"]["path"]["id"] == "per_2")
    asked = [one["tool_input"] for one in board.came if one["hook_event_name"] == "permission.asked"]
    assert asked[0] == {"filePath": "/a", "diff": diff.partition("=====\n")[2]}
    assert asked[1] == {
        "filePath": "/a", "content": "Oil\n", "permission": "external_directory", "patterns": ["/etc/*"],
    }  # fmt: skip


def kept(home: Path) -> list[dict[str, Any]]:
    """What waits in the spool, a line each behind its time."""
    path = home / ".local/state/mission-control/spool/opencode-usual"
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [line.partition(" ") for line in path.read_text().splitlines()]
    assert all(at.isdigit() for at, _, _ in lines)
    return [json.loads(raw) for _, _, raw in lines]


async def test_what_cannot_be_sent_is_kept_in_its_order(home: Path, board: Board) -> None:
    board.close()
    async with running(home) as plugin:
        await plugin.prompt()
        await plugin.before("c1", command="make")
        assert await plugin.after("c1") == "Done."
        await until((home / "flushed").exists)
    assert [one["hook_event_name"] for one in kept(home)] == [
        "chat.message", "tool.execute.before", "tool.execute.after",
    ]  # fmt: skip
    away = home / ".local/state/mission-control/spool/opencode-usual.away"
    since, again = map(int, away.read_text().split())
    assert since < again


async def test_nothing_is_sent_before_what_was_kept(home: Path, board: Board) -> None:
    async with running(home) as plugin:
        spool = home / ".local/state/mission-control/spool"
        spool.mkdir(parents=True)
        (spool / "opencode-usual.away").write_text("1 99999999999\n")
        await plugin.prompt()
        assert kept(home) and board.came == []
        await until((home / "flushed").exists)
        (spool / "opencode-usual.away").unlink()
        await plugin.before("c1", command="make")
        assert board.names == ["tool.execute.before"]


async def test_a_full_spool_counts_what_it_loses(home: Path, board: Board) -> None:
    board.close()
    async with running(home) as plugin:
        for number in range(30):
            await plugin.before(f"c{number}", command="x" * 50_000)
    assert 15 < len(kept(home)) < 30
    lost = (home / ".local/state/mission-control/spool/opencode-usual.lost").read_text().splitlines()
    assert lost == [SESSION] * (30 - len(kept(home)))


async def test_a_silent_server_holds_up_one_call_and_its_note_comes_later(home: Path, board: Board) -> None:
    board.held, board.answers = {"tool.execute.before"}, {"tool.execute.before": [{"note": "Late."}]}
    async with running(home) as plugin:
        assert "error" not in await plugin.before("c1", command="make")
        board.released.set()
        while (said := await plugin.after("c1")) == "Done.":
            pass
        assert said == "Done.\n\nLate." and await plugin.after("c1") == "Done."


async def test_what_waits_when_it_is_closed_is_kept(home: Path, board: Board) -> None:
    board.held = {"session.compacted"}
    async with running(home) as plugin:
        await plugin.event("session.compacted", sessionID=SESSION)
        await plugin.event("session.error", sessionID=SESSION)
        await until(lambda: "session.compacted" in board.names)
        plugin.begin("exit")
        await plugin.process.wait()
    assert [one["hook_event_name"] for one in kept(home)] == ["session.compacted", "session.error"]


@pytest.mark.database
@pytest.mark.once
async def test_what_was_kept_is_on_the_board_later(made: Crew, home: Path) -> None:
    stored, state = home / ".config" / "mission-control" / "connect.env", home / ".local/state/mission-control/spool"
    stored.write_text(f"MISSION_CONTROL_URL={made.server.url}\nMISSION_CONTROL_TOKEN={made.vega.token}\n")
    state.mkdir(parents=True)
    now = int(time.time())
    (state / "opencode-usual.away").write_text(f"{now - 60} {now + 60}\n")
    async with running(home) as plugin:
        await plugin.prompt()
        await plugin.before("c1", command="make")
        assert len(kept(home)) == 2
    spool = state / "opencode-usual"
    spool.write_text("".join(f"{now - 60} {line.partition(' ')[2]}" for line in spool.read_text().splitlines(True)))
    command = (sys.executable, "-P", "-m", "mission_control.client", "hook", "opencode", "--send-kept")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    async with asyncio.timeout(PATIENCE):
        await process.wait()
        path = f"/api/v1/boards/{made.board_id}/sessions"
        while not (found := (await made.ask("GET", path))["items"]) or found[0]["activity_count"] < 3:
            await asyncio.sleep(0.1)
    acts = (await made.ask("GET", f"{path}/{found[0]['id']}/activities"))["items"]
    said = {one["title"] for one in acts}
    assert {"Began a turn", "Running make"} < said and any("ot reachable" in one for one in said), said
    assert not list(state.glob("opencode-usual*[!k]"))


async def test_it_gives_the_tools_of_the_board_unless_there_are_some(home: Path, board: Board) -> None:
    async with running(home) as plugin:
        [given] = (await plugin.call("config", {"mcp": {"docs": {"type": "local"}}}))["given"]
        ours = given["mcp"]["mission-control"]
        assert ours["headers"] == {"Authorization": f"Bearer {TOKEN}"} and ours["url"].endswith("/mcp")
        own = {"mcp": {"mission-control": {"type": "remote", "url": "u"}}}
        assert (await plugin.call("config", own))["given"] == [own]


@pytest.mark.parametrize("now", ["off", "silent"])
async def test_it_waits_for_no_tools_of_a_server_that_is_away(home: Path, board: Board, now: str) -> None:
    if now == "off":
        board.close()
    else:
        board.held.add("healthz")
    async with running(home) as plugin:
        assert (await plugin.call("config", {}))["given"] == [{}]


@pytest.mark.parametrize("case", ["of work", "open to others", "none"])
async def test_it_does_nothing_without_a_connection_of_its_own(home: Path, board: Board, case: str) -> None:
    stored = home / ".config" / "mission-control" / "connect.env"
    stored.chmod(0o644 if case == "open to others" else 0o600)
    if case == "none":
        stored.unlink()
    more = {"MISSION_CONTROL_RUN": "1"} if case == "of work" else {}
    async with running(home, **more) as plugin:
        assert (await plugin.heard(lambda one: "hooks" in one))["hooks"] == []
