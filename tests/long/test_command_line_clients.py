"""Claude Code and Codex, the command line clients themselves, with a model on loopback that calls our tools.

They weigh 790 MB, so `make long` runs them and CI does not.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live.crew import crew
from tests.live.servers import API, ROOT, Installation, Server
from tests.mcp.fake_model import FINISHED, FakeModel, served
from tests.mcp.node_clients import PATIENCE
from tests.node_packages import installed, node_program

pytestmark = pytest.mark.long

SOURCE = ROOT / "tests" / "mcp" / "cli"
CLIENTS = ("claude", "codex")
CODEX = """
model = "fake"
model_provider = "fake"
approval_policy = "never"

[model_providers.fake]
name = "fake"
base_url = "{model}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"

[mcp_servers.mission-control]
url = "{server}/mcp"
bearer_token_env_var = "MISSION_CONTROL_TOKEN"
default_tools_approval_mode = "approve"
"""


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder with the clients' programs."""
    folder = installed(SOURCE)
    claude = folder / "node_modules" / "@anthropic-ai" / "claude-code"
    subprocess.run((node_program(folder), "install.cjs"), cwd=claude, check=True, capture_output=True)  # its binary
    return folder / "node_modules" / ".bin"


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One installation for both clients."""
    folder = tmp_path_factory.mktemp("clients")
    return Installation(folder, f"sqlite:///{folder}/clients.sqlite3")


@pytest.fixture(scope="module")
async def server(here: Installation) -> AsyncIterator[Server]:
    """One server for both clients."""
    async with here.served() as running:
        yield running


async def work(programs: Path, client: str, server: Server, token: str, model: FakeModel, home: Path) -> None:
    """Let a client work with a token until its model has no more to do."""
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    async with served(model) as url:
        if client == "claude":
            headers = {"Authorization": f"Bearer {token}"}
            servers = {"mission-control": {"type": "http", "url": f"{server.url}/mcp", "headers": headers}}
            (home / "mcp.json").write_bytes(orjson.dumps({"mcpServers": servers}))
            environment |= {
                "ANTHROPIC_BASE_URL": url,
                "ANTHROPIC_API_KEY": "none",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
                "ENABLE_TOOL_SEARCH": "false",
            }
            allowed = ("--strict-mcp-config", "--allowedTools", "mcp__mission-control", "--output-format", "json")
            command: tuple[str, ...] = ("-p", "Work.", "--mcp-config", str(home / "mcp.json"), *allowed)
        else:
            (home / "config.toml").write_text(CODEX.format(model=url, server=server.url))
            environment |= {"CODEX_HOME": str(home), "FAKE_KEY": "none", "MISSION_CONTROL_TOKEN": token}
            command = ("exec", "--skip-git-repo-check", "--json", "Work.")
        process = await asyncio.create_subprocess_exec(
            programs / client,
            *command,
            cwd=home,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                printed, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0 and FINISHED in printed.decode(), printed.decode() + complained.decode()
    assert len(model.answers) == len(model.plan), (model.answers, model.unknown)


@pytest.mark.parametrize("client", CLIENTS)
async def test_agent_hands_in_and_person_approves(
    programs: Path, here: Installation, server: Server, tmp_path: Path, client: str
) -> None:
    made = await crew(server, require_approval_for_done=True)
    task_id = await made.add_task("Point the mirror")
    held: dict[str, Any] = {"task_id": "$task.id", "fence": "$lease.fence"}
    agent = FakeModel(
        [
            ("claim_task", {"wait_seconds": 0}),
            ("comment", {**held, "message": "The lock is stiff."}),
            ("finish_task", {**held, "summary": "It points."}),
        ]
    )
    await work(programs, client, server, made.vega.token, agent, tmp_path / "agent")
    assert (await made.task(task_id))["status"] == "review"

    email = f"{client}@example.org"
    await here.command("user", "create", email, "--name", "Ada", "--role", "owner", "--organization", "Personal")
    token = (await here.command("token", "create", email)).splitlines()[0]
    person = FakeModel(
        [
            ("list_boards", {}),
            ("create_task", {"board_id": made.board_id, "title": "Oil the lock"}),
            ("list_requests", {"board_id": made.board_id}),
            ("decide_approval", {"approval_id": "$requests.0.id", "decision": "approved"}),
        ]
    )
    await work(programs, client, server, token, person, tmp_path / "person")
    assert made.board_id in {one["id"] for one in person.answers[0]["boards"]}
    assert (await made.task(task_id))["status"] == "done"
    tasks = (await made.ask("GET", made.tasks))["items"]
    assert {one["title"]: one["status"] for one in tasks} == {"Point the mirror": "done", "Oil the lock": "inbox"}
    comments = (await made.ask("GET", f"{made.tasks}/{task_id}/comments"))["items"]
    assert "The lock is stiff." in {one["message"] for one in comments}
    [approval] = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert approval["resolved_by"]["name"] == "Ada"
