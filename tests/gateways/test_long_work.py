"""Setups of agents and syncs of their files are long work: people see how far they are, and what came of them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mission_control.agents.models import Agent
from tests.cast import Cast, Person
from tests.gateways.tower import Tower, tower_of
from tests.visitor import visitor

pytestmark = pytest.mark.database


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        yield one


async def jobs(person: Person) -> list[dict[str, Any]]:
    """Long work that somebody may read, the oldest first."""
    found: list[dict[str, Any]] = (await person.get("/jobs")).ok()["items"]
    return found[::-1]


async def test_setup_of_an_agent_is_followed_until_its_first_call(cast: Cast, tower: Tower) -> None:
    held = tower.fake.hold("agents.files.list")
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until_held()
    [job] = await jobs(cast.ada)
    assert (job["kind"], job["title"], job["state"]) == ("agent_setup", f"Set up Lyra on {tower.row.name}", "running")
    assert (job["step"], job["done"], job["total"]) == ("Write its files", 3, 7)
    assert await jobs(cast.dan) == []
    (await (await visitor(cast.app, cast.ada)).get("/boards")).has(job["title"], "42 %")
    held.set()
    await tower.settled()
    assert [one["step"] for one in await jobs(cast.ada)] == ["Wait for its first call"]
    (await (await tower.program(made["id"])).post("/agent/heartbeat")).ok()
    await tower.ended()
    [job] = await jobs(cast.ada)
    assert (job["state"], job["result"]["summary"]) == ("done", "Lyra is set up.")
    assert job["result"]["url"] == f"/agents/{made['id']}" and job["read_at"] is not None
    (await (await visitor(cast.app, cast.ada)).get("/boards")).lacks(f"{job['title']}: done</span>")


async def test_failure_is_kept_and_trying_again_runs_again(cast: Cast, tower: Tower) -> None:
    tower.fake.fail("agents.create", "the disk is full", times=1)
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until("attempts = 1 AND state = 'waiting'")
    [job] = await jobs(cast.ada)
    assert job["state"] == "running" and "the disk is full" in job["step"]
    (await cast.ada.post(f"/agents/{made['id']}/provisionings", {})).ok()
    await tower.settled()
    assert [one["step"] for one in await jobs(cast.ada)] == ["Wait for its first call"]


async def test_deleted_agent_and_deleted_gateway_end_their_work(cast: Cast, tower: Tower) -> None:
    await tower.disconnect()
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    (await cast.ada.post("/agents", {"name": "Rho", "board_id": cast.board.id})).ok()
    assert {job["step"] for job in await jobs(cast.ada)} == {"Wait until the gateway is connected"}
    (await cast.ada.delete(f"/agents/{made['id']}")).ok()
    (await cast.ada.delete(f"/gateways/{tower.row.id}?force=true")).ok()
    found = {job["title"].split()[2]: job for job in await jobs(cast.ada)}
    assert {one["state"] for one in found.values()} == {"interrupted"}
    assert "agent was deleted" in found["Lyra"]["error"] and "gateway was deleted" in found["Rho"]["error"]


async def test_sync_counts_its_agents_and_keeps_what_failed(cast: Cast, tower: Tower) -> None:
    await Agent.filter(id=cast.atlas.id).delete()
    agent, other = [await tower.add_agent(cast, name) for name in ("Lyra", "Rho")]
    for one in (agent, other):
        (await (await tower.program(one.id)).post("/agent/heartbeat")).ok()
    await tower.ended()
    (await cast.ada.post("/jobs/acknowledgements")).ok()
    held = tower.fake.hold("agents.files.list", times=2)
    url = f"/gateways/{tower.row.id}/template-syncs"
    begun = (await cast.ada.post(url, {"include_main": False})).ok()
    await tower.until_held()
    job = (await cast.ada.get(f"/jobs/{begun['job_id']}")).ok()
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("template_sync", "running", 0, 2)
    (await cast.ada.delete(f"/agents/{agent.id}")).ok()
    held.set()
    await tower.ended()
    job = (await cast.ada.get(f"/jobs/{begun['job_id']}")).ok()
    assert (job["state"], job["done"]) == ("done", 2)
    assert job["result"]["summary"].startswith("1 agent written")
    (await cast.ada.delete(f"/agents/{other.id}")).ok()
    assert (await cast.ada.get(f"/jobs/{begun['job_id']}")).ok()["result"] == job["result"]
    (await cast.ada.post(url, {"lead_only": True, "include_main": False})).ok()
    assert (await jobs(cast.ada))[-1]["result"]["summary"] == "0 agents written."
