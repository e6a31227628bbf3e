"""Agents of gateways are there while their gateway is, and at work while a turn of theirs goes on."""

from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.models import Gateway
from tests.agents_on_gateways import hire_main
from tests.cast import Cast, Program
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.notices import on_gateway, reconnect_quickly, session_of
from tests.visitor import visitor


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)
    monkeypatch.setattr(following, "TURN_PACE_SECONDS", 0.0)


async def shown(cast: Cast, agent: Program) -> dict[str, Any]:
    """An agent as people's programs read it."""
    found: dict[str, Any] = (await cast.ada.get(f"/agents/{agent.id}")).ok()
    return found


async def turn(fake: FakeGateway, agent: Program, phase: str, run: str = "run", session: str = "") -> None:
    """Tell that a turn of an agent began or ended."""
    key = session or await session_of(agent)
    about = {"runId": f"{run} of {agent.id}", "sessionKey": key, "agentId": key.split(":")[1], "seq": 1, "ts": 1}
    await fake.emit("agent", {**about, "stream": "lifecycle", "data": {"phase": phase}})


async def test_agent_is_online_for_as_long_as_its_gateway_is_connected(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await Agent.filter(id=lyra.id).update(status="online", last_seen_at=times.clock_now() - timedelta(days=5))
    assert (await shown(cast, lyra))["status"] == "online"
    await fake_gateway.stop()
    away = await until(lambda: Agent.get_or_none(id=lyra.id, gateway_away_at__isnull=False))
    assert (await shown(cast, lyra))["status"] == "offline" and away.gateway_away_at is not None
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/agents")).has("Gateway away", "0 of 5 online")
    await fake_gateway.start()
    await until(lambda: Agent.get_or_none(id=lyra.id, gateway_away_at=None))
    assert (await shown(cast, lyra))["status"] == "online"
    (await ada.get("/agents")).lacks("Gateway away")


async def test_main_agent_that_nobody_needed_yet_is_said_to_be_made_then(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    main = await hire_main(cast.app, gateway)
    ada = await visitor(cast.app, cast.ada)
    for path in ("/agents", f"/gateways/{gateway.id}/agents"):
        (await ada.get(path)).has("Made when it is needed")
    await Agent.filter(id=main.id).update(workspace_token="made")
    (await ada.get(f"/gateways/{gateway.id}/agents")).lacks("Made when it is needed")


async def test_one_agents_turn_says_nothing_about_the_others(cast: Cast, fake_gateway: FakeGateway) -> None:
    """Such as a turn that waits for an approval."""
    gateway = await connected_gateway(cast, fake_gateway)
    lyra, vela = [await on_gateway(cast, fake_gateway, gateway, name) for name in ("Lyra", "Vela")]
    await Agent.all().update(status="online", last_seen_at=times.clock_now() - timedelta(hours=3))
    await turn(fake_gateway, lyra, "start")
    busy = await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at__isnull=False))
    assert busy.last_seen_at > times.clock_now() - timedelta(hours=1)
    assert (await shown(cast, vela))["status"] == "online" and (await shown(cast, vela))["run_began_at"] is None
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/agents")).has("Working", "Idle")
    await turn(fake_gateway, lyra, "end")
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at=None))


async def test_home_calls_no_agent_silent_whose_gateway_is_there(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Count the moons"})).ok()
    (await lyra.post(f"/agent/boards/{cast.other_board.id}/claims", {})).ok()
    await Agent.filter(id=lyra.id).update(last_seen_at=times.clock_now() - timedelta(minutes=14))
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/")).lacks("gives no sign")
    await fake_gateway.stop()
    await until(lambda: Agent.get_or_none(id=lyra.id, gateway_away_at__isnull=False))
    (await ada.get("/")).has("gateway away").lacks("gives no sign")


async def test_agent_is_in_a_turn_until_the_last_of_its_sessions_ends(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    other = (await session_of(lyra)).replace(":main", ":cron:1")
    await turn(fake_gateway, lyra, "start")
    await turn(fake_gateway, lyra, "start", "another", other)
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at__isnull=False))
    await turn(fake_gateway, lyra, "end")
    await turn(fake_gateway, lyra, "model", "another", other)
    await until(lambda: not following._storing)
    assert (await Agent.get(id=lyra.id)).run_began_at is not None
    await turn(fake_gateway, lyra, "end", "another", other)
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at=None))


async def test_turns_are_forgotten_with_the_connection(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await turn(fake_gateway, lyra, "start")
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at__isnull=False))
    await fake_gateway.drop(1006)
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at=None))


async def test_turn_before_the_first_call_is_no_call(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await Agent.filter(id=lyra.id).update(last_seen_at=None)
    await turn(fake_gateway, lyra, "start")
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at__isnull=False))
    assert (await Agent.get(id=lyra.id)).last_seen_at is None


async def test_new_agent_of_a_gateway_that_is_away_is_away(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.other_board.id).update(gateway_id=gateway.id, max_agents=9)
    await fake_gateway.stop()
    await until(lambda: _is_away(gateway.id))
    made = (await cast.ada.post("/agents", {"name": "Late", "board_id": cast.other_board.id})).ok()
    assert made["gateway_away_at"] is not None


async def _is_away(gateway_id: Any) -> bool:
    return await Gateway.exclude(state="connected").filter(id=gateway_id).exists()
