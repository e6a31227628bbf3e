"""Agents are woken, and waited for."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.gateway_agents import failed_turns
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateways.connections.events import GatewayRef, connected
from tests.cast import Cast
from tests.deliveries import look_away
from tests.gateways.tower import Tower, tower_of

pytestmark = pytest.mark.database


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    await look_away(monkeypatch, failed_turns.SETTLING)
    async with tower_of(cast, monkeypatch) as one:
        yield one


async def overdue(agent: Agent) -> None:
    """Let the time of an agent's check-in pass."""
    await Agent.filter(id=agent.id).update(checkin_deadline_at=times.clock_now() - timedelta(seconds=1))
    await ProvisioningJob.filter(agent_id=agent.id).update(due_at=times.clock_now() - timedelta(seconds=1))


async def stay_silent(tower: Tower, agent: Agent) -> None:
    """Let all wakes of an agent pass without an answer."""
    for wakes in (2, 3):
        await overdue(agent)
        await tower.until_agent(agent.id, wake_attempts=wakes)
        await tower.settled()
    await overdue(agent)
    await tower.until("state = 'failed'")


async def test_silent_agent_is_woken_three_times_and_is_offline_then(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    token = made.workspace_token
    await stay_silent(tower, made)
    seen = (await cast.ada.get(f"/agents/{made.id}")).ok()
    assert (seen["status"], seen["wake_attempts"], seen["checkin_deadline_at"]) == ("offline", 3, None)
    assert "3 times" in seen["last_provision_error"]
    sent = tower.fake.sent("chat.send")
    assert len({one["idempotencyKey"] for one in sent}) == 3
    assert tower.fake.sent("sessions.reset") == []
    assert (await Agent.get(id=made.id)).workspace_token == token


async def test_agent_that_is_set_up_anew_is_woken_anew(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    (await cast.ada.post(f"/agents/{made.id}/provisionings", {})).ok()
    await tower.settled()
    assert len({one["idempotencyKey"] for one in tower.fake.sent("chat.send")}) == 2


async def test_late_call_clears_the_error(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    await stay_silent(tower, made)
    (await (await tower.program(made.id)).post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")
    seen = (await cast.ada.get(f"/agents/{made.id}")).ok()
    assert (seen["status"], seen["last_provision_error"], seen["wake_attempts"]) == ("online", None, 0)


async def test_call_after_the_first_wake_stops_the_next(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    (await (await tower.program(made.id)).post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")
    await overdue(made)
    await tower.settled()
    assert len(tower.fake.sent("chat.send")) == 1


async def test_heartbeat_clears_updating(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    program = await tower.program(made.id)
    (await program.post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")
    await tower.disconnect()
    changed = (await cast.ada.patch(f"/agents/{made.id}", {"identity_profile": {"role": "Tester"}})).ok()
    assert changed["status"] == "updating"
    (await program.post("/agent/heartbeat")).ok()
    assert (await cast.ada.get(f"/agents/{made.id}")).ok()["status"] == "online"


async def lost(tower: Tower, agent: Agent, *, is_interrupted: bool) -> None:
    """Let a gateway restart before it has taken up the greeting: it kept it as interrupted, or not at all."""
    session = str(agent.openclaw_session_id)
    key = tower.fake.sent("chat.send")[-1]["idempotencyKey"]
    await Agent.filter(id=agent.id).update(last_wake_sent_at=times.clock_now() - timedelta(minutes=1))
    tower.fake.state.sessions[session].messages.clear()
    tower.fake.state.runs.clear()
    if is_interrupted:
        tower.fake.state.pending[session] = [{"id": "1", "state": "interrupted", "runId": key}]


async def reconnect(tower: Tower) -> None:
    """What features do after a gateway was connected."""
    await connected(GatewayRef(tower.row.id, tower.row.organization_id))
    with times.travelled(failed_turns.SOON):
        await failed_turns.settle_doubts()
    await tower.settled()


@pytest.mark.parametrize("is_interrupted", [True, False])
async def test_greeting_that_a_restart_lost_is_sent_again_at_the_next_connection(
    cast: Cast, tower: Tower, is_interrupted: bool
) -> None:
    made = await tower.add_agent(cast)
    await lost(tower, made, is_interrupted=is_interrupted)
    await reconnect(tower)
    first, second = tower.fake.sent("chat.send")
    assert first["message"] == second["message"] and first["idempotencyKey"] != second["idempotencyKey"]
    assert (await Agent.get(id=made.id)).wake_attempts == 1
    await reconnect(tower)
    assert len(tower.fake.sent("chat.send")) == 2
    (await (await tower.program(made.id)).post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")


async def test_greeting_that_the_gateway_knows_is_not_sent_again(cast: Cast, tower: Tower) -> None:
    await tower.add_agent(cast)
    await reconnect(tower)
    assert len(tower.fake.sent("chat.send")) == 1


async def test_agent_that_called_is_not_greeted_again(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    await lost(tower, made, is_interrupted=True)
    await Agent.filter(id=made.id).update(last_seen_at=times.clock_now())
    await reconnect(tower)
    assert len(tower.fake.sent("chat.send")) == 1
