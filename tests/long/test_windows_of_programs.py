"""`work` with the real Claude Code, Codex and opencode while the window of their subscription is closed."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from quart import Response, request

from tests.client.shop import Shop, git, until
from tests.client.terminal import Terminal, ended
from tests.live.crew import crew
from tests.live.servers import API, Server
from tests.long.test_worker_programs import PROGRAMS, adapters, server, settings
from tests.mcp.fake_model import SHELL, FakeModel, served

__all__ = ["adapters", "server"]
pytestmark = pytest.mark.long
OPENS_AFTER = 20.0  # seconds at least: Claude Code and Codex say when by the minute


class Closed(FakeModel):
    """A model that answers as the services do while a window is used up: 429, with their headers and bodies."""

    def __init__(self, opens_after: float = OPENS_AFTER) -> None:
        super().__init__([(SHELL, {"command": "echo 1 >> work.txt"})])
        self.opens_at = (int(time.time() + opens_after) // 60 + 1) * 60
        self.refused: list[float] = []
        self.app.before_request(self._refuse)

    async def _refuse(self) -> Any:
        if time.time() >= self.opens_at or request.method != "POST" or "count_tokens" in request.path:
            return None
        self.refused.append(time.time())
        seconds = self.opens_at - int(time.time())
        if "messages" in request.path:
            unified = {
                "status": "rejected", "reset": self.opens_at, "representative-claim": "five_hour",
                "5h-status": "rejected", "5h-reset": self.opens_at, "5h-utilization": "1.0",
                "overage-status": "rejected", "overage-disabled-reason": "org_level_disabled",
            }  # fmt: skip
            headers = {f"anthropic-ratelimit-unified-{name}": str(value) for name, value in unified.items()}
            error = {"type": "rate_limit_error", "message": "This request would exceed your account's rate limit."}
            answer: dict[str, Any] = {"type": "error", "error": error}
        else:
            headers = {
                "x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300",
                "x-codex-primary-reset-at": str(self.opens_at),
            }  # fmt: skip
            error = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus"}
            answer = {"error": {**error, "resets_at": self.opens_at, "resets_in_seconds": seconds}}
        response = Response(json.dumps(answer), 429, content_type="application/json")
        response.headers.update({**headers, "retry-after": str(seconds)})
        return response


async def shop_of(server: Server, programs: Path, adapters: Path, folder: Path, program: str, url: str) -> Shop:
    """A repository with a worker whose program speaks with a model at this address."""
    made = await crew(server)
    home, top = folder / "home", folder / "shop"
    terminal = Terminal(home)
    terminal.fetch(server.url)
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (top / "README.md").write_text("A shop.\n")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "Begin")
    terminal.environment |= {
        "PATH": f"{adapters}:{programs}:{os.environ['PATH']}", "IS_SANDBOX": "1", "MISSION_CONTROL_URL": server.url,
        "MISSION_CONTROL_TOKEN": made.vega.token, **settings(home, program, url),
    }  # fmt: skip
    if program == "claude":  # windows are those of a subscription
        del terminal.environment["ANTHROPIC_API_KEY"]
        terminal.environment["CLAUDE_CODE_OAUTH_TOKEN"] = "none"
    return Shop(made, terminal, top, home)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_closed_window_is_waited_for(
    server: Server, programs: Path, adapters: Path, tmp_path: Path, program: str
) -> None:
    async with served(model := Closed()) as url:
        shop = await shop_of(server, programs, adapters, tmp_path, program, url)
        made, path = shop.made, f"{API}/boards/{shop.made.board_id}"
        tasks = [await shop.task(title=title) for title in ("First", "Second")]
        worker = await shop.terminal.start("work", "--agent", program, "--repository", str(shop.top))

        async def in_review() -> bool:
            for one in (await made.ask("GET", f"{path}/approvals?status=pending"))["items"]:
                await made.ask("POST", f"{path}/approvals/{one['id']}/decisions", {"decision": "approved"})
            return all([(await made.task(task))["status"] == "review" for task in tasks])

        try:
            await until(in_review)
        finally:
            worker.terminate()
            printed = await ended(worker)
    assert printed.code == 0, printed
    # opencode waits itself where that is short.
    assert program == "opencode" or "has used up its limit" in printed.err, printed.err
    assert all(moment - model.refused[0] < 15 for moment in model.refused), printed.err
    assert (await made.ask("GET", f"{path}/questions"))["items"] == []
    for task in tasks:
        states = [run["state"] for run in await shop.runs(task)]
        assert states.count("completed") == 1 and set(states) <= {"completed", "released"}


async def test_window_that_opencode_waits_for_in_silence_holds_its_worker(
    server: Server, programs: Path, adapters: Path, tmp_path: Path
) -> None:
    async with served(model := Closed(opens_after=7_200)) as url:
        shop = await shop_of(server, programs, adapters, tmp_path, "opencode", url)
        task = await shop.task(title="First")
        printed = await shop.terminal.run("work", "--agent", "opencode", "--repository", str(shop.top), "--once")
    assert printed.code == 3 and "has used up its limit" in printed.err, printed.err
    assert [run["state"] for run in await shop.runs(task)] == ["released"] and shop.left() == []
    assert len(model.refused) <= 2
