"""Pages about agents on gateways: their steps, linking, and writing their files anew."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from mission_control.agents.models import Agent
from tests.cast import Cast
from tests.gateways.fake_state import FakeAgent
from tests.gateways.tower import Tower, tower_of
from tests.visitor import visitor


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        yield one


async def test_new_agent_on_a_gateway_shows_its_steps(cast: Cast, tower: Tower) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/agents/new")).is_status(200).has("Runs on", "gateway Tower")
    seen = await ada.post("/agents/new", {"name": "Lyra", "board_id": str(cast.board.id), "runs_on": "gateway"})
    agent = await Agent.get(name="Lyra")
    assert seen.leads_to == f"/agents/{agent.id}/gateway"
    await tower.settled()
    (await ada.get(f"/agents/{agent.id}/gateway")).is_status(200).has("Create the agent", "Wait for its first call")
    (await ada.get(f"/agents/{agent.id}")).is_status(200).has("On its gateway")
    (await ada.get(f"/agents/{cast.vega.id}")).is_status(200).lacks("On its gateway")


async def test_failure_shows_its_cause_and_a_way_to_try_again(cast: Cast, tower: Tower) -> None:
    tower.fake.fail("agents.files.set", "the disk is full", times=50)
    await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})
    await tower.until("attempts > 0")
    agent = await Agent.get(name="Lyra")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/agents/{agent.id}")).is_status(200).has("the disk is full", "Try again now", "Error")
    tower.fake.faults.clear()
    assert (await ada.post(f"/agents/{agent.id}/provisionings", {})).status in (200, 303)
    await tower.settled()
    (await ada.get(f"/agents/{agent.id}")).lacks("the disk is full")


async def test_gateways_agents_are_synced_linked_and_unlinked(cast: Cast, tower: Tower) -> None:
    tower.fake.state.agents["researcher"] = FakeAgent("researcher", "Researcher", "/home/claw/research")
    await tower.add_agent(cast)
    page = f"/gateways/{tower.row.id}/agents"
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(page)).is_status(200).has("Lyra", "Update their files", "Link an agent")
    await ada.post(f"/gateways/{tower.row.id}/template-syncs", {"include_main": "true"})
    await tower.settled()
    (await ada.get(page)).has("1 agent updated")
    elsewhere = f"mc-{uuid4()}"
    tower.fake.state.agents[elsewhere] = FakeAgent(elsewhere, "Of another installation", "/home/claw/other")
    asked = (await ada.get(f"/gateways/{tower.row.id}/adoptions/new")).is_status(200)
    asked.has("Choose an agent", "Researcher (researcher)").lacks("Of another installation")
    form = {"gateway_agent_id": "researcher", "board_id": str(cast.board.id), "name": "Scout"}
    await ada.post(f"/gateways/{tower.row.id}/adoptions", form)
    agent = await Agent.get(name="Scout")
    (await ada.get(page)).has("Scout", "Linked", "Unlink")
    asked = await ada.get(f"/agents/{agent.id}/delete")
    asked.has("Unlink Scout?", "It stays on its gateway", f"/adoptions/{agent.id}/deletions")
    await ada.post(f"/gateways/{tower.row.id}/adoptions/{agent.id}/deletions", {})
    (await ada.get(page)).lacks(f"/agents/{agent.id}")  # its setup still waits to be read, in the sidebar
