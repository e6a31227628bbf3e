"""Deleting a gateway with the agents that were made on it."""

from functools import partial
from uuid import UUID

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import system
from mission_control.events.commands import atomically
from mission_control.gateway_agents.provisioning.gateway_agent import changing
from mission_control.gateways.models import Gateway
from mission_control.people.accounts.credentials import make_agent_token
from mission_control.people.models import Job
from tests.cast import Cast, Program
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.notices import on_gateway, reconnect_quickly
from tests.visitor import visitor


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A connected gateway under a board, with two agents of ours and one of the owner's that is linked."""
    made = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.other_board.id).update(gateway_id=made.id, max_agents=9)
    for name in ("Lyra", "Vela"):
        await on_gateway(cast, fake_gateway, made, name)
    fake_gateway.state.agents["researcher"] = FakeAgent("researcher", "Researcher", "/ws/researcher")
    linked = await on_gateway(cast, fake_gateway, made, "Researcher")
    await Agent.filter(id=linked.id).update(is_adopted=True, gateway_agent_id="researcher")
    return made


async def ended(job_id: str) -> Job:
    """A job as soon as it has ended."""

    async def found() -> Job | None:
        return await Job.exclude(state="running").get_or_none(id=job_id)

    job: Job = await until(found)
    return job


async def test_agents_that_were_made_here_go_and_others_stay(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await Agent.get(name="Lyra")
    fake_gateway.running[str(lyra.openclaw_session_id)] = ["run-1"]
    path = f"/gateways/{gateway.id}/removals"
    assert (await cast.ada.post(path, {})).body["code"] == "gateway_in_use"
    job = await ended((await cast.ada.post(path, {"force": True})).ok()["id"])
    assert (job.state, job.result["problems"]) == ("done", [])
    assert job.result["summary"].endswith("2 agents were removed there.")
    there = set(fake_gateway.state.agents)
    assert {"main", "researcher"} <= there and not [one for one in there if one == lyra.gateway_agent_id]
    assert fake_gateway.running == {} and not await Gateway.filter(id=gateway.id).exists()


async def test_gateway_that_is_away_keeps_everything(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    await fake_gateway.stop()
    await until(lambda: Gateway.exclude(state="connected").get_or_none(id=gateway.id))
    answer = await cast.ada.post(f"/gateways/{gateway.id}/removals", {"force": True})
    assert (answer.status, answer.body["code"]) == (409, "gateway_not_connected") and await Gateway.filter(
        id=gateway.id
    ).exists()
    (await cast.ada.delete(f"/gateways/{gateway.id}?force=true")).ok()


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_stays_of_an_agent_is_named_and_lets_nobody_in(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, is_told: bool
) -> None:
    """A gateway passes over what lies in the folder of an agent that stays."""
    fake_gateway.kept_paths = ["/home/claw/workspace/lyra"] if is_told else []
    fake_gateway.passes_over = not is_told
    agents = [Program(cast.app, {"X-Agent-Token": token}, one.id, one.name, token) for one, token in await tokens(cast)]
    assert [(await one.get("/agent/healthz")).status for one in agents] == [200] * 3
    job = await ended((await cast.ada.post(f"/gateways/{gateway.id}/removals", {"force": True})).ok()["id"])
    stays = "/home/claw/workspace/lyra" if is_told else "/workspace"
    assert [f"Stays on the gateway's host: {stays}." in one for one in job.result["problems"]] == [True] * 2
    assert [(await one.get("/agent/healthz")).status for one in agents] == [401] * 3


async def tokens(cast: Cast) -> list[tuple[Agent, str]]:
    """The agents of the gateway, each with another token."""
    found = await Agent.filter(name__in=("Lyra", "Vela", "Researcher")).order_by("name")
    made = [await atomically(system(cast.organization.id), partial(make_agent_token, one.id)) for one in found]
    return [(agent, one.secret) for agent, one in zip(found, made, strict=True)]


async def test_page_offers_to_remove_the_agents_while_the_gateway_is_connected(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra, ada = await Agent.get(name="Lyra"), await visitor(cast.app, cast.ada)
    page = await ada.get(f"/gateways/{gateway.id}/delete")
    page.has("Remove the agents there too", "2 agents were made here", "1 linked one is only unlinked")
    sent, path = {"name": gateway.name, "remove_agents": "true"}, f"/gateways/{gateway.id}/removals"
    async with changing(gateway.id):  # it waits for this change
        assert (await ada.post(path, sent)).leads_to == "/gateways"
        for url in ("/gateways", f"/gateways/{gateway.id}"):
            (await ada.get(url)).has("Being deleted")
        assert "being deleted already" in (await cast.ada.post(path, {"force": True})).refused(409)
    await until(lambda: _is_gone(gateway.id))
    assert "researcher" in fake_gateway.state.agents and str(lyra.gateway_agent_id) not in fake_gateway.state.agents


async def _is_gone(gateway_id: UUID) -> bool:
    return not await Gateway.filter(id=gateway_id).exists()
