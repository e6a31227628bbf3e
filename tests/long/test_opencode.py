"""The real opencode, unmodified, on the board by the plugin that `connect` writes, with a model on loopback."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mission_control.client.programs import opencode
from tests.live.crew import Crew, crew
from tests.live.servers import API, Installation, Server
from tests.long.test_gemini_cli import be_the_person, done_in
from tests.long.test_hooks_of_programs import decide, through
from tests.mcp.fake_model import FINISHED, SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, finish

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("opencode")
    async with Installation(folder, f"sqlite:///{folder}/opencode.sqlite3").served() as running:
        yield running


def connected(made: Crew, home: Path, model: str, **asks: str) -> dict[str, str]:
    """The environment of an opencode whose person has connected it."""
    stored = home / ".config" / "mission-control" / "connect.env"
    stored.parent.mkdir(parents=True, mode=0o700)
    stored.write_text(f"MISSION_CONTROL_URL={made.server.url}\nMISSION_CONTROL_TOKEN={made.vega.token}\n")
    stored.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        plugin = Path(opencode.PROGRAM.plugin_path)
        plugin.parent.mkdir(parents=True)
        plugin.write_bytes(opencode.plugin_of(""))
    options = {"baseURL": f"{model}/v1", "apiKey": "none"}
    models = {"fake-1": {"name": "fake", "cost": {"input": 1, "output": 10}}}
    provider = {"npm": "@ai-sdk/anthropic", "name": "fake", "options": options, "models": models}
    settings = {"model": "fake/fake-1", "provider": {"fake": provider}, "permission": asks}
    quiet = {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    known = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return {**known, **quiet, "OPENCODE_CONFIG_CONTENT": json.dumps(settings)}


async def test_session_note_failure_stop_and_usage(programs: Path, server: Server, tmp_path: Path) -> None:
    made, home, stop = await crew(server), tmp_path / "home", tmp_path / "stopped"
    home.mkdir()
    wait = "until test -e {}; do sleep 0.2; done"
    commands = (
        f"cat walrus.txt; {wait.format(stop.with_name('noted'))}",
        "false walrus",
        f"env true; {wait.format(stop)}",
        "touch never.txt",
    )
    model = FakeModel([(SHELL, {"command": one}) for one in commands])
    person = asyncio.create_task(be_the_person(made, stop))
    async with served(model) as url:
        environment = connected(made, home, url)
        await finish(programs / "opencode", "run", "Zebra: work.", home=home, environment=environment)
    await asyncio.wait_for(person, PATIENCE)
    session = await through(made, "ended")
    acts = await done_in(made, session)
    ended = [(re.sub(r", \d+ (s|min)$", "", one["title"]), one["state"]) for one in acts if "CALL_END" in one["kind"]]
    assert ended[1:] == [
        ("Ran false, failed", "failed"), ("Ran env", "ok"), ("Ran touch, refused", "refused"),
    ]  # fmt: skip
    assert "Note from" in model.heard and "> Mind the wet paint." in model.heard
    assert "is stopped: Rain." in model.printed[-1] and not (home / "never.txt").exists()
    assert (session["cwd_label"], session["model"], session["mode"]) == ("home", "fake-1", "build")
    assert session["input_tokens"] == session["output_tokens"] == 5 and session["cost_usd"] > 0
    assert any(name.startswith("mission-control_") for name in model.offered)
    everything = repr(acts) + repr(session)
    assert "Zebra" not in everything and "walrus" not in everything and FINISHED not in everything


@asynccontextmanager
async def serving(program: Path, home: Path, environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """opencode as its own screen speaks with it."""
    process = await asyncio.create_subprocess_exec(
        *(program, "serve", "--port", "0", "--hostname", "127.0.0.1"),
        cwd=home,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            assert process.stdout is not None
            while (found := re.search(rb"listening on (http://\S+)", await process.stdout.readline())) is None:
                pass
        async with httpx.AsyncClient(base_url=found[1].decode(), timeout=PATIENCE) as screen:
            yield screen
    finally:
        process.kill()
        await process.wait()


async def asked_on_screen(screen: httpx.AsyncClient, command: str) -> dict[str, Any]:
    """The question about a command, as soon as it is on the screen."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in (await screen.get("/permission")).json():
                if one["metadata"].get("command") == command:
                    return dict(one)
            await asyncio.sleep(0.1)


async def test_people_answer_on_the_board_and_at_the_screen(programs: Path, server: Server, tmp_path: Path) -> None:
    made, home = await crew(server), tmp_path / "home"
    home.mkdir()
    approvals = f"{API}/boards/{made.board_id}/approvals"
    names = ("allowed", "denied", "there", "stopped", "never")
    commands = {name: f"touch {home}/{name}.txt" for name in names}
    model = FakeModel([(SHELL, {"command": one}) for one in commands.values()])
    async with (
        served(model) as url,
        serving(programs / "opencode", home, connected(made, home, url, bash="ask")) as screen,
    ):
        session = (await screen.post("/session", json={})).json()["id"]
        sent = {"parts": [{"type": "text", "text": "Zebra: work."}]}
        turn = asyncio.create_task(screen.post(f"/session/{session}/message", json=sent))
        await decide(made, commands["allowed"], decision="approved")
        await decide(made, commands["denied"], decision="rejected", note="Use a copy.")
        question = await asked_on_screen(screen, commands["there"])
        async with asyncio.timeout(PATIENCE):
            while not (found := (await made.ask("GET", f"{approvals}?status=pending"))["items"]):
                await asyncio.sleep(0.1)
            await screen.post(f"/permission/{question['id']}/reply", json={"reply": "once"})
            while (one := await made.ask("GET", f"{approvals}/{found[0]['id']}"))["status"] == "pending":
                await asyncio.sleep(0.1)
        assert (one["status"], one["note"]) == ("approved", "Answered at the keyboard: allowed.")
        await decide(made, commands["stopped"], decision="rejected", stop=True)
        await turn
    assert {one.stem for one in home.glob("*.txt")} == {"allowed", "there"}
    assert "Use a copy." in model.printed[1] and len(model.printed) == 3, "the turn ended with the last no"
    states = [one["answer_state"] for one in (await made.ask("GET", approvals))["items"]]
    assert states.count("sent") == 3
