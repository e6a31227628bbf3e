"""From an empty installation to finished work: Mission Control, a real gateway, and agents that work by their files."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mission_control.gateway_agents.provisioning.workspace import token_in
from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.identity import workspace_path
from mission_control.gateways.protocol.target import Target
from tests.gateways.fake_model import Turn
from tests.gateways.real import RealGateway
from tests.gateways.scripted import KEEP_CALLING, WORK, Scripted, assign, callbacks_of
from tests.gateways.team import Team, checked_in, team_on, until

pytestmark = [pytest.mark.gateway, pytest.mark.database]

DOWN_SECONDS = 20.0


@pytest.fixture(scope="module")
async def team(real_gateway: RealGateway, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """A board with a lead and two workers on the gateway."""
    async with team_on(real_gateway, tmp_path_factory.mktemp("work")) as made:
        yield made


async def test_team_checks_in_by_itself_and_the_main_agent_is_not_made_yet(team: Team) -> None:
    main = await team.main_agent()
    assert (main["last_seen_at"], main["wake_attempts"]) == (None, 0)
    gateway = await team.ask("GET", f"/gateways/{team.gateway_id}")
    assert gateway["state"] == "connected" and gateway["token"] is None and gateway["has_token"] is True


async def worked(team: Team, gateway: RealGateway, title: str, worker_id: str) -> dict[str, Any]:
    """Put a task on the board that the lead gives to a worker; the task when it was handed in."""
    script = Scripted(gateway.model)
    task = await team.ask("POST", f"/boards/{team.board_id}/tasks", {"title": title})
    order = assign(task["id"], worker_id)
    script.acts[f"lead-{team.board_id}"] = lambda turn: order if task["id"] in turn.user else None
    script.acts[f"mc-{worker_id}"] = lambda turn: WORK if "TASK ASSIGNED" in turn.user else None
    path = f"/boards/{team.board_id}/tasks/{task['id']}"
    done = await until(lambda: team.ask("GET", path), lambda found: found["status"] in ("review", "done"))
    comments = (await team.ask("GET", f"{path}/comments"))["items"]
    assert {one["agent_id"] for one in comments if "It is done" in one["message"]} == {worker_id}
    return dict(done)


async def test_task_goes_from_lead_to_worker_and_comes_back(team: Team, real_gateway: RealGateway) -> None:
    vega, _ = team.worker_ids
    done = await worked(team, real_gateway, "Count the moons", vega)
    assert done["assigned_agent_id"] in (vega, team.lead_id)


async def test_no_agent_is_refused_while_all_tokens_are_rotated(team: Team, real_gateway: RealGateway) -> None:
    vega, lyra = team.worker_ids
    folder = Path(workspace_path(str(real_gateway.workspaces), f"mc-{vega}"))
    credentials, codes = folder / "AGENTS.md", folder / "codes"
    before = token_in(credentials.read_text())

    async def calls() -> list[str]:
        return codes.read_text().split() if codes.exists() else []

    script = Scripted(real_gateway.model)
    script.acts[f"mc-{vega}"] = lambda turn: KEEP_CALLING if "keep calling" in turn.user else None
    await team.ask("POST", f"/boards/{team.board_id}/memory", {"content": "@Vega keep calling", "tags": ["chat"]})
    await until(calls, lambda found: len(found) >= 4)
    path = f"/gateways/{team.gateway_id}/templates/sync?rotate_tokens=true&include_main=false"
    synced = await team.ask("POST", path)
    assert (synced["agents_updated"], synced["errors"]) == (3, [])
    assert before is not None and token_in(credentials.read_text()) not in (before, None)
    seen = len(await calls())
    made = await until(calls, lambda found: len(found) >= seen + 8)
    (folder / "stop").touch()
    assert set(made) == {"200"}
    await worked(team, real_gateway, "Name the moons", lyra)


async def test_conversation_about_a_board_ends_with_its_goal_and_its_lead(
    team: Team, real_gateway: RealGateway
) -> None:
    board_id = await team.new_board("Shop")
    path = f"/boards/{board_id}/onboarding"
    requests: list[str] = []

    def report(turn: Turn) -> str | None:
        """Ask what the request has as an example, and propose its other example once that was answered."""
        if board_id in turn.user:
            requests.append(turn.user)
            return callbacks_of(turn.user)[0]
        return callbacks_of(requests[0])[1] if "A number is reached" in turn.user else None

    main = f"mc-gateway-{team.gateway_id}"
    script = Scripted(real_gateway.model, {main: report})
    await team.ask("POST", f"{path}/start", {})
    asked = await until(lambda: team.ask("GET", path), lambda found: len(found["messages"]) == 2)
    assert '"When is this a success?"' in asked["messages"][1]["content"]
    await until(lambda: asyncio.sleep(2, script.done), lambda done: main in done)  # nobody answers within its turn
    await team.ask("POST", f"{path}/answer", {"answer": "A number is reached", "other_text": "five countries"})
    proposed = await until(lambda: team.ask("GET", path), lambda found: found["status"] == "completed")
    goal = {name: proposed["draft_goal"][name] for name in ("board_type", "objective", "success_metrics")}
    confirmed = await team.ask("POST", f"{path}/confirm", goal)
    assert confirmed["goal_confirmed"] and confirmed["objective"] == "The shop sells abroad."
    assert confirmed["lead_token"] is None  # it is in the lead's files
    await checked_in(team, confirmed["lead_agent_id"])
    lead = await team.agent(confirmed["lead_agent_id"])
    assert (lead["name"], lead["is_board_lead"], lead["gateway_id"]) == ("Atlas", True, team.gateway_id)
    assert len(requests) == 1


async def arrived(team: Team, gateway: RealGateway, agent_id: str, words: list[str]) -> None:
    """Wait until no notice to an agent waits, and see that it was told all words, each once."""
    path = f"/agents/{agent_id}/deliveries?state="
    await until(lambda: team.ask("GET", f"{path}waiting"), lambda found: found["items"] == [])
    told = await until(lambda: team.told(gateway, agent_id), lambda found: all(word in found for word in words))
    assert [len(re.findall(rf"\b{word}\b", told)) for word in words] == [1] * len(words)
    assert (await team.ask("GET", f"{path}failed"))["items"] == []


async def test_notices_wait_for_a_gateway_that_is_away_and_arrive_once(team: Team, real_gateway: RealGateway) -> None:
    Scripted(real_gateway.model)
    path = f"/gateways/{team.gateway_id}"
    until_back = asyncio.create_task(asyncio.sleep(DOWN_SECONDS))
    await asyncio.to_thread(real_gateway.stop)
    try:
        await until(lambda: team.ask("GET", path), lambda found: found["state"] != "connected")
        words = [f"nebula{number}" for number in range(5)]
        for word in words:
            new = {"content": f"@Atlas @Vega @Lyra {word}", "tags": ["chat"]}
            await team.ask("POST", f"/boards/{team.board_id}/memory", new)
        waiting = (await team.ask("GET", f"/agents/{team.lead_id}/deliveries?state=waiting"))["items"]
        assert len(waiting) == len(words)
        await until_back
    finally:
        await asyncio.to_thread(real_gateway.start)
    await until(lambda: team.ask("GET", path), lambda found: found["state"] == "connected")
    for agent_id in (team.lead_id, *team.worker_ids):
        await arrived(team, real_gateway, agent_id, words)


async def test_gateway_restarts_while_an_agent_is_set_up(team: Team, real_gateway: RealGateway) -> None:
    Scripted(real_gateway.model)
    target = Target(real_gateway.url, token=real_gateway.token)

    async def boot() -> str | None:
        """Which start of the gateway answers, None when none does."""
        try:
            connection = await connect(target, Identity.new(), on_event=lambda event: None)
        except GatewayError:
            return None
        await connection.close()
        return connection.hello.boot_id

    before = await boot()
    nova = await team.hire("Nova")
    connection = await connect(target, Identity.new(), on_event=lambda event: None)
    await connection.call("gateway.restart.request", {"reason": "a test"})
    await connection.wait_closed()
    await connection.close()
    await until(boot, lambda found: found not in (None, before))
    await checked_in(team, nova)
    listed = (await team.ask("GET", "/agents?limit=100"))["items"]
    assert [one["id"] for one in listed if one["name"] == "Nova"] == [nova]
