"""Agents that know nothing but their workspace files run the commands in them, with Python and a shell."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.gateway_agents.provisioning.workspace import FILES, Role, WorkspaceFacts, workspace_files
from tests.gateway_agents.test_workspace_files import board_of
from tests.live.crew import Crew, Member, crew
from tests.live.servers import API, PATIENCE, Server, installation

pytestmark = pytest.mark.database

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


FIRST_START = re.compile(r"`((?:\./mc|mkdir|command|rm) [^`]+)`")
HELPER = "/client.pyz"
INBOX = "./mc GET '/api/v1/agent/inbox?after=0'"


def _without_helper(block: str, words: str) -> str:
    """A command; the one that makes the helper only when it is asked for."""
    return "" if HELPER in block and words != HELPER else block


@dataclass
class Workspace:
    """A folder with the files of an agent, and a shell in it that is new for every command."""

    folder: Path
    files: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def block(self, words: str) -> str:
        """The one command of the files that has these words in it."""
        found: set[str] = {
            one for text in self.files.values() for one in BLOCK.findall(text) if words in _without_helper(one, words)
        }
        assert len(found) == 1, (words, found)
        return found.pop()

    def line(self, words: str) -> str:
        """The one line of a command that has these words in it, with its here-document."""
        block = self.block(words)
        [start] = [at for at, one in enumerate(block.splitlines()) if words in one]
        lines = block.splitlines()[start:]
        end = next((lines.index(mark) for mark in ("JSON", "TEXT") if f"<<'{mark}'" in lines[0]), 0)
        return "\n".join(lines[: end + 1])

    async def run(self, command: str, **ids: str) -> str:
        """What a command prints; it must end well and print no error."""
        return await self._run(command, 0, ids)

    async def refused(self, command: str, code: int = 1, **ids: str) -> Any:
        return json.loads(await self._run(command, code, ids))["detail"]

    async def _run(self, command: str, code: int, ids: Mapping[str, str]) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **self.ids, **ids}
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", command, cwd=self.folder, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            printed, errors = await process.communicate()
        told = [line for line in errors.decode().splitlines() if not line.startswith("NEWS ")]  # beside the answer
        assert (process.returncode, told) == (code, []), f"{command}\n{printed.decode()}\n{errors.decode()}"
        return printed.decode()

    async def json(self, command: str, **ids: str) -> Any:
        return json.loads(await self.run(command, **ids))

    async def told(self) -> list[str]:
        return [one["header"] for one in (await self.json(INBOX))["items"]]


async def workspace(made: Crew, who: Member, role: Role, names: tuple[str, ...], folder: Path) -> Workspace:
    """The folder of an agent, with the files that its gateway takes, after the first start."""
    board = board_of("Telescope", id=UUID(made.board_id), objective="Find a comet.", max_agents=2)
    agent = Agent(id=UUID(who.id), name=who.name, is_board_lead=role == "lead", workspace_path=str(folder))
    facts = WorkspaceFacts(agent=agent, board=board, base_url=made.server.url, token=who.token)
    found = Workspace(folder, workspace_files(facts, names=names))
    folder.mkdir()
    for name, text in found.files.items():
        (folder / name).write_text(text)
    await found.run(found.block(HELPER))
    for command in FIRST_START.findall(found.files["BOOTSTRAP.md"]):
        await found.run(command)
    assert not (folder / "BOOTSTRAP.md").exists() and (folder / "memory").is_dir()
    return found


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with installation(tmp_path_factory.mktemp("walks")) as here, here.served() as running:
        yield running


@pytest.fixture(params=[pytest.param(FILES[:5], id="new"), pytest.param(FILES, id="old", marks=pytest.mark.thorough)])
async def names(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board with a lead and a worker, on which a lead may finish tasks."""
    return await crew(server)


@pytest.mark.parametrize("names", [FILES[:5], FILES], ids=["new", "old"], indirect=True)
async def test_worker_works_by_its_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    assert (await made.ask("GET", f"{API}/agents/{made.vega.id}"))["last_seen_at"] is not None
    assert (await vega.json("./mc GET /api/v1/agent/healthz"))["agent_id"] == made.vega.id
    assert {one.name for one in vega.folder.iterdir() if one.name.startswith(".mc")} == set()

    wanted = await made.add_task("Look at “Vega” & 'Lyra'", description="Slowly.\n\\n stays.")
    claimed = await vega.run(vega.block("./mc claim\n"))
    assert "# Task #1: Look at “Vega” & 'Lyra'" in claimed and "Slowly.\n\\n stays." in claimed
    await vega.run(vega.block("**Update**"))
    shown = await vega.run("./mc show")
    assert "**Evidence** 41 tests pass: `make test`\n  **Next**" in shown
    await vega.run(vega.block("./mc report"))
    assert "Handed in #1: it is in review now." in await vega.run(vega.block("./mc finish"))
    [run] = (await made.ask("GET", f"{made.tasks}/{wanted}/runs"))["items"]
    assert (run["evidence"][0]["title"], run["checked"][:11]) == ("Tests", "Each format")


