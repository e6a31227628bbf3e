"""The whole way of a program: connected by a code, its events on the board, kept while the server is away, and out."""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.terminal import Printed, Terminal, ended
from tests.client.test_sign_in_by_code import OWNER, code_of
from tests.live.crew import Crew
from tests.live.servers import PATIENCE, TOKEN, Server

pytestmark = [pytest.mark.database, pytest.mark.once]
# A program that is as new as this, and writes down what it is told.
PROGRAM = """#!/bin/sh
if [ "$1" = --version ]; then echo "{version} (a program)"; else echo "$@" >> "$HOME/told"; fi
"""
EVENT = json.loads((Path(__file__).parents[1] / "programs" / "claude-code-hooks.json").read_text())["SessionStart"]


@pytest.fixture(scope="module")
async def browser(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of the owner, who has set the server up."""
    ours = {"Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as client:
        setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
        assert (await client.post("/setup", data=setup)).status_code == 303
        yield client


@pytest.fixture
async def board(browser: httpx.AsyncClient, request: pytest.FixtureRequest) -> str:
    """The id of a new board."""
    slug = request.node.name.replace("_", "-")[:40]
    made = await browser.post("/api/v1/boards", json={"name": slug, "slug": slug, "description": "d"})
    return str(made.json()["id"])


@pytest.fixture
def mara(server: Server, tmp_path: Path) -> Terminal:
    """A terminal on whose machine is Claude Code."""
    terminal = Terminal(tmp_path / "mara")
    terminal.fetch(server.url)
    install(terminal)
    return terminal


def install(terminal: Terminal, version: str = "2.1.332") -> None:
    path = terminal.folder / "bin" / "claude"
    path.parent.mkdir(exist_ok=True)
    path.write_text(PROGRAM.format(version=version))
    path.chmod(0o755)
    terminal.environment["PATH"] = f"{path.parent}:/usr/bin:/bin"


async def connected(terminal: Terminal, browser: httpx.AsyncClient, board: str, *more: str) -> Printed:
    """What is printed when it is connected, after its person approved that."""
    process = await terminal.start("connect", "claude-code", "--board", board, "--yes", *more)
    code = await code_of(process)
    approval = {"user_code": code, "agent": f"{board}:new"}
    assert (await browser.post("/device/approvals", data=approval)).status_code == 303
    return await ended(process)


def settings(terminal: Terminal) -> Path:
    return terminal.folder / ".claude" / "settings.json"


async def hand_on(terminal: Terminal, event: dict[str, Any]) -> str:
    """What the command for SessionStart prints, as it stands in the settings."""
    [group] = json.loads(settings(terminal).read_text())["hooks"]["SessionStart"]
    command = shlex.split(group["hooks"][0]["command"])
    environment = {"HOME": str(terminal.folder), "PATH": "/usr/bin:/bin"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    printed = await ended(process, json.dumps(event))
    assert (printed.code, printed.err) == (0, "")
    return printed.out


async def sessions(browser: httpx.AsyncClient, board: str, at_least: int) -> set[str]:
    """The sessions of a board by the ids of their program, as soon as there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            items = (await browser.get(f"/api/v1/boards/{board}/sessions")).json()["items"]
            if len(items) >= at_least:
                return {one["external_id"] for one in items}
            await asyncio.sleep(0.1)


async def test_connected_seen_kept_and_out(browser: httpx.AsyncClient, board: str, mara: Terminal) -> None:
    done = await connected(mara, browser, board)
    assert done.code == 0 and "Claude Code 2.1.332 is connected" in done.out, done
    told = (mara.folder / "told").read_text()
    assert "mcp add --transport http --scope user mission-control" in told and "${MISSION_CONTROL_TOKEN}" in told
    token = json.loads(settings(mara).read_text())["env"]["MISSION_CONTROL_TOKEN"]
    assert token not in done.out and token not in told

    assert await hand_on(mara, {**EVENT, "session_id": "first"}) == "{}\n"
    assert await sessions(browser, board, 1) == {"first"}
    stored = mara.config / "connect.env"
    here = stored.read_text()
    stored.write_text(here.replace(mara_port(here), ":9"))
    assert await hand_on(mara, {**EVENT, "session_id": "away"}) == "{}\n"
    stored.write_text(here)
    assert await hand_on(mara, {**EVENT, "session_id": "back"}) == "{}\n"
    assert await sessions(browser, board, 3) == {"first", "away", "back"}

    assert "Connected on this machine: claude-code 2.1.332" in await mara.done("status")
    again = await mara.done("connect", "claude-code", "--yes")
    assert "Its settings stay as they are" in again
    out = await mara.done("disconnect", "claude-code")
    assert "removed, there was none before" in out and "The connection has ended" in out
    left = [one.name for one in mara.folder.rglob("*") if one.is_file() and "mission-control" in str(one)]
    assert [name for name in left if not name.startswith("agent-")] == [] and not settings(mara).exists()
    assert (await mara.run("disconnect", "claude-code")).code == 1


def mara_port(text: str) -> str:
    return ":" + text.split("\n")[0].rsplit(":", 1)[1]


@pytest.fixture
def own(made: Crew, mara: Terminal) -> list[str]:
    """What connects it with an agent's own token, without a code."""
    path = mara.config / "connections" / "own.env"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(f"MISSION_CONTROL_URL={made.server.url}\nMISSION_CONTROL_TOKEN={made.vega.token}\n")
    path.chmod(0o600)
    return ["connect", "claude-code", "--connection", "own"]


async def test_only_shown_without_a_yes(mara: Terminal, own: list[str]) -> None:
    shown = await mara.done("connect", "claude-code", "--dry-run")
    assert "+++" in shown and "PostToolUse" in shown and "Nothing was changed" in shown
    assert not settings(mara).exists()
    refused = await mara.run(*own)
    assert refused.code == 2 and "`--yes` agrees" in refused.err and not settings(mara).exists()


@pytest.mark.parametrize("is_repository", [True, False], ids=["repository", "empty folder"])
async def test_token_stays_out_of_repositories(mara: Terminal, own: list[str], is_repository: bool) -> None:
    git = mara.folder / ".claude" / ".git"
    git.mkdir(parents=True)
    if is_repository:
        (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert ("has to set MISSION_CONTROL_TOKEN" in await mara.done(*own, "--yes")) == is_repository
    assert ("mca_" not in settings(mara).read_text()) == is_repository


async def test_program_that_is_missing_or_old_is_refused_first(mara: Terminal) -> None:
    install(mara, "2.1.9")
    old = await mara.run("connect", "claude-code", "--yes")
    assert (
        old.code == 1
        and "Claude Code is 2.1.9; 2.1.295 or newer is needed" in old.err
        and "claude.ai/install.sh" in old.err
    )
    missing = await mara.run("connect", "codex", "--yes")
    assert missing.code == 1 and "There is no codex here" in missing.err
    unknown = await mara.run("connect", "emacs")
    assert unknown.code == 2
    assert not mara.config.exists()


async def test_hook_never_fails_its_program(mara: Terminal) -> None:
    for arguments in (
        ["hook"],
        ["hook", "claude-code"],
        ["hook", "claude-code", "--headers"],
        ["hook", "x", "--connection"],
    ):
        printed = await mara.run(*arguments, typed="no JSON")
        assert (printed.code, printed.out, printed.err) == (0, "{}\n", ""), arguments


async def test_ended_connection_says_so_once_a_session(mara: Terminal, own: list[str]) -> None:
    await mara.done(*own, "--yes")
    kept = mara.config / "connections" / "own.env"
    kept.write_text(kept.read_text().replace("mca_", "mca_x"))
    answer = json.loads(await hand_on(mara, EVENT))
    assert "not on the board" in answer["systemMessage"]
    assert await hand_on(mara, {**EVENT, "hook_event_name": "Stop"}) == "{}\n"


PUSH = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": "t", "tool_input": {"command": "git push"}}


async def held(terminal: Terminal, **more: Any) -> dict[str, Any]:
    """What the command that holds calls says to one, as it stands in the settings."""
    groups = json.loads(settings(terminal).read_text())["hooks"]["PreToolUse"]
    [hook] = [one for group in groups for one in group["hooks"] if " gate " in one["command"]]
    assert (hook["onFailure"], hook["timeout"]) == ("block", 600)
    environment = {"HOME": str(terminal.folder), "PATH": "/usr/bin:/bin"}
    pipe, command = asyncio.subprocess.PIPE, shlex.split(hook["command"])
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    printed = await ended(process, json.dumps({**EVENT, **PUSH, **more}))
    assert (printed.code, printed.err) == (0, "")
    answer: dict[str, Any] = json.loads(printed.out)
    said: dict[str, Any] = answer.get("hookSpecificOutput", answer)
    return said


async def decided(browser: httpx.AsyncClient, board: str, decision: str) -> None:
    """Answer what a program asks, as soon as it asks."""
    path = f"/api/v1/boards/{board}/approvals"
    async with asyncio.timeout(PATIENCE):
        while not (found := (await browser.get(f"{path}?status=pending")).json()["items"]):
            await asyncio.sleep(0.1)
    body = {"decision": decision, "substance": found[0]["substance"]}
    assert (await browser.post(f"{path}/{found[0]['id']}/decisions", json=body)).status_code == 200


async def test_calls_are_held_as_the_board_and_its_person_want(
    browser: httpx.AsyncClient, board: str, mara: Terminal
) -> None:
    rules = {"call_rules": {"must": ["Bash(git push *)"]}}
    assert (await browser.patch(f"/api/v1/boards/{board}", json=rules)).status_code == 200
    done = await connected(mara, browser, board, "--must", "Bash(make deploy)")
    assert "Bash(make deploy), Bash(git push *). If the board is down, they are refused." in done.out, done
    [one] = [c for c in (await browser.get("/api/v1/connections")).json()["items"] if c["board_id"] == board]
    assert one["must"] == ["Bash(make deploy)", "Bash(git push *)"] and one["board_must"] == ["Bash(git push *)"]

    assert await held(mara, tool_input={"command": "git status"}) == {}
    for decision, expected in (("approved", "allow"), ("rejected", "deny")):
        answer, _ = await asyncio.gather(held(mara, tool_use_id=decision), decided(browser, board, decision))
        assert answer["permissionDecision"] == expected
    stored = mara.config / "connect.env"
    here = stored.read_text()
    for away in (here.replace(mara_port(here), ":9"), here.replace("mca_", "mca_x"), "broken"):
        stored.write_text(away)
        refused = await held(mara, tool_input={"command": "cd x && make  deploy"})
        assert refused["permissionDecision"] == "deny" and "does not answer" in refused["permissionDecisionReason"]
        assert await held(mara, tool_input={"command": "git status"}) == {}
    stored.write_text(here)
    assert "Its settings stay as they are" in await mara.done("connect", "claude-code", "--yes")
    await mara.done("disconnect", "claude-code")
    assert not settings(mara).exists()


async def test_what_no_gate_can_read_is_refused(mara: Terminal) -> None:
    for typed in ("", "no JSON", "[]", "{}"):
        printed = await mara.run("gate", "claude-code", "--must", "Bash", typed=typed)
        assert printed.code == 0 and json.loads(printed.out)["hookSpecificOutput"]["permissionDecision"] == "deny"


async def test_gates_that_cannot_be_are_refused(mara: Terminal, own: list[str]) -> None:
    bad = await mara.run(*own, "--yes", "--must", "Edit(src/**)")
    assert bad.code == 2 and "Only commands of Bash" in bad.err and not settings(mara).exists()
