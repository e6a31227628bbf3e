"""On a real gateway: a note reaches an agent in the middle of its turn, and a stopped run ends its turn at once."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mission_control.gateways.protocol.identity import workspace_path
from tests.gateways import gateways
from tests.gateways.fake_model import Reply, Turn
from tests.gateways.real import RealGateway
from tests.gateways.scripted import CLAIMED, Scripted, assign
from tests.gateways.team import Team, team_on, until

pytestmark = [pytest.mark.gateway, pytest.mark.database]

# Calls until a note arrives, whose words it keeps in `heard`.
LISTEN = (
    f"{CLAIMED}; for round in $(seq 100); do ./mc POST /api/v1/agent/heartbeat > .beat;"
    " if grep -q nebula .beat; then cp .beat heard; break; fi; sleep 0.5; done; ./mc POST /api/v1/agent/heartbeat"
)


@pytest.fixture(scope="module")
async def team(real_gateway: RealGateway, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A board with a lead and two workers on the gateway."""
    async with team_on(real_gateway, tmp_path_factory.mktemp("steering")) as made:
        yield made


async def begun(team: Team, gateway: RealGateway, title: str, command: str, then: Reply | None = None) -> str:
    """Let a worker take a task and begin with a command in a turn; the path of the task."""
    script, worker = Scripted(gateway.model), team.worker_ids[0]
    task: dict[str, Any] = await team.ask("POST", f"/boards/{team.board_id}/tasks", {"title": title})
    order = assign(task["id"], worker)
    script.acts[f"lead-{team.board_id}"] = lambda turn: order if task["id"] in turn.user else None
    script.acts[f"mc-{worker}"] = lambda turn: command if "TASK ASSIGNED" in turn.user else None

    def answer(turn: Turn) -> Reply | None:
        if then is not None and turn.results and turn.agent == f"mc-{worker}" and "TASK ASSIGNED" in turn.user:
            return then
        return script.answer(turn)

    gateway.model.answer = answer
    path = f"/boards/{team.board_id}/tasks/{task['id']}"
    await until(lambda: team.ask("GET", path), lambda found: found["status"] == "in_progress")
    await until(lambda: team.agent(worker), lambda found: found["run_began_at"] is not None)
    return path


async def test_note_reaches_an_agent_in_its_turn(team: Team, real_gateway: RealGateway) -> None:
    worker = team.worker_ids[0]
    heard = Path(workspace_path(str(real_gateway.workspaces), f"mc-{worker}")) / "heard"
    path = await begun(team, real_gateway, "Listen", LISTEN)
    began = time.monotonic()
    await team.ask("POST", f"{path}/notes", {"text": "Look at the nebula first."})
    await until(lambda: team.ask("GET", f"{path}/notes"), lambda found: found["items"][0]["taken_at"] is not None)
    print(f"taken {time.monotonic() - began:.1f} s after it was sent")
    assert "Look at the nebula first." in heard.read_text()
    await until(lambda: team.agent(worker), lambda found: found["run_began_at"] is None)
    assert "nebula" not in await team.told(real_gateway, worker)  # it heard of it once


async def test_stopped_run_ends_its_turn_within_two_seconds(team: Team, real_gateway: RealGateway) -> None:
    speech = Reply("word " * 400, seconds=40.0)
    path = await begun(team, real_gateway, "Speak", f"{CLAIMED} --another", then=speech)  # it has one in hand
    real_gateway.model.cut.clear()
    began = time.monotonic()
    await team.ask("POST", f"{path}/stop", {"reason": "Enough."})
    runs = await until(
        lambda: team.ask("GET", f"{path}/runs"), lambda found: found["items"][0]["notified_at"] is not None
    )
    seconds = (await gateways.until(lambda: real_gateway.model.cut))[0] - began
    print(f"its model was left {seconds:.2f} s after the run was stopped")
    assert seconds < 2 and runs["items"][0]["end_reason"].endswith(": Enough.")
    feed = (await team.ask("GET", f"/activity?board_id={team.board_id}&limit=50"))["items"]
    assert any("a person stopped its run" in str(one["message"]) for one in feed)
