"""Agents that know nothing but their workspace files run the commands in them, with curl and jq."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.fleet.workspace import FILES, Role, WorkspaceFacts, workspace_files
from tests.live.crew import Crew, Member, crew
from tests.live.servers import API, PATIENCE, Server, installation
from tests.unit.test_workspace_files import board_of

pytestmark = pytest.mark.database

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


FIRST_START = re.compile(r"`((?:\./mc|mkdir|command|rm) [^`]+)`")
HELPER = "/mc -o mc"
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
        end = lines.index("JSON") if "<<'JSON'" in lines[0] else 0
        return "\n".join(lines[: end + 1])

    async def run(self, command: str, **ids: str) -> str:
        """What a command prints; it must end well and print no error."""
        return await self._run(command, 0, ids)

    async def refused(self, command: str, **ids: str) -> Any:
        """What a refused command prints."""
        return json.loads(await self._run(command, 1, ids))["detail"]

    async def _run(self, command: str, code: int, ids: Mapping[str, str]) -> str:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", command, cwd=self.folder, env={"PATH": os.environ["PATH"], **self.ids, **ids},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            printed, errors = await process.communicate()
        told = [line for line in errors.decode().splitlines() if not line.startswith("NEWS ")]  # beside the answer
        assert (process.returncode, told) == (code, []), f"{command}\n{printed.decode()}\n{errors.decode()}"
        return printed.decode()

    async def json(self, command: str, **ids: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(await self.run(command, **ids))

    async def told(self) -> list[str]:
        """The headers of the notices that wait for the agent."""
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
    """One server for all walks."""
    async with installation(tmp_path_factory.mktemp("walks")) as here, here.served() as running:
        yield running


@pytest.fixture(params=[FILES[:5], FILES], ids=["new", "old"])
async def names(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The files that a gateway takes."""
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture
async def made(server: Server) -> Crew:
    """A new board with a lead and a worker, on which a lead may finish tasks."""
    return await crew(server)


async def test_worker_works_by_its_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    assert (await made.ask("GET", f"{API}/agents/{made.vega.id}"))["last_seen_at"] is not None
    assert (await vega.json("./mc GET /api/v1/agent/healthz"))["agent_id"] == made.vega.id
    assert {one.name for one in vega.folder.iterdir() if one.name.startswith(".mc")} == set()

    wanted = await made.add_task("Look at “Vega” & 'Lyra'", description="Slowly.\n\\n stays.")
    claim = await vega.json(vega.block("/agent/next '"))
    assert claim["task"]["id"] == wanted
    vega.ids = {"TASK": wanted, "FENCE": str(claim["lease"]["fence"])}
    read, comments = vega.line("./mc GET /api/v1/boards/{board_id}/tasks/{task_id}"), vega.line("/comments | jq")
    assert (await vega.json(read))["description"] == "Slowly.\n\\n stays."
    commented = await vega.json(vega.block("**Update**"))
    assert "**Evidence** 41 tests pass: `make test`\n**Next**" in commented["message"]
    assert f"{made.vega.id}: **Update**" in await vega.run(comments)
    await vega.json(vega.block("/lease '{\"lease"))
    handed = await vega.json(vega.block("/completions"))
    assert handed["task"]["status"] == "review" and handed["run"]["evidence"][0]["title"] == "Tests"
    assert (await vega.json(vega.block("/completions")))["run"] == handed["run"]
    refused = await vega.refused(vega.block("/completions"), FENCE="")
    assert refused["code"] == "fence_missing"


async def test_worker_gives_back_and_stops(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    wanted = await made.add_task("Count the moons")
    claim = await vega.json(vega.block("/agent/next '"))
    ids = {"TASK": wanted, "FENCE": str(claim["lease"]["fence"])}
    await vega.run(vega.block("./mc DELETE"), **ids)
    assert (await made.task(wanted))["status"] == "inbox"
    refused = await vega.refused(vega.block("**Update**"), **ids)
    assert refused["code"] == "lease_lost"
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "paused", "reason": "Lunch."})
    said = await vega.json("./mc POST /api/v1/agent/heartbeat")
    assert (said["directive"], "Lunch" in said["directive_reason"]) == ("pause", True)
    await made.ask("PUT", f"{API}/agents/{made.vega.id}/work-state", {"state": "running"})
    assert (await vega.told())[-2:] == ["WORK PAUSED", "WORK RESUMED"]


