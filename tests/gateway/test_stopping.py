"""Who has to stop stops: turns on gateways are ended, and that is said."""

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.commands import erase_board
from mission_control.boards.models import Board
from mission_control.fleet import changes
from mission_control.fleet.changes import remove, rest
from mission_control.fleet.models import ProvisioningJob
from mission_control.gateways.models import Gateway
from mission_control.people.models import Member
from tests.cast import Cast, Program, events, head
from tests.gateway.fake import FakeGateway
from tests.gateway.gateways import connected_gateway
from tests.gateway.notices import on_gateway, reconnect_quickly, send_all, session_of


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A connected gateway under a board."""
    made = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.other_board.id).update(gateway_id=made.id, max_agents=9)
    await Agent.filter(board_id=cast.other_board.id).delete()
    return made


async def busy(fake: FakeGateway, agent: Program) -> None:
    """Let an agent be in a turn."""
    fake.running[await session_of(agent)] = ["run-1"]


async def ended(before: int) -> list[str]:
    """What the log says of turns that were ended."""
    return [one.message for one in await events(before, kind="agent.turn_ended")]


@pytest.mark.parametrize("what", ["agent", "board", "organization"])
async def test_stop_ends_the_turn_before_the_agent_is_told(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, what: str
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    paths = {
        "agent": f"/agents/{lyra.id}",
        "board": f"/boards/{cast.other_board.id}",
        "organization": "/organizations/me",
    }
    before = await head(cast)
    (await cast.ada.call("PUT", f"{paths[what]}/work-state", {"state": "stopped"})).ok()
    await send_all()
    assert fake_gateway.running == {}
    assert await ended(before) == ["Ended what Lyra was doing: work was stopped."]
    done = [one.method for one in fake_gateway.calls if one.method in ("chat.abort", "chat.send")]
    assert done.index("chat.abort") < done.index("chat.send")


async def test_pause_ends_no_turn(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    (await cast.ada.call("PUT", f"/agents/{lyra.id}/work-state", {"state": "paused"})).ok()
    await send_all()
    assert fake_gateway.running and fake_gateway.sent("chat.abort") == []


async def test_stop_that_was_lifted_before_it_arrived_ends_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    for state in ("stopped", "running"):
        (await cast.ada.call("PUT", f"/agents/{lyra.id}/work-state", {"state": state})).ok()
    await send_all()
    assert fake_gateway.running and fake_gateway.sent("chat.abort") == []


async def test_used_up_budget_ends_the_turn(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    new = {"agent_id": str(lyra.id), "unit": "tokens", "period": "day", "limit": 100}
    (await cast.ada.post("/budgets", new)).ok()
    before = await head(cast)
    (await lyra.post("/agent/usage", {"input_tokens": 200, "output_tokens": 0})).ok()
    await send_all()
    assert await ended(before) == ["Ended what Lyra was doing: a budget is used up."]


@pytest.mark.parametrize("has_another", [False, True])
async def test_task_that_is_taken_away_ends_the_turn_of_an_agent_with_no_other(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, has_another: bool
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    path = f"/boards/{cast.other_board.id}/tasks"
    tasks = []
    for title in ("One", "Two")[: 1 + has_another]:
        tasks.append((await cast.ada.post(path, {"title": title})).ok()["id"])
        (await lyra.post(f"/agent/boards/{cast.other_board.id}/claims", {"task_id": tasks[-1]})).ok()
    await send_all()
    await busy(fake_gateway, lyra)
    before = await head(cast)
    (await cast.ada.patch(f"{path}/{tasks[0]}", {"assigned_agent_id": None, "status": "inbox"})).ok()
    await send_all()
    assert await ended(before) == ([] if has_another else ["Ended what Lyra was doing: its task was taken away."])
    assert bool(fake_gateway.running) is has_another


async def test_other_sessions_of_the_agent_are_ended_too(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra, vela = [await on_gateway(cast, fake_gateway, gateway, name) for name in ("Lyra", "Vela")]
    for agent in (lyra, vela):
        key = (await session_of(agent)).replace(":main", ":cron:1")
        fake_gateway.state.session(key)
        fake_gateway.running[key] = ["run-2"]
    (await cast.ada.call("PUT", f"/agents/{lyra.id}/work-state", {"state": "stopped"})).ok()
    await send_all()
    assert list(fake_gateway.running) == [(await session_of(vela)).replace(":main", ":cron:1")]


async def test_agent_that_is_deleted_ends_its_turn_first(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    (await cast.ada.delete(f"/agents/{lyra.id}")).ok()
    job = await ProvisioningJob.get(agent_id=lyra.id, action="remove")
    assert await remove(job) == "What it was doing was ended." and fake_gateway.running == {}


async def test_deleted_board_ends_the_turns_of_its_agents(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    job = await ProvisioningJob.get(agent_id=lyra.id, action="rest")
    assert await rest(job) == "Its turn was ended." and fake_gateway.running == {}


async def test_erased_board_ends_the_turns_of_its_agents(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    await erase_board(await cast.ada.actor(), await Board.get(id=cast.other_board.id))
    job = await ProvisioningJob.get(agent_id=lyra.id, action="remove")
    await remove(job)
    assert fake_gateway.running == {}


@pytest.mark.parametrize("path", ["/organizations/me", "/users/me"])
async def test_deleted_organization_ends_the_turns_of_its_agents(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, path: str
) -> None:
    lyra, vela = [await on_gateway(cast, fake_gateway, gateway, name) for name in ("Lyra", "Vela")]
    await busy(fake_gateway, lyra)
    await Agent.filter(id=vela.id).update(gateway_id=None)
    await Member.exclude(user_id=cast.ada.id).delete()
    (await cast.ada.delete(path)).ok()
    assert fake_gateway.running == {} and not await Agent.filter(id=lyra.id).exists()


async def test_organization_is_deleted_although_its_gateway_does_not_answer(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    monkeypatch.setattr(changes, "ENDING_SECONDS", 0.05)
    fake_gateway.hold("chat.abort")
    (await cast.ada.delete("/organizations/me")).ok()
    assert not await Agent.filter(id=lyra.id).exists()


async def test_account_that_may_not_be_deleted_ends_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    (await cast.ada.delete("/users/me")).refused(422)
    assert fake_gateway.running


async def test_board_is_deleted_while_an_agent_is_being_set_up(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await ProvisioningJob.filter(agent_id=lyra.id).delete()
    (await cast.ada.post(f"/agents/{lyra.id}/provisionings", {})).ok()
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    assert sorted(job.action for job in await ProvisioningJob.filter(agent_id=lyra.id)) == ["rest", "update"]
