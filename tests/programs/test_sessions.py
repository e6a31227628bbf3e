"""The real Claude Code and Codex, unmodified, from an empty home to a home without them, with a model on loopback."""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live.servers import Installation, installation
from tests.mcp.fake_model import FINISHED, SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, QUIET_CLAUDE, finish
from tests.programs.connected import NOTE, SECRET, WORDS, Person, person, until
from tests.programs.keyboard import Keyboard, keyboard

pytestmark = [pytest.mark.programs, pytest.mark.database]

PLANNER = "claude-sonnet-4-5"  # newer models of Claude Code have no tool for a plan
COUNTED = "2,100 tokens of two requests"
ASKED = f"Work with {SECRET}."
READ, LIST = f"cat walrus.txt # {SECRET}", f"ls {SECRET}"  # which does not exist
FILES = {"claude-code": [".claude/settings.json"], "codex": [".codex/config.toml", ".codex/hooks.json", ".codex/.env"]}


@asynccontextmanager
async def connected(programs: Path, folder: Path, client: str) -> AsyncIterator[Person]:
    """Somebody with an empty home who connects a program, has it checked, and takes it off the board at last."""
    async with (
        installation(folder) as here,
        here.served(LOG_LEVEL="DEBUG") as server,
        person(server, programs, folder / SECRET / "home") as made,
    ):
        await made.connect(client)
        looked = await made.terminal.done("connect", client, "--check")
        assert "a whole turn arrived" in looked and COUNTED in looked and "by MCP: connected" in looked, looked
        [connection] = (await made.read("/connections"))["items"]
        checked = {check["name"]: check["state"] for check in connection["checked"]}
        assert checked["Timeline"] == checked["Usage"] == "ok"
        yield made
        await made.terminal.done("disconnect", client)
        assert [name for name in FILES[client] if (made.home / name).exists()] == []
        for path in made.home.rglob("*.json"):
            assert "mission-control" not in path.read_text(), path
        assert [one for one in (await made.read("/connections"))["items"] if one["ended_at"] is None] == []
        await nothing_is_kept(made, here)


async def nothing_is_kept(made: Person, here: Installation) -> None:
    """A secret of its person's work is in no column of any table, no line of the log, no answer and on no page."""
    assert here.sqlite_file is not None
    with closing(sqlite3.connect(here.sqlite_file)) as database:
        for line in database.iterdump():
            assert SECRET not in line
    for line in made.server.log.read_text().splitlines():
        assert SECRET not in line
    session = await made.session()
    assert session is not None and SECRET not in repr([session, await made.activities(session)])
    approvals = (await made.read(f"/boards/{made.board}/approvals"))["items"]
    board = f"/boards/{made.board}"
    shown = [f"{board}/sessions/{session['id']}", *(f"{board}/approvals/{one['id']}" for one in approvals)]
    for path in ("/", "/approvals", "/activity", "/agents/connected", "/agents/sessions", board, *shown):
        page = await made.browser.get(path)
        assert page.status_code == 200 and SECRET not in page.text, path