async def test_refusals_and_silence_are_said_in_one_shape(made: Crew, tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", FILES[:5], tmp_path / "vega")
    unknown = await vega.refused(f"./mc GET /api/v1/boards/{made.vega.id}")
    assert set(unknown) >= {"message", "code"}
    invalid = await vega.refused("./mc POST '/api/v1/agent/boards/{board_id}/questions' '{\"content\": 7}'")
    assert "content" in invalid["message"]
    files = vega.folder / "AGENTS.md"
    files.write_text(files.read_text().replace(f"BASE_URL={made.server.url}", "BASE_URL=http://127.0.0.1:9"))
    silent = await vega.refused("./mc GET /api/v1/agent/healthz")
    assert silent["code"] == "no_answer" and "127.0.0.1:9" in silent["message"]
    files.write_text("")
    assert (await vega.refused("./mc GET /x"))["code"] == "no_token"


async def test_token_is_in_no_argument_of_a_process(made: Crew, tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", FILES[:5], tmp_path / "vega")
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    spy = tmp_path / "bin" / "curl"
    real = shutil.which("curl")
    spy.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nls -l .mc-request.* >> {seen}\nexec {real} "$@"\n')
    spy.chmod(0o700)
    await vega.run("./mc GET /api/v1/agent/healthz", PATH=f"{spy.parent}:{os.environ['PATH']}")
    assert made.vega.token not in seen.read_text() and "-rw-------" in seen.read_text()


async def test_agents_ask_and_remember_by_their_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    wanted = await made.add_task("Deploy")
    claim = await vega.json(vega.block("/agent/next '"))
    ids = {"TASK": wanted, "FENCE": str(claim["lease"]["fence"])}
    approval = await vega.json(vega.block("/approvals"), **ids)
    assert (approval["status"], approval["task_id"]) == ("pending", wanted)
    question = await vega.json(vega.block("/questions"))
    assert [one["recommended"] for one in question["options"]] == [True, False]
    await vega.run(vega.block('"tags": ["chat"]}\''))
    assert '["decision"] Prices are stored in cents.' in await vega.run(vega.line("is_chat=false&limit=20"))
    await vega.run(vega.block("api/operations.tsv"))
    listed = (vega.folder / "api" / "operations.tsv").read_text().splitlines()
    assert any(one.startswith("POST\t/api/v1/agent/boards/{board_id}/claims\tagent_task_claim\t") for one in listed)

    await made.ask(
        "POST",
        f"{API}/boards/{made.board_id}/questions/{question['id']}/answers",
        {"option_id": question["options"][0]["id"]},
    )
    assert await vega.told() == ["QUESTION ANSWERED"]


async def test_lead_leads_by_its_files(made: Crew, names: tuple[str, ...], tmp_path: Path) -> None:
    atlas = await workspace(made, made.atlas, "lead", names, tmp_path / "atlas")
    vega = await workspace(made, made.vega, "worker", names, tmp_path / "vega")
    assert f'"id":"{made.vega.id}"' in await atlas.run(atlas.line("agents?limit=200' | jq -c"))

    created = await atlas.json(atlas.block("Read prices"))
    ids = {"TASK": created["id"], "AGENT": made.vega.id}
    assert (await atlas.json(atlas.block('assigned_agent_id": "'), **ids))["assigned_agent_id"] == made.vega.id
    assert "TASK ASSIGNED" in await vega.told()
    await vega.json(vega.block("/agent/next '"))
    await vega.json(vega.block("/completions"), TASK=created["id"], FENCE="1")

    assert "TASK READY FOR LEAD REVIEW" in await atlas.told()
    assert "Read prices" in await atlas.run(atlas.line("include_waiting=true&limit=100") + " jq -c '.items[].title'")
    assert '"url": "https://ci.example.org/runs/41"' in await atlas.run(atlas.line("/runs | jq"), **ids)
    await atlas.run(atlas.block("**Review**"), **ids)
    assert (await made.task(created["id"]))["status"] == "done"

    await atlas.run(atlas.block("/nudge"), **ids)
    [nudge] = [one for one in (await vega.json(INBOX))["items"] if one["header"] == "NUDGE"]
    assert nudge["text"].startswith(f"From: {made.atlas.name}\n") and "sample files" in nudge["text"]
    vela = await atlas.refused(atlas.block('"name": "Vela"'))
    assert "at most 1" in vela["message"]
    asked = await atlas.json(atlas.block("ask-user"))
    assert asked["ok"]
