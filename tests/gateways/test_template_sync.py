"""The files of a gateway's agents are written anew, with every flag doing what it says."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.gateway_agents.provisioning import progress
from mission_control.gateway_agents.provisioning.workspace import token_in
from mission_control.people.models import Token
from tests.cast import Cast
from tests.gateways.tower import Tower, tower_of

pytestmark = pytest.mark.database


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        await Agent.filter(id=cast.atlas.id).delete()
        new = {"name": "Sol", "board_id": cast.board.id, "is_board_lead": True}
        (await cast.ada.post("/agents", new)).ok()
        await one.add_main_agent()
        await one.add_agent(cast)
        for agent in await Agent.filter(gateway_id=one.row.id):
            (await (await one.program(agent.id)).post("/agent/heartbeat")).ok()
        await one.ended()
        one.fake.calls.clear()
        yield one


async def sync(cast: Cast, tower: Tower, **flags: Any) -> dict[str, Any]:
    """Ask for a sync as Ada."""
    query = "&".join(f"{name}={value}" for name, value in flags.items())
    body: dict[str, Any] = (await cast.ada.post(f"/gateways/{tower.row.id}/templates/sync?{query}")).ok()
    return body


def written(tower: Tower) -> set[str]:
    """Return the names of the files that were written."""
    return {one["name"] for one in tower.fake.sent("agents.files.set")}


async def test_sync_writes_the_files_of_everybody_and_wakes_nobody(cast: Cast, tower: Tower) -> None:
    found = await sync(cast, tower)
    assert (found["agents_updated"], found["agents_skipped"], found["main_updated"]) == (2, 0, True)
    assert (found["errors"], found["finished"]) == ([], True)
    assert tower.fake.sent("chat.send") == tower.fake.sent("sessions.reset") == []
    assert (await cast.ada.get(f"/jobs/{found['job_id']}")).ok()["state"] == "done"


async def test_sync_can_go_on_in_the_background(cast: Cast, tower: Tower) -> None:
    begun = (await cast.ada.post(f"/gateways/{tower.row.id}/template-syncs", {"include_main": False})).ok()
    await tower.settled()
    job = (await cast.ada.get(f"/jobs/{begun['job_id']}")).ok()
    assert (job["state"], job["done"]) == ("done", 2) and job["result"]["summary"].startswith("2 agents written")


async def test_sync_of_leads_without_main(cast: Cast, tower: Tower) -> None:
    found = await sync(cast, tower, lead_only=True, include_main=False)
    assert (found["agents_updated"], found["main_updated"], found["include_main"]) == (1, False, False)
    assert {one["agentId"] for one in tower.fake.sent("agents.files.set")} == {f"lead-{cast.board.id}"}


async def test_sync_resets_sessions_when_asked(cast: Cast, tower: Tower) -> None:
    found = await sync(cast, tower, reset_sessions=True)
    assert found["reset_sessions"] and len(tower.fake.sent("sessions.reset")) == 3


async def test_own_files_of_agents_are_kept_unless_overwritten(cast: Cast, tower: Tower) -> None:
    agent = await Agent.get(name="Lyra")
    files = tower.fake.state.agents[str(agent.gateway_agent_id)].files
    files["MEMORY.md"] = "I learned this."
    await sync(cast, tower)
    assert files["MEMORY.md"] == "I learned this." and "MEMORY.md" not in written(tower)
    await sync(cast, tower, overwrite=True)
    assert files["MEMORY.md"] != "I learned this." and {"MEMORY.md", "USER.md"} <= written(tower)


async def test_bootstrap_comes_back_only_when_forced(cast: Cast, tower: Tower) -> None:
    files = tower.fake.state.agents[f"lead-{cast.board.id}"].files
    del files["BOOTSTRAP.md"]
    await sync(cast, tower)
    assert "BOOTSTRAP.md" not in files
    await sync(cast, tower, force_bootstrap=True)
    assert "BOOTSTRAP.md" in files


async def test_rotation_leaves_the_old_token_valid_while_the_new_one_arrives(cast: Cast, tower: Tower) -> None:
    agent = await Agent.get(name="Lyra")
    old = await tower.program(agent.id)
    held = tower.fake.hold("agents.files.set", times=20)
    task = asyncio.create_task(sync(cast, tower, rotate_tokens=True))
    await tower.until_held()
    (await old.post("/agent/heartbeat")).ok()
    held.set()
    assert (await task)["agents_updated"] == 2
    new = await tower.program(agent.id)
    assert new.secret != old.secret
    (await new.post("/agent/heartbeat")).ok()
    (await old.post("/agent/heartbeat")).ok()
    [ends] = await Token.filter(agent_id=agent.id).exclude(expires_at=None)
    assert timedelta(minutes=50) < ends.expires_at - times.clock_now() <= timedelta(hours=1)


async def test_plain_sync_keeps_tokens(cast: Cast, tower: Tower) -> None:
    agent = await Agent.get(name="Lyra")
    before = await tower.program(agent.id)
    await sync(cast, tower)
    assert (await tower.program(agent.id)).secret == before.secret
    assert await Token.filter(agent_id=agent.id).count() == 1


async def test_token_that_is_not_known_is_read_from_the_files(cast: Cast, tower: Tower) -> None:
    agent = await Agent.get(name="Lyra")
    before = await tower.program(agent.id)
    await Agent.filter(id=agent.id).update(workspace_token=None)
    found = await sync(cast, tower)
    assert (found["agents_updated"], found["errors"]) == (2, [])
    assert (await tower.program(agent.id)).secret == before.secret


async def test_agent_without_a_readable_token_is_skipped_with_an_error(cast: Cast, tower: Tower) -> None:
    agent = await Agent.get(name="Lyra")
    tower.fake.state.agents[str(agent.gateway_agent_id)].files.clear()
    await Agent.filter(id=agent.id).update(workspace_token=None)
    found = await sync(cast, tower)
    assert (found["agents_updated"], found["agents_skipped"]) == (1, 1)
    [error] = found["errors"]
    assert (error["agent_id"], error["agent_name"], error["board_id"]) == (str(agent.id), "Lyra", str(cast.board.id))
    assert (await sync(cast, tower, rotate_tokens=True))["agents_updated"] == 2
    assert token_in(tower.files(agent)["AGENTS.md"])


async def test_paused_board_is_skipped_silently(cast: Cast, tower: Tower) -> None:
    await Board.filter(id=cast.board.id).update(work_state="paused")
    found = await sync(cast, tower)
    assert (found["agents_updated"], found["agents_skipped"], found["errors"]) == (0, 2, [])
    assert found["main_updated"]


async def test_error_of_one_agent_stops_no_other(cast: Cast, tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOST_ATTEMPTS", 1)
    tower.fake.fail("agents.files.list", "no such disk")
    found = await sync(cast, tower, include_main=False)
    assert (found["agents_updated"], found["agents_skipped"], found["finished"]) == (1, 1, True)
    assert "no such disk" in found["errors"][0]["message"]


async def test_sync_of_a_board_elsewhere_or_without_answer_is_one_error(cast: Cast, tower: Tower) -> None:
    found = await sync(cast, tower, board_id=cast.other_board.id)
    assert (found["main_updated"], len(found["errors"])) == (False, 1)
    await tower.disconnect()
    found = await sync(cast, tower)
    assert (found["agents_updated"], len(found["errors"]), found["finished"]) == (0, 1, True)