async def ended_calls(made: Person, session: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What ended how, without how long it took."""
    found = [one for one in await made.activities(session) if one["kind"] == "TOOL_CALL_END"]
    return [(re.sub(r", \d+ (s|min)$", "", one["title"]), one["state"]) for one in found]


async def over(made: Person, model: FakeModel, state: str) -> dict[str, Any]:
    """The session, as soon as it is in a state and all its requests are counted: both are written a moment later."""
    found = await until(made.session, lambda one: one is not None and one["state"] == state and _spent(one, model))
    assert found is not None
    return found


def _spent(session: dict[str, Any], model: FakeModel) -> bool:
    return (session["input_tokens"], session["output_tokens"]) == (model.requests, model.requests)


async def as_a_board_keeps_it(made: Person, session: dict[str, Any]) -> None:
    """The note was read, and what was asked is answered."""
    [note] = (await made.read(f"/boards/{made.board}/sessions/{session['id']}/notes"))["items"]
    assert (note["text"], note["state"]) == (NOTE, "read")
    approvals = (await made.read(f"/boards/{made.board}/approvals"))["items"]
    assert {one["status"]: one["answer_state"] for one in approvals} == {"approved": "sent", "rejected": "sent"}
    page = (await made.browser.get(f"/boards/{made.board}/sessions/{session['id']}")).text
    assert NOTE in page and FINISHED not in page


async def test_claude_code(programs: Path, tmp_path: Path) -> None:
    async with connected(programs, tmp_path, "claude-code") as made:
        allowed, denied = (f"touch {made.home}/{name}.txt" for name in ("allowed", "denied"))
        plan = ("TaskCreate", {"subject": "Paint the hull", "description": SECRET})
        commands = [(SHELL, {"command": one}) for one in (READ, LIST, allowed, denied)]
        model = FakeModel([commands[0], plan, *commands[1:]])
        (made.home / "walrus.txt").write_text(SECRET)
        answering = asyncio.create_task(made.be_there(allowed, denied=denied))
        async with served(model) as url:
            environment = {**made.terminal.environment, "HOME": str(made.home), "ANTHROPIC_BASE_URL": url}
            given = ("--allowedTools", "Bash(cat:*)", "Bash(ls:*)", "--output-format", "json", "--model", PLANNER)
            await finish(
                *(programs / "claude", "-p", ASKED, *given),
                home=made.home, environment=environment | QUIET_CLAUDE,
            )  # fmt: skip
        await answering

        session = await over(made, model, "ended")
        assert await ended_calls(made, session) == [
            ("Ran cat", "ok"),
            ("Ran ls, failed", "failed"),
            ("Ran touch", "ok"),
            ("Ran touch, refused", "refused"),
        ]
        assert [step["text"] for step in session["plan"]] == ["Paint the hull"]
        assert NOTE in model.heard and WORDS in model.printed[-1]
        assert (made.home / "allowed.txt").exists() and not (made.home / "denied.txt").exists()
        await as_a_board_keeps_it(made, session)


async def test_claude_code_is_answered_at_its_keyboard_first(programs: Path, tmp_path: Path) -> None:
    async with connected(programs, tmp_path, "claude-code") as made:
        command = f"touch {made.home}/local.txt"
        async with served(FakeModel([(SHELL, {"command": command})])) as url:
            async with keyboard(programs, made, url) as keys:
                await answered_locally(made, keys, command)
        assert (made.home / "local.txt").exists()


async def answered_locally(made: Person, keys: Keyboard, command: str) -> None:
    asked = await made.asked(command)
    await keys.shows("Yes")
    keys.type("1")
    path = f"/boards/{made.board}/approvals/{asked['id']}"
    found = await until(lambda: made.read(path), lambda one: bool(one["status"] != "pending"))
    assert found["status"] == "approved" and re.fullmatch(r"Answered at the keyboard of \S+: allowed\.", found["note"])
    late = {"decision": "approved", "substance": asked["substance"]}
    assert (await made.browser.post(f"/api/v1{path}/decisions", json=late)).status_code == 409


async def test_codex(programs: Path, tmp_path: Path) -> None:
    """By its server, because `codex exec` asks for nothing; without a sandbox, which a chroot does not let it have."""
    async with connected(programs, tmp_path, "codex") as made:
        allowed, denied = (f"touch {made.home}/{name}.txt" for name in ("allowed", "denied"))
        (made.home / "walrus.txt").write_text(SECRET)
        commands = (READ, LIST, allowed, denied)
        model = FakeModel([(SHELL, {"command": one}) for one in commands])
        answering = asyncio.create_task(made.be_there(*commands[:-1], denied=denied))
        async with served(model) as url:
            await turn_of_codex(programs, made, url)
        await answering

        session = await over(made, model, "idle")
        assert await ended_calls(made, session) == [
            ("Ran cat", "ok"),
            ("Ran ls, failed", "failed"),
            ("Ran touch", "ok"),
        ]  # of a call that was denied its hooks tell nothing
        assert NOTE in model.heard and WORDS in model.printed[-1]
        assert (made.home / "allowed.txt").exists() and not (made.home / "denied.txt").exists()
        await as_a_board_keeps_it(made, session)


async def test_what_the_sandbox_of_codex_stops_is_told_as_failed(programs: Path, tmp_path: Path) -> None:
    """A sandbox stops it also where it cannot be set up."""
    async with connected(programs, tmp_path, "codex") as made:
        model = FakeModel([(SHELL, {"command": f"touch {made.home}/stopped.txt"})])
        async with served(model) as url:
            environment = {**made.terminal.environment, "HOME": str(made.home), "FAKE_KEY": "none"}
            command = ("exec", "--skip-git-repo-check", *fake_provider(url), "-s", "read-only", ASKED)
            await finish(programs / "codex", *command, home=made.home, environment=environment)
        session = await over(made, model, "ended")
        assert await ended_calls(made, session) == [("Ran touch, failed", "failed")]
        assert not (made.home / "stopped.txt").exists()


def fake_provider(url: str) -> tuple[str, ...]:
    provider = f'{{name = "fake", base_url = "{url}/v1", env_key = "FAKE_KEY", wire_api = "responses"}}'
    return ("-c", f"model_providers.fake={provider}", "-c", 'model_provider="fake"', "-c", 'model="fake"')


async def turn_of_codex(programs: Path, made: Person, url: str) -> None:
    """Have Codex take one turn as its own interface does, in which nobody sits at the keyboard."""
    process = await asyncio.create_subprocess_exec(
        programs / "codex", *fake_provider(url), "app-server",
        cwd=made.home, env={**made.terminal.environment, "HOME": str(made.home), "FAKE_KEY": "none"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True, limit=10_000_000,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    say, hear = process.stdin, process.stdout
    said: list[dict[str, Any]] = []

    async def ask(number: int, method: str, params: dict[str, Any]) -> Any:
        say.write(orjson.dumps({"id": number, "method": method, "params": params}) + b"\n")
        return (await heard(lambda one: one.get("id") == number and "result" in one))["result"]

    async def heard(is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            line = await hear.readline()
            assert line, said[-3:]
            said.append(orjson.loads(line))
            if is_it(said[-1]):
                return said[-1]

    try:
        async with asyncio.timeout(PATIENCE):
            await ask(1, "initialize", {"clientInfo": {"name": "test", "title": "Test", "version": "1"}})
            say.write(b'{"method": "initialized"}\n')
            begun = {"cwd": str(made.home), "approvalPolicy": "untrusted", "sandbox": "danger-full-access"}
            thread = (await ask(2, "thread/start", begun))["thread"]["id"]
            await ask(3, "turn/start", {"threadId": thread, "input": [{"type": "text", "text": ASKED}]})
            await heard(lambda one: one.get("method") == "turn/completed")
    except TimeoutError:
        raise AssertionError(f"last heard: {said[-5:]}") from None
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # a wrapper and what it started
        await process.wait()
    assert [one for one in said if str(one.get("method")).endswith("requestApproval")] == []
