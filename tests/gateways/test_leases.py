"""A turn on a gateway is its agent's sign of life: what the agent holds stays its own for as long as it goes on."""

from typing import Any

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.models import Gateway
from mission_control.runs.claims.leases import expire_due
from tests.cast import Cast, Program
from tests.claiming import later
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.notices import on_gateway, reconnect_quickly
from tests.gateways.test_presence import turn

pytestmark = pytest.mark.dialect

LEASE = 60


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)
    monkeypatch.setattr(following, "TURN_PACE_SECONDS", 0.0)


@pytest.fixture
async def lyra(cast: Cast, fake_gateway: FakeGateway) -> Program:
    """An agent of a gateway, alone on its board."""
    gateway = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.other_board.id).update(gateway_id=gateway.id, max_agents=9)
    await Agent.filter(board_id=cast.other_board.id).delete()
    return await on_gateway(cast, fake_gateway, gateway, "Lyra")


async def taken(cast: Cast, agent: Program) -> dict[str, Any]:
    """A task that an agent holds for a minute."""
    (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Count the moons"})).ok()
    claims = f"/agent/boards/{cast.other_board.id}/claims"
    claim: dict[str, Any] = (await agent.post(claims, {"lease_seconds": LEASE})).ok()
    return claim


async def state(claim: dict[str, Any]) -> str:
    """How the run of a claim is."""
    return (await Run.get(task_id=claim["task"]["id"], fence=claim["lease"]["fence"])).state


async def in_turn(fake: FakeGateway, agent: Program) -> None:
    """Let a turn of an agent begin."""
    await turn(fake, agent, "start")
    await until(lambda: Agent.get_or_none(id=agent.id, run_began_at__isnull=False))


async def test_lease_is_renewed_while_a_turn_goes_on_and_runs_out_after_it(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    claim = await taken(cast, lyra)
    await in_turn(fake_gateway, lyra)
    for minutes in (1, 20, 300):
        with later(minutes=minutes):
            assert await expire_due() == 0
            assert await state(claim) == "running"
    await turn(fake_gateway, lyra, "end")
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at=None))
    with later(minutes=302):
        assert await expire_due() == 1
    assert await state(claim) == "expired"


async def test_lease_of_an_agent_in_a_turn_is_renewed_before_it_is_over(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    """So that no write of the agent falls into the moment between its end and its renewal."""
    claim = await taken(cast, lyra)
    await in_turn(fake_gateway, lyra)
    with later(LEASE - 20):
        await expire_due()
    with later(LEASE + 1):
        handed_in = {"fence": claim["lease"]["fence"], "summary": "There are 95."}
        await lyra.post(f"/agent/boards/{cast.other_board.id}/tasks/{claim['task']['id']}/completions", handed_in)
    assert await state(claim) == "completed"


async def test_lease_runs_out_between_turns(cast: Cast, fake_gateway: FakeGateway, lyra: Program) -> None:
    claim = await taken(cast, lyra)
    with later(LEASE - 1):
        assert await expire_due() == 0
    with later(LEASE + 1):
        assert await expire_due() == 1
    assert await state(claim) == "expired"


async def test_lease_runs_out_while_the_gateway_is_away(cast: Cast, fake_gateway: FakeGateway, lyra: Program) -> None:
    claim = await taken(cast, lyra)
    await in_turn(fake_gateway, lyra)
    await fake_gateway.stop()
    await until(lambda: Agent.get_or_none(id=lyra.id, gateway_away_at__isnull=False))
    await Agent.filter(id=lyra.id).update(run_began_at=times.clock_now())  # as a process that died has left it
    with later(LEASE + 1):
        assert await expire_due() == 1
    assert await state(claim) == "expired"


async def test_turn_that_goes_on_for_more_than_a_day_renews_nothing(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    claim = await taken(cast, lyra)
    await in_turn(fake_gateway, lyra)
    with later(hours=23):
        assert await expire_due() == 0
    with later(hours=25):
        assert await expire_due() == 1
    assert await state(claim) == "expired"


async def test_turn_without_a_sign_for_an_hour_is_forgotten(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await taken(cast, lyra)
    await in_turn(fake_gateway, lyra)
    await following.drop_silent()
    await until(lambda: not following._storing)
    assert (await Agent.get(id=lyra.id)).run_began_at is not None
    monkeypatch.setattr(following, "RUN_SECONDS", 0.0)
    await following.drop_silent()
    await until(lambda: Agent.get_or_none(id=lyra.id, run_began_at=None))
    with later(LEASE + 1):
        assert await expire_due() == 1
    assert await state(claim) == "expired"


async def test_turn_of_another_agent_renews_nothing(cast: Cast, fake_gateway: FakeGateway, lyra: Program) -> None:
    claim = await taken(cast, lyra)
    gateway = await Gateway.get(id=(await Agent.get(id=lyra.id)).gateway_id)
    vela = await on_gateway(cast, fake_gateway, gateway, "Vela")
    await in_turn(fake_gateway, vela)
    with later(LEASE + 1):
        assert await expire_due() == 1
    assert await state(claim) == "expired"
