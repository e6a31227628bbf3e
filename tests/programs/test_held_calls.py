"""Calls that need a yes, on the real Claude Code and Codex: allowed, denied, and refused while the board is away."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.live.servers import API, installation
from tests.mcp.fake_model import SHELL, FakeModel, served
from tests.mcp.node_clients import QUIET_CLAUDE, finish
from tests.programs.connected import WORDS, Person, person

pytestmark = [pytest.mark.programs, pytest.mark.database]


@pytest.mark.parametrize("client", ["claude-code", "codex"])
async def test_calls_that_need_a_yes(programs: Path, tmp_path: Path, client: str) -> None:
    home = tmp_path / "home"
    async with installation(tmp_path) as here, here.served() as server, person(server, programs, home) as made:
        rules = {"call_rules": {"must": ["Bash(touch *)"]}}
        assert (await made.browser.patch(f"{API}/boards/{made.board}", json=rules)).status_code == 200
        await made.connect(client)
        allowed, denied, away = (f"touch {home}/{name}.txt" for name in ("allowed", "denied", "away"))
        waits = f"for i in $(seq 300); do test -e {home}/gone && break; sleep 0.2; done"
        model = FakeModel([(SHELL, {"command": one}) for one in (allowed, f"true && {denied}", waits, away)])
        answering = asyncio.create_task(be_there(made, allowed, f"true && {denied}"))
        async with served(model) as url:
            await work(programs, made, url, client)
        await answering
        assert {one.name for one in home.glob("*.txt")} == {"allowed.txt"}
        assert WORDS in model.printed[1] and "the board does not answer" in model.printed[-1]
        found = (await made.read(f"/boards/{made.board}/approvals"))["items"]
        assert sorted(one["status"] for one in found) == ["approved", "rejected"]


async def be_there(made: Person, allowed: str, denied: str) -> None:
    await made.decide(await made.asked(allowed), decision="approved")
    await made.decide(await made.asked(denied), decision="rejected", note=WORDS)
    stored = made.terminal.config / "connect.env"
    stored.write_text(stored.read_text().replace(made.server.url, "http://127.0.0.1:9"))
    (made.home / "gone").touch()


async def work(programs: Path, made: Person, url: str, client: str) -> None:
    """Let a program work until its model has no more to do. It asks for nothing by itself."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(made.home)}
    command: list[str]
    if client == "claude-code":
        environment |= {"ANTHROPIC_BASE_URL": url, **QUIET_CLAUDE}
        command = ["claude", "-p", "Work.", "--allowedTools", "Bash", "--output-format", "json"]
    else:
        environment |= {"FAKE_KEY": "none"}
        provider = f'{{name = "fake", base_url = "{url}/v1", env_key = "FAKE_KEY", wire_api = "responses"}}'
        options = [f"model_providers.fake={provider}", 'model_provider="fake"', 'model="fake"']
        options += ['approval_policy="never"', 'sandbox_mode="danger-full-access"']
        given = [part for one in options for part in ("-c", one)]
        command = ["codex", "exec", *given, "--skip-git-repo-check", "--json", "Work."]
    await finish(programs / command[0], *command[1:], home=made.home, environment=environment)
