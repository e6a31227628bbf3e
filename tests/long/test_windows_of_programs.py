"""`work` with the real Claude Code, Codex and opencode while the window of their subscription is closed."""

import json
import os
import time
from datetime import UTC, datetime
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

    def __init__(self) -> None:
        super().__init__([(SHELL, {"command": "echo 1 >> work.txt"})])
        self.opens_at = (int(time.time() + OPENS_AFTER) // 60 + 1) * 60
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


@pytest.mark.parametrize("program", PROGRAMS)
async def test_closed_window_is_waited_for(
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
    tasks = [await shop.task(title=title) for title in ("First", "Second")]
    async with served(model := Closed()) as url:
        terminal.environment |= {
            "PATH": f"{adapters}:{programs}:{os.environ['PATH']}", "IS_SANDBOX": "1", "MISSION_CONTROL_URL": server.url,
            "MISSION_CONTROL_TOKEN": made.vega.token, **settings(home, program, url),
        }  # fmt: skip
        if program == "claude":
            del terminal.environment["ANTHROPIC_API_KEY"]
            terminal.environment["CLAUDE_CODE_OAUTH_TOKEN"] = "none"
        worker = await terminal.start("work", "--agent", program, "--repository", str(top))
        path = f"{API}/boards/{made.board_id}"

        async def in_review() -> bool:
            for one in (await made.ask("GET", f"{path}/approvals?status=pending"))["items"]:
                await made.ask("POST", f"{path}/approvals/{one['id']}/decisions", {"decision": "approved"})
            return all([(await made.task(task))["status"] == "review" for task in tasks])

        try:
            await until(in_review)
        finally:
            worker.terminate()
            printed = await ended(worker)
            print(printed.err, model.refused, model.opens_at)
        assert printed.code == 0, printed
    said = printed.err
    assert "has used up its limit" in said, said
    opened = datetime.fromtimestamp(model.opens_at, UTC)
    first = model.refused[0]
    assert all(moment - first < 15 for moment in model.refused), (opened, model.refused, said)
    assert (await made.ask("GET", f"{path}/questions"))["items"] == []
    for task in tasks:
        states = [run["state"] for run in await shop.runs(task)]
        assert states.count("completed") == 1 and set(states) <= {"completed", "released"}
