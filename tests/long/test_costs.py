"""What the board says that a connected program used, against what its model was asked: each request is two tokens.

It works a task by the tools of the board, whose words are in the same session. What `work` counts is held against the
model in `test_worker_programs.py`, what gateways count in `tests/gateway/test_usage.py`.
"""

from pathlib import Path

import pytest

from tests.live.servers import installation
from tests.mcp.fake_model import SHELL, FakeModel, Step, served
from tests.mcp.node_clients import QUIET_CLAUDE, finish
from tests.programs.connected import person, until

pytestmark = [pytest.mark.long, pytest.mark.database]
PLAN: list[Step] = [
    ("next", {"wait_seconds": 0}),
    ("report", {"did": ["Looked"], "doing": "Mend it"}),
    (SHELL, {"command": "echo seen"}),
    ("finish", {"task_id": "$task.id", "fence": "$lease.fence", "summary": "Done."}),
]
COMMANDS = {
    "claude-code": ("claude", "-p", "Work.", "--allowedTools", "Bash,mcp__mission-control", "--output-format", "json"),
}


@pytest.mark.parametrize("client", COMMANDS)
async def test_task_by_the_tools_of_the_board(programs: Path, tmp_path: Path, client: str) -> None:
    async with (
        installation(tmp_path) as here,
        here.served() as server,
        person(server, programs, tmp_path / "bare" / "home") as made,
        served(model := FakeModel(PLAN)) as url,
    ):
        environment = {"ANTHROPIC_BASE_URL": url, **QUIET_CLAUDE}
        await made.connect(client)
        fields = {"title": "Mend it", "description": "d"}
        task = (await made.browser.post(f"/api/v1/boards/{made.board}/tasks", json=fields)).json()
        program, *command = COMMANDS[client]
        known = {**made.terminal.environment, "HOME": str(made.home), **environment}
        await finish(programs / program, *command, home=made.home, environment=known)
        served_tokens = model.requests
        await until(made.session, lambda one: one is not None and one["input_tokens"] == served_tokens)
        found = (await made.read(f"/boards/{made.board}/sessions"))["items"]
        assert [one["client"] for one in found] == [client]
        [session] = found
        assert session["output_tokens"] == served_tokens and session["model"]
        [run] = (await made.read(f"/boards/{made.board}/tasks/{task['id']}/runs"))["items"]
        assert run["state"] == "completed" and run["input_tokens"] == served_tokens
        print(f"{client}: {model.requests} requests, {session['input_tokens']} told, {run['input_tokens']} of the run")
