"""The real Gemini CLI, unmodified, on the board as `connect` sets it up, with a model on loopback."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mission_control.client import script
from mission_control.client.changes import Kept
from mission_control.client.connect import Target
from mission_control.client.programs import gemini
from tests.live.crew import Crew, crew
from tests.live.servers import API, Installation, Server
from tests.mcp.fake_model import FINISHED, SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, finish

pytestmark = pytest.mark.long


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Installation(tmp_path, f"sqlite:///{tmp_path}/gemini.sqlite3").served() as running:
        yield running


async def run(program: Path, made: Crew, model: FakeModel, home: Path) -> None:
    """Let it work until its model has no more to do."""
    token, url = made.vega.token, made.server.url
    settings, stored = home / ".gemini" / "settings.json", home / ".config" / "mission-control" / "connect.env"
    for path in (settings, stored):
        path.parent.mkdir(parents=True, mode=0o700)
    stored.write_text(f"MISSION_CONTROL_URL={url}\nMISSION_CONTROL_TOKEN={token}\n")
    stored.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        script.write()
        target = Target(str(program), url, token, "", in_settings=True, asks=False)
        settings.write_bytes(
            gemini.PROGRAM.files(Kept("gemini"))[0].add(
                b'{"security": {"auth": {"selectedType": "gemini-api-key"}}}', target
            )
        )
    async with served(model) as address:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GOOGLE_GEMINI_BASE_URL": address, **gemini.QUIET}
        command = ("-p", "Zebra: work.", "-m", gemini.MODEL, "--approval-mode", "yolo")
        await finish(program, *command, home=home, environment=environment)


async def session_of(made: Crew) -> dict[str, Any] | None:
    found = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    return found[0] if found else None


async def done_in(made: Crew, session: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"{API}/boards/{made.board_id}/sessions/{session['id']}/activities?limit=200"
    found: list[dict[str, Any]] = (await made.ask("GET", path))["items"]
    return found


async def until(made: Crew, what: str) -> dict[str, Any]:
    """The session, as soon as it has done something of this title."""
    while True:
        session = await session_of(made)
        if session is not None and what in {one["title"] for one in await done_in(made, session)}:
            return session
        await asyncio.sleep(0.1)


async def be_the_person(made: Crew, stop: Path) -> None:
    """Send a note while the first command runs; stop the agent while a later one does."""
    session = await until(made, "Running cat")
    notes = f"{API}/boards/{made.board_id}/sessions/{session['id']}/notes"
    await made.ask("POST", notes, {"text": "Mind the wet paint."})
    stop.with_name("noted").touch()
    await until(made, "Running env")
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "stopped", "reason": "Rain"})
    stop.touch()


async def test_session_note_failure_stop_and_usage(programs: Path, server: Server, tmp_path: Path) -> None:
    made, home, stop = await crew(server), tmp_path / "home", tmp_path / "stopped"
    wait = "until test -e {}; do sleep 0.2; done"
    commands = (
        f"cat walrus.txt; {wait.format(stop.with_name('noted'))}",
        "false walrus",
        f"env true; {wait.format(stop)}",
        "touch never.txt",
    )
    model = FakeModel([(SHELL, {"command": one}) for one in commands])
    person = asyncio.create_task(be_the_person(made, stop))
    await run(programs / "gemini", made, model, home)
    await asyncio.wait_for(person, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not ((session := await session_of(made)) and session["input_tokens"] == 5 and session["ended_at"]):
            await asyncio.sleep(0.1)
    items = await done_in(made, session)
    ended = [(one["title"], one["state"]) for one in items if one["kind"] == "TOOL_CALL_END"]
    assert ended[1:] == [("Ran false, failed", "failed"), ("Ran env", "ok"), ("Ran touch, refused", "refused")]
    assert "Note from" in model.heard and "Mind the wet paint." in model.heard
    assert "is stopped: Rain." in model.printed[-1] and not (home / "never.txt").exists()
    assert (session["cwd_label"], session["model"], session["mode"]) == ("home", gemini.MODEL, "yolo")
    everything = repr(items) + repr(session)
    assert "Zebra" not in everything and "walrus" not in everything and FINISHED not in everything
