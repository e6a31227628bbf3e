"""The real Claude Code and Codex, unmodified, on the board by their own hooks, with a model on loopback."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live.crew import Crew, crew
from tests.live.servers import API, Installation, Server
from tests.mcp.fake_model import FINISHED, SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, QUIET_CLAUDE, finish

pytestmark = pytest.mark.long

EVENTS = (
    *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "UserPromptSubmit", "Notification", "Stop"),
    *("SessionEnd", "StopFailure", "PermissionRequest", "PermissionDenied", "SubagentStart", "SubagentStop"),
    *("TaskCreated", "TaskCompleted", "InstructionsLoaded", "PreCompact", "PostCompact", "ConfigChange"),
)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("hooks")
    async with Installation(folder, f"sqlite:///{folder}/hooks.sqlite3").served() as running:
        yield running


def settings_for(server: Server, token: str) -> dict[str, Any]:
    """What stands in the settings of a person whose Claude Code is connected."""
    hook = {
        "type": "http",
        "url": f"{server.url}{API}/connect/claude-code/hooks",
        "timeout": 3,
        "headers": {"Authorization": "Bearer $MISSION_CONTROL_TOKEN"},
        "allowedEnvVars": ["MISSION_CONTROL_TOKEN"],
    }
    exports = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{server.url}{API}/connect/otlp",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {token}",
    }
    hooks = {name: [{"hooks": [hook]}] for name in EVENTS}
    hooks["PermissionRequest"] = [{"hooks": [hook | {"timeout": 600}]}]  # so long people have
    return {"hooks": hooks, "env": exports}


CODEX = """
model = "fake"
model_provider = "fake"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.fake]
name = "fake"
base_url = "{model}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"
"""
EVENTS_OF_CODEX = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PermissionRequest", "PostModelRequest", "Stop"),
)


def config_for(server: Server, model: str) -> str:
    """What stands in the settings of a person whose Codex is connected."""
    text = CODEX.format(model=model)
    hooks = f"{server.url}{API}/connect/codex/hooks"
    command = f'curl -s -H "X-Agent-Token: $MISSION_CONTROL_TOKEN" --data-binary @- {hooks}'
    for event in EVENTS_OF_CODEX:
        text += f"\n[[hooks.{event}]]\n[[hooks.{event}.hooks]]\ntype = \"command\"\ncommand = '{command}'\n"
        text += f"timeout = {60 if event == 'PermissionRequest' else 3}\n"
    return text


async def run(
    programs: Path, client: str, server: Server, token: str, model: FakeModel, home: Path, *allowed: str
) -> None:
    """Let a program work until its model has no more to do; tools that are allowed are not asked for."""
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "MISSION_CONTROL_TOKEN": token}
    command: tuple[str, ...]
    async with served(model) as url:
        if client == "claude":
            (home / "settings.json").write_bytes(orjson.dumps(settings_for(server, token)))
            environment |= {"ANTHROPIC_BASE_URL": url, **QUIET_CLAUDE}
            given = ("--settings", str(home / "settings.json"), "--strict-mcp-config", *allowed)
            command = ("-p", "Zebra: work.", *given, "--output-format", "json")
        else:
            (home / "config.toml").write_text(config_for(server, url))
            environment |= {"CODEX_HOME": str(home), "FAKE_KEY": "none"}
            command = ("exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", "--json", "Zebra: work.")
        await finish(programs / client, *command, home=home, environment=environment)


async def session_of(made: Crew) -> dict[str, Any] | None:
    found = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    return found[0] if found else None


async def until(made: Crew, what: str) -> dict[str, Any]:
    """The session, as soon as it has done something of this title."""
    while True:
        session = await session_of(made)
        if session is not None and what in {one["title"] for one in await done_in(made, session)}:
            return session
        await asyncio.sleep(0.1)


async def through(made: Crew, state: str) -> dict[str, Any]:
    """The session, as soon as it is in a state and what its requests cost is known: both are written a moment later."""
    async with asyncio.timeout(PATIENCE):
        while (session := await session_of(made)) is None or not session["input_tokens"] or session["state"] != state:
            await asyncio.sleep(0.1)
    return session


async def done_in(made: Crew, session: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"{API}/boards/{made.board_id}/sessions/{session['id']}/activities?limit=200"
    found: list[dict[str, Any]] = (await made.ask("GET", path))["items"]
    return found


async def be_the_person(made: Crew, stop: Path) -> None:
    """Send a note while the first command runs; stop the agent while a later one does."""
    session = await until(made, "Running cat")
    board = f"{API}/boards/{made.board_id}"
    await made.ask("POST", f"{board}/sessions/{session['id']}/notes", {"text": "Mind the wet paint."})
    stop.with_name("noted").touch()
    await until(made, "Running env")
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "stopped", "reason": "Rain"})
    stop.touch()


@pytest.mark.parametrize("client", ["claude", "codex"])
async def test_session_note_failure_stop_and_usage(programs: Path, server: Server, tmp_path: Path, client: str) -> None:
    made = await crew(server)
    stop = tmp_path / "stopped"
    wait = "for i in $(seq 300); do test -e {} && break; sleep 0.2; done"
    commands = (
        f"cat walrus.txt; {wait.format(stop.with_name('noted'))}",
        "false walrus",
        f"env true; {wait.format(stop)}",
        "touch never.txt",
    )
    model = FakeModel([(SHELL, {"command": one}) for one in commands])
    person = asyncio.create_task(be_the_person(made, stop))
    await run(programs, client, server, made.vega.token, model, tmp_path / "home", "--allowedTools", "Bash")
    await asyncio.wait_for(person, PATIENCE)

    session = await through(made, "ended" if client == "claude" else "idle")
    ended = [(one["title"], one["state"]) for one in await done_in(made, session) if one["kind"] == "TOOL_CALL_END"]
    assert ended[1:] == [
        ("Ran false, failed", "failed") if client == "claude" else ("Ran false", None),
        ("Ran env", "ok" if client == "claude" else None),
        ("Ran touch, refused", "refused"),
    ]
    assert "Note from" in model.heard and "> Mind the wet paint." in model.heard
    assert "is stopped: Rain." in model.printed[-1] and not (tmp_path / "home" / "never.txt").exists()
    assert session["cwd_label"] == "home"
    [note] = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions/{session['id']}/notes"))["items"]
    assert note["state"] == "read"
    everything = repr(await done_in(made, session)) + repr(session)
    assert "Zebra" not in everything and "walrus" not in everything and FINISHED not in everything


async def decide(made: Crew, command: str, **body: Any) -> dict[str, Any]:
    """Decide about a command as soon as the program asks for it, and return what was asked."""
    approvals = f"{API}/boards/{made.board_id}/approvals"
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in (await made.ask("GET", f"{approvals}?status=pending"))["items"]:
                if one["payload"]["session_request"]["command"] == command:
                    sent = {"substance": one["substance"], **body}
                    await made.ask("POST", f"{approvals}/{one['id']}/decisions", sent)
                    return dict(one)
            await asyncio.sleep(0.1)


async def rule(made: Crew, **rules: list[str]) -> None:
    await made.ask("PATCH", f"{API}/boards/{made.board_id}", {"call_rules": rules})


async def test_people_answer_what_claude_code_asks(programs: Path, server: Server, tmp_path: Path) -> None:
    made = await crew(server)
    home = tmp_path / "home"
    allowed, denied, always, ruled = (f"touch {home}/{name}.txt" for name in ("allowed", "denied", "always", "ruled"))
    model = FakeModel([(SHELL, {"command": one}) for one in (allowed, denied, always, always, ruled)])
    await rule(made, allow=[f"Bash({ruled} *)"])

    async def person() -> None:
        await decide(made, allowed, decision="approved")
        await decide(made, denied, decision="rejected", note="Use a copy.")
        asked = await decide(made, always, decision="approved", always=True)
        assert asked["payload"]["session_request"]["cwd"] == str(home)

    answering = asyncio.create_task(person())
    await run(programs, "claude", server, made.vega.token, model, home)
    await answering
    assert {one.name for one in home.glob("*.txt")} == {"allowed.txt", "always.txt", "ruled.txt"}
    assert "denied this on the board" in model.printed[1] and "Use a copy." in model.printed[1]
    found = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert [one["answer_state"] for one in found] == ["sent"] * 3, "the same command was not asked for again"
    assert str(home) not in str([one["payload"]["session_request"] for one in found]), "the board keeps names only"
