"""Thirty agents at once stay within what a gateway takes."""

from collections.abc import AsyncIterator

import pytest

from mission_control.agents.models import Agent
from mission_control.gateway_agents.provisioning import gateway_agent
from tests.cast import Cast
from tests.gateways.tower import Tower, tower_of

pytestmark = pytest.mark.database

PAUSE_SECONDS = gateway_agent.PAUSE_SECONDS  # other tests have none


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        monkeypatch.setattr(gateway_agent, "PAUSE_SECONDS", PAUSE_SECONDS)
        yield one


@pytest.mark.thorough
async def test_thirty_agents_share_patches_of_the_configuration(cast: Cast, tower: Tower) -> None:
    await tower.disconnect()
    tower.fake.old_heartbeat = {"every": "9m"}
    for number in range(30):
        (await cast.ada.post("/agents", {"name": f"Star {number}", "board_id": cast.board.id})).ok()
    await tower.connect()
    await tower.settled()
    agents = await Agent.filter(gateway_id=tower.row.id)
    assert len(agents) == 30 and {one.last_provision_error for one in agents} == {None}
    assert len(tower.fake.sent("config.patch")) <= 15
    assert [one for one in tower.fake.calls if one.refused == "UNAVAILABLE"] == []
    for agent in agents:
        assert "heartbeat" not in (tower.fake.state.entry(str(agent.gateway_agent_id)) or {"heartbeat": "no entry"})
    assert len({one["name"] for one in tower.fake.sent("agents.create")}) == 30 == len(tower.fake.sent("chat.send"))
