"""From an empty installation to finished work: Mission Control, a real gateway, and agents that work by their files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mission_control.openclaw.connection import Target, connect
from mission_control.openclaw.identity import Identity
from tests.gateway.real import RealGateway, free_port
from tests.gateway.scripted import WORK, Scripted, assign
from tests.live.servers import API, Server, installation

pytestmark = [pytest.mark.gateway, pytest.mark.database]

PATIENCE = 150.0


@dataclass
class Team:
    """A board on the gateway with a lead and two workers, and its owner."""

    server: Server
    gateway_id: str
    board_id: str = ""
    lead_id: str = ""
    worker_ids: tuple[str, ...] = ()

    async def ask(self, method: str, path: str, json: Any = None, status: int = 200) -> Any:
        """What the owner is answered."""
        async with self.server.client() as owner:
            answer = await owner.request(method, f"{API}{path}", json=json)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def agent(self, agent_id: str) -> dict[str, Any]:
        """An agent as it is now."""
        found: dict[str, Any] = await self.ask("GET", f"/agents/{agent_id}")
        return found

    async def hire(self, name: str, *, is_lead: bool = False) -> str:
        """The id of a new agent on the board's gateway."""
        wanted = {"name": name, "board_id": self.board_id, "is_board_lead": is_lead}
        return str((await self.ask("POST", "/agents", wanted))["id"])


async def until[T](look: Callable[[], Awaitable[T]], fits: Callable[[T], bool]) -> T:
    """What is seen once it fits; the last sight is shown when it never does."""
    found = await look()
    try:
        async with asyncio.timeout(PATIENCE):
            while not fits(found):
                await asyncio.sleep(0.3)
                found = await look()
    except TimeoutError:
        raise AssertionError(f"last seen: {found}") from None
    return found


async def checked_in(team: Team, *agent_ids: str) -> None:
    """Wait until agents have called by themselves."""
    for agent_id in agent_ids:
        await until(
            lambda agent_id=agent_id: team.agent(agent_id),  # type: ignore[misc]
            lambda found: found["last_seen_at"] is not None and found["status"] == "online",
        )


@pytest.fixture(scope="module")
async def team(real_gateway: RealGateway, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    """Mission Control with the gateway, a board on it, and three agents that have checked in."""
    Scripted(real_gateway.model)
    async with installation(tmp_path_factory.mktemp("work")) as home:
        port = free_port()
        server = await home.start(port=port, BASE_URL=f"http://127.0.0.1:{port}")
        try:
            wanted = {
                "name": "Real", "url": real_gateway.url, "token": real_gateway.token,
                "workspace_root": str(real_gateway.workspaces),
            }  # fmt: skip
            made = Team(server, "")
            made.gateway_id = (await made.ask("POST", "/gateways", wanted))["id"]
            board = {"name": "Work", "slug": "work", "description": "Look up.", "gateway_id": made.gateway_id}
            made.board_id = (await made.ask("POST", "/boards", board | {"require_approval_for_done": False}))["id"]
            made.lead_id = await made.hire("Atlas", is_lead=True)
            made.worker_ids = (await made.hire("Vega"), await made.hire("Lyra"))
            await checked_in(made, made.lead_id, *made.worker_ids)
            yield made
        finally:
            await server.stop()
            await server.kill()


async def test_main_agent_and_team_check_in_by_themselves(team: Team) -> None:
    everybody = (await team.ask("GET", "/agents?limit=100"))["items"]
    (main,) = [one for one in everybody if one["board_id"] is None]
    await checked_in(team, main["id"])
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


async def test_work_goes_on_after_all_tokens_were_rotated(team: Team, real_gateway: RealGateway) -> None:
    path = f"/gateways/{team.gateway_id}/templates/sync?rotate_tokens=true&include_main=false"
    synced = await team.ask("POST", path)
    assert (synced["agents_updated"], synced["errors"]) == (3, [])
    _, lyra = team.worker_ids
    await worked(team, real_gateway, "Name the moons", lyra)


async def test_gateway_restarts_while_an_agent_is_set_up(team: Team, real_gateway: RealGateway) -> None:
    Scripted(real_gateway.model)
    nova = await team.hire("Nova")
    target = Target(real_gateway.url, token=real_gateway.token)
    connection = await connect(target, Identity.new(), on_event=lambda event: None)
    await connection.call("gateway.restart.request", {"reason": "a test"})
    await connection.wait_closed()
    await connection.close()
    await checked_in(team, nova)
    listed = (await team.ask("GET", "/agents?limit=100"))["items"]
    assert [one["id"] for one in listed if one["name"] == "Nova"] == [nova]
