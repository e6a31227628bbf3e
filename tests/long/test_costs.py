"""What the board says that a program used, against what its model was asked: a token in and a token out a request.

A row for each way and program: to the token, or at least so much. What gateways count is held against their requests
in `tests/gateways/test_usage.py`, per run and with turns between two looks.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mission_control.client.programs import gemini
from tests.client.shop import git
from tests.client.terminal import Terminal
from tests.live.crew import crew
from tests.live.servers import API, Server, installation
from tests.long.test_worker_programs import adapters
from tests.mcp.fake_model import SHELL, FakeModel, Step, served
from tests.mcp.node_clients import QUIET_CLAUDE, finish
from tests.programs.connected import Person, person, until

pytestmark = [pytest.mark.long, pytest.mark.database]
__all__ = ["adapters"]

BY_TOOLS: list[Step] = [
    (SHELL, {"command": "sleep 3"}),  # Codex does not wait for the tools of servers
    ("next", {"wait_seconds": 0}),
    ("report", {"did": ["Looked"], "doing": "Mend it"}),
    (SHELL, {"command": "echo seen"}),
    ("finish", {"task_id": "$task.id", "fence": "$lease.fence", "summary": "Done."}),
]
COMMANDS = {
    "claude-code": ("claude", "-p", "Work.", "--allowedTools", "Bash,mcp__mission-control", "--output-format", "json"),
    "codex": ("codex", "exec", "--skip-git-repo-check", "--json", "Work."),
    "opencode": ("opencode", "run", "Work."),
    "gemini": ("gemini", "-p", "Work.", "-m", gemini.MODEL, "--approval-mode", "yolo"),
}
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


def settings(home: Path, client: str, model: str) -> dict[str, str]:
    """Let a program speak with the model and ask nobody; return what its environment needs."""
    if client == "claude-code":
        return {"ANTHROPIC_BASE_URL": model, **QUIET_CLAUDE}
    if client == "codex":
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(CODEX.format(model=model))
        return {"FAKE_KEY": "none"}
    if client == "gemini":
        (home / ".gemini").mkdir()
        (home / ".gemini" / "settings.json").write_text('{"security": {"auth": {"selectedType": "gemini-api-key"}}}')
        return {"GOOGLE_GEMINI_BASE_URL": model, **gemini.QUIET}
    options = {"baseURL": f"{model}/v1", "apiKey": "none"}
    provider = {"npm": "@ai-sdk/anthropic", "options": options, "models": {"fake-1": {}}}
    wanted = {"provider": {"fake": provider}, "model": "fake/fake-1", "small_model": "fake/fake-1", "autoupdate": False}
    (home / ".config" / "opencode").mkdir(parents=True)
    (home / ".config" / "opencode" / "opencode.json").write_text(json.dumps(wanted))
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1"}


@dataclass
class Place:
    """A server, and a folder with the programs."""

    server: Server
    programs: Path
    adapters: Path
    folder: Path


@dataclass
class Seen:
    """What was served, what the session and the run say of it, and whether more may have been used."""

    served: int
    session: dict[str, Any]
    run: dict[str, Any]


async def _turn(made: Person, place: Place, client: str, model: FakeModel) -> None:
    """Connect a program and let it take one turn."""
    async with served(model) as url:
        environment = settings(made.home, client, url)
        await made.connect(client)
        (made.home / "connected").touch()
        program, *command = COMMANDS[client]
        known = {**made.terminal.environment, "HOME": str(made.home), **environment}
        await finish(place.programs / program, *command, home=made.home, environment=known)


async def _task(made: Person) -> str:
    fields = {"title": "Mend it", "description": "d"}
    return str((await made.browser.post(f"{API}/boards/{made.board}/tasks", json=fields)).json()["id"])


async def _seen(made: Person, task: str, model: FakeModel) -> Seen:
    """The figures, as soon as all is counted or nothing more comes."""

    async def read() -> Seen:
        session = await made.session()
        runs = (await made.read(f"/boards/{made.board}/tasks/{task}/runs"))["items"]
        return Seen(model.requests, session or {}, runs[0] if runs else {})

    found = await read()
    for _ in range(60):
        if found.session.get("ended_at") and found.session["input_tokens"] >= model.requests:
            break
        await asyncio.sleep(0.2)
        found = await read()
    return found


async def connected(place: Place, client: str) -> Seen:
    """A turn of a session that its person puts to a task while it goes on."""
    async with person(place.server, place.programs, place.folder / "bare" / "home") as made:
        go = made.home / "go"
        waits = f"until test -e {go}; do sleep 0.2; done"
        model, task = FakeModel([(SHELL, {"command": waits}), (SHELL, {"command": "echo on"})]), await _task(made)
        turn = asyncio.create_task(_turn(made, place, client, model))
        session = await until(made.session, lambda one: one is not None and one["activity_count"] > 2)
        assert session is not None
        path = f"{API}/boards/{made.board}/sessions/{session['id']}/task"
        answer = await made.browser.put(path, json={"task_id": task})
        assert answer.status_code == 200, answer.text
        go.touch()
        await turn
        return await _seen(made, task, model)


async def by_tools(place: Place, client: str) -> Seen:
    """A task that the program takes and hands in by the tools of the board."""
    async with person(place.server, place.programs, place.folder / "bare" / "home") as made:
        task, model = await _task(made), FakeModel(BY_TOOLS)
        await _turn(made, place, client, model)
        return await _seen(made, task, model)


async def by_work(place: Place, client: str) -> Seen:
    """A task that `work` has the program do."""
    made, home, top = await crew(place.server), place.folder / "home", place.folder / "shop"
    terminal, task = Terminal(home), await made.add_task("Mend it", description="d")
    terminal.fetch(place.server.url)
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "README.md").write_text("A shop.\n")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Begin")
    model = FakeModel([(SHELL, {"command": "echo seen >> work.txt"})])

    async def say_yes() -> None:
        path = f"{API}/boards/{made.board_id}/approvals"
        while True:
            for one in (await made.ask("GET", f"{path}?status=pending"))["items"]:
                await made.ask("POST", f"{path}/{one['id']}/decisions", {"decision": "approved"})
            await asyncio.sleep(0.2)

    async with served(model) as url:
        terminal.environment |= {
            "PATH": f"{place.adapters}:{place.programs}:{os.environ['PATH']}", "IS_SANDBOX": "1",
            "MISSION_CONTROL_URL": place.server.url, "MISSION_CONTROL_TOKEN": made.vega.token,
            **settings(home, client, url),
        }  # fmt: skip
        asking = asyncio.create_task(say_yes())
        named = "claude" if client == "claude-code" else client
        printed = await terminal.run("work", "--agent", named, "--repository", str(top), "--once")
        asking.cancel()
    assert printed.code == 0, printed
    [session] = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    [run] = (await made.ask("GET", f"{made.tasks}/{task}/runs"))["items"]
    return Seen(model.requests, session, run)


async def by_http(place: Place, client: str) -> Seen:
    """A task of an agent of its own, which reports each request."""
    made, model = await crew(place.server), FakeModel([])
    task, agent = await made.add_task("Mend it"), f"{API}/agent"
    headers = {"X-Agent-Token": made.vega.token}
    async with served(model) as url, httpx.AsyncClient(base_url=place.server.url, headers=headers) as http:
        claimed = (await http.post(f"{agent}/boards/{made.board_id}/claims", json={})).json()
        about = {"task_id": task, "fence": claimed["lease"]["fence"], "session": {"external_id": "1", "client": client}}
        for _ in range(3):
            asked = {"model": "fake", "messages": [{"role": "user", "content": "Work."}]}
            used = (await http.post(f"{url}/v1/messages", json=asked)).json()["usage"]
            assert (await http.post(f"{agent}/reports", json={**about, "usage": [used]})).status_code == 200
    [session] = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    [run] = (await made.ask("GET", f"{made.tasks}/{task}/runs"))["items"]
    return Seen(model.requests, session, run)


WAYS: dict[str, Callable[[Place, str], Awaitable[Seen]]] = {
    "connected": connected, "board tools": by_tools, "work": by_work, "plain": by_http,
}  # fmt: skip
COMBINATIONS = [
    *((way, client) for way in ("connected", "board tools", "work") for client in COMMANDS),
    ("plain", "own"),
]
AT_LEAST = [("connected", "opencode"), ("board tools", "opencode"), ("work", "gemini")]


@pytest.mark.parametrize(("way", "client"), COMBINATIONS)
async def test_what_is_shown_is_what_was_served(
    programs: Path, adapters: Path, tmp_path: Path, way: str, client: str
) -> None:
    async with installation(tmp_path) as here, here.served() as server:
        seen = await WAYS[way](Place(server, programs, adapters, tmp_path), client)
    shown = [tuple(of[name] for name in ("input_tokens", "output_tokens", "gaps")) for of in (seen.session, seen.run)]
    print(f"{way} | {client} | served {seen.served} | session, run {shown}")
    for tokens_in, tokens_out, gaps in shown:
        assert tokens_in == tokens_out and bool(gaps) is ((way, client) in AT_LEAST)
        assert 0 < tokens_in <= seen.served if gaps else tokens_in == seen.served