async def test_requests_of_earlier_workspaces_go_on(made: Crew, tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", FILES[:5], tmp_path / "vega")
    wanted = await made.add_task("Look as before")
    claim = await vega.json("""./mc POST /api/v1/agent/next '{"lease_seconds": 3600}'""")
    ids = {"TASK": wanted, "FENCE": str(claim["lease"]["fence"])}
    path = "/api/v1/agent/boards/{board_id}/tasks/{task_id}"
    said = await vega.json(f'./mc POST {path}/comments - <<\'JSON\'\n{{"message": "**Update**"}}\nJSON', **ids)
    assert said["message"] == "**Update**"
    await vega.json(f"""./mc POST {path}/lease '{{"lease_seconds": 3600}}'""", **ids)
    stale = await vega.refused(f"""./mc POST {path}/completions '{{"summary": "Done."}}'""", TASK=wanted, FENCE="7")
    assert stale["code"] == "lease_lost"
    handed = await vega.json(f"""./mc POST {path}/completions '{{"summary": "Done."}}'""", **ids)
    assert handed["task"]["status"] == "review"


async def test_worker_gives_back_and_stops(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    wanted = await made.add_task("Count the moons")
    await vega.run(vega.block("./mc claim\n"))
    await vega.run(vega.block("./mc give-back"))
    assert (await made.task(wanted))["status"] == "inbox"
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "paused", "reason": "Lunch."})
    said = await vega.json("./mc POST /api/v1/agent/heartbeat")
    assert (said["directive"], "Lunch" in said["directive_reason"]) == ("pause", True)
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "running"})
    assert (await vega.told())[-2:] == ["WORK PAUSED", "WORK RESUMED"]


async def test_refusals_and_silence_are_said_in_one_shape(made: Crew, tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", FILES[:5], tmp_path / "vega")
    unknown = await vega.refused(f"./mc GET /api/v1/agent/boards/{made.vega.id}")
    assert set(unknown) >= {"message", "code"}
    invalid = await vega.refused("./mc POST '/api/v1/agent/boards/{board_id}/questions' '{\"content\": 7}'")
    assert "content" in invalid["message"]
    files = vega.folder / "AGENTS.md"
    files.write_text(files.read_text().replace(f"BASE_URL={made.server.url}", "BASE_URL=http://127.0.0.1:9"))
    silent = await vega.refused("./mc GET /api/v1/agent/healthz", 5)
    assert silent["code"] == "no_answer" and "127.0.0.1:9" in silent["message"]
    files.write_text("")
    assert (await vega.refused("./mc GET /x", 4))["code"] == "no_token"


@pytest.mark.thorough
async def test_agents_ask_and_remember_by_their_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    wanted = await made.add_task("Deploy")
    await vega.run(vega.block("./mc claim\n"))
    await vega.run(vega.block("--approve"))
    [approval] = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert (approval["status"], approval["task_id"]) == ("pending", wanted)
    await vega.run(vega.block("Which countries first?"))
    [question] = (await made.ask("GET", f"{API}/boards/{made.board_id}/questions"))["items"]
    assert [one["recommended"] for one in question["options"]] == [True, False]
    await vega.run(vega.block("--tag chat"))
    listed = json.loads(await vega.run(vega.line("is_chat=false&limit=20")))
    assert (listed["tags"], listed["content"]) == (["decision"], "Prices are stored in cents.")
    found = await vega.run(vega.block("api/operations.md"))
    assert "### POST /api/v1/agent/boards/{board_id}/tasks/{task_id}/comments" in found
    assert "### TaskCommentCreate" in found and "`message` (string" in found

    await made.ask(
        "POST",
        f"{API}/boards/{made.board_id}/questions/{question['id']}/answers",
        {"option_id": question["options"][0]["id"]},
    )
    assert await vega.told() == ["QUESTION ANSWERED"]


@pytest.mark.thorough
async def test_lead_leads_by_its_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    atlas = await workspace(made, made.atlas, "lead", names, tmp_path / "atlas")
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    assert f'"id": "{made.vega.id}"' in await atlas.run(atlas.line("agents?limit=200'"))

    created = await atlas.json(atlas.block("Read prices"))
    ids = {"TASK": created["id"], "AGENT": made.vega.id}
    assert (await atlas.json(atlas.block('assigned_agent_id": "'), **ids))["assigned_agent_id"] == made.vega.id
    assert "TASK ASSIGNED" in await vega.told()
    await vega.run(vega.block("./mc claim\n"))
    await vega.run(vega.block("./mc finish"))

    assert "TASK READY FOR LEAD REVIEW" in await atlas.told()
    assert '"title": "Read prices' in await atlas.run(atlas.block("include_waiting=true&limit=100"))
    assert "The importer reads CSV" in await atlas.run(atlas.block("**Review**"), **ids)
    assert (await made.task(created["id"]))["status"] == "done"

    await atlas.run(atlas.block("/nudge"), **ids)
    [nudge] = [one for one in (await vega.json(INBOX))["items"] if one["header"] == "NUDGE"]
    assert nudge["text"].startswith(f"From: {made.atlas.name}\n") and "sample files" in nudge["text"]
    vela = await atlas.refused(atlas.block('"name": "Vela"'))
    assert "at most 1" in vela["message"]
    asked = await atlas.json(atlas.block("ask-user"))
    assert asked["ok"]
