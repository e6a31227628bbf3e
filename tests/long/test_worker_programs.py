"""`work` with the real Claude Code, Codex and opencode by ACP, a real repository, and a model on loopback."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.client.shop import Shop, git, until
from tests.client.terminal import Terminal, ended
from tests.live.crew import crew
from tests.live.servers import API, ROOT, Installation, Server
from tests.mcp.fake_model import SHELL, FakeModel, Step, served
from tests.mcp.node_clients import QUIET_CLAUDE
from tests.node_packages import CACHE, must, node_program

pytestmark = pytest.mark.long
PROGRAMS = ("claude", "codex", "opencode")
WRITES = 'echo "$MISSION_CONTROL_TASK" >> work.txt'
CODEX = """
model = "fake"
model_provider = "fake"
check_for_update_on_startup = false

[model_providers.fake]
name = "fake"
base_url = "{model}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"
"""


class Reviewed(FakeModel):
    """A model that writes once, and once more when its work was sent back."""

    def _next(self, names: set[str], results: list[str]) -> Step | None:
        most = 2 if "Your work was sent back" in self.heard else 1
        return super()._next(names, results) if len(results) < most else None


@pytest.fixture(scope="session")
def adapters() -> Path:
    """The folder with the adapters, which take the programs that are installed beside them."""
    source = ROOT / "tests" / "mcp" / "acp"
    folder = CACHE / "acp"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder / name)
    must(folder, "npm", "ci", "--no-audit", "--no-fund", "--omit=optional", "--loglevel=error")
    found = folder / "adapters"
    found.mkdir(exist_ok=True)
    programs = {name: folder / "node_modules" / ".bin" / name for name in ("claude-agent-acp", "codex-acp")}
    for name, program in {**programs, "node": node_program(folder)}.items():  # newer than that of many systems
        (found / name).unlink(missing_ok=True)
        (found / name).symlink_to(program)
    return found


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Installation(tmp_path, f"sqlite:///{tmp_path}/work.sqlite3").served() as running:
        yield running


def settings(home: Path, program: str, model: str) -> dict[str, str]:
    """Let a program speak with the model; return what its environment needs."""
    if program == "claude":
        return {"ANTHROPIC_BASE_URL": model, **QUIET_CLAUDE}
    if program == "codex":
        (home / ".codex").mkdir()
        (home / ".codex" / "config.toml").write_text(CODEX.format(model=model))
        return {"FAKE_KEY": "none"}
    provider = {
        "npm": "@ai-sdk/openai",
        "options": {"baseURL": f"{model}/v1", "apiKey": "none"},
        "models": {"fake-1": {}},
    }
    config = {"provider": {"fake": provider}, "model": "fake/fake-1", "small_model": "fake/fake-1", "autoupdate": False}
    (home / ".config" / "opencode").mkdir(parents=True)
    (home / ".config" / "opencode" / "opencode.json").write_bytes(orjson.dumps(config))
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1"}


async def say_yes(shop: Shop) -> None:
    """Allow whatever is asked."""
    path = f"{API}/boards/{shop.made.board_id}/approvals"
    while True:
        for one in (await shop.made.ask("GET", f"{path}?status=pending"))["items"]:
            await shop.made.ask("POST", f"{path}/{one['id']}/decisions", {"decision": "approved"})
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_three_tasks_by_two_workers(
    server: Server, programs: Path, adapters: Path, tmp_path: Path, program: str
) -> None:
    made = await crew(server)
    home, top = tmp_path / "home", tmp_path / "shop"
    terminal = Terminal(home)
    terminal.fetch(server.url)
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "README.md").write_text("A shop.\n")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Begin")
    shop = Shop(made, terminal, top, home)
    first = await shop.task(title="First")
    second = await shop.task(title="Second", depends_on_task_ids=[first])
    third = await shop.task(title="Third")
    async with served(model := Reviewed([(SHELL, {"command": WRITES})] * 2)) as url:
        terminal.environment |= {
            "PATH": f"{adapters}:{programs}:{os.environ['PATH']}", "IS_SANDBOX": "1", "MISSION_CONTROL_URL": server.url,
            "MISSION_CONTROL_TOKEN": made.vega.token, **settings(home, program, url),
        }  # fmt: skip
        work = ("work", "--agent", program, "--repository", str(top))
        workers = [await terminal.start(*work) for _ in range(2)]
        asking = asyncio.create_task(say_yes(shop))

        async def in_review(task: str, attempts: int = 1) -> Any:
            found = await shop.runs(task)
            is_it = len(found) == attempts and all(one["state"] == "completed" for one in found)
            return found[0] if is_it and (await made.task(task))["status"] == "review" else None

        handed_in = await until(lambda: in_review(third))
        assert git(top, "show", f"{handed_in['code']['head']}:work.txt") == "3\n"
        lines = [{"path": "work.txt", "line": 1, "text": "Twice, please."}]
        await shop.review(third, decision="changes_requested", lines=lines)
        await until(lambda: in_review(first))
        assert (await made.task(second))["status"] == "inbox"
        await shop.review(first, decision="approved")
        await until(lambda: in_review(second))
        again = await until(lambda: in_review(third, 2))
        assert git(top, "show", f"{again['code']['head']}:work.txt") == "3\n3\n"
        for task in (second, third):
            await shop.review(task, decision="approved")
        for one in workers:
            one.terminate()
        for one in workers:
            assert (printed := await ended(one)).code == 0, printed
        asking.cancel()
    sessions = (await made.ask("GET", f"{API}/boards/{made.board_id}/sessions"))["items"]
    assert len(sessions) == 3 and {one["state"] for one in sessions} == {"idle"}
    await shop.once(code=3)
    assert shop.trees() == [] and shop.left() == []
    if program != "opencode":  # of the others each answer is at least
        return
    told, runs = sum(one["input_tokens"] for one in sessions), [await shop.runs(one) for one in (first, second, third)]
    assert told == model.requests and all(one["model"] for one in sessions)
    assert sum(one["input_tokens"] for some in runs for one in some) == told
