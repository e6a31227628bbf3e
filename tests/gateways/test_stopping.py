"""Who has to stop stops: turns on gateways are ended, and that is said."""

from typing import Any

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import changes
from mission_control.gateways.models import Gateway
from mission_control.people.models import Member
from tests.cast import Cast, Program, events, head, stamp
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.notices import on_gateway, received, reconnect_quickly, send_all, session_of, write


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


async def note_of(agent: Program, action: str) -> Any:
    """What an agent's job noted when the application had done it."""
    job = await until(lambda: ProvisioningJob.get_or_none(agent_id=agent.id, action=action, state="done"))
    return job.steps[0]["note"]


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


@pytest.mark.parametrize("states", [["paused"], ["stopped", "running"]], ids="-".join)
async def test_pause_and_a_stop_that_was_lifted_before_it_arrived_end_no_turn(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, states: list[str]
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    for state in states:
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


async def held(cast: Cast, agent: Program) -> str:
    """The path of a task that an agent works on."""
    path = f"/boards/{cast.other_board.id}/tasks"
    task = (await cast.ada.post(path, {"title": "One"})).ok()["id"]
    (await agent.post(f"/agent/boards/{cast.other_board.id}/claims", {"task_id": task})).ok()
    await send_all()
    return f"{path}/{task}"


async def test_stopped_run_ends_the_turn_whatever_else_waits(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    task = await held(cast, lyra)
    await held(cast, lyra)
    await busy(fake_gateway, lyra)
    [first] = await write(cast, lyra, "It cannot be sent now.")
    await Delivery.filter(id=first.id).update(due_at=stamp(10))
    before = await head(cast)
    run = (await cast.ada.post(f"{task}/stop", {"reason": "Rain."})).ok()
    assert run["notified_at"] is None
    await send_all()
    assert fake_gateway.running == {}
    assert await ended(before) == ["Ended what Lyra was doing: a person stopped its run."]
    assert "Stopped by Ada: Rain." in (await received(fake_gateway, lyra))[-1]
    [run] = (await cast.ada.get(f"{task}/runs")).ok()["items"]
    assert run["notified_at"] is not None and (await Delivery.get(id=first.id)).state == "waiting"


async def test_stop_that_arrives_after_other_work_began_ends_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    task = await held(cast, lyra)
    (await cast.ada.post(f"{task}/stop", {})).ok()
    await held_without_sending(cast, lyra)
    await busy(fake_gateway, lyra)
    await send_all()
    assert fake_gateway.running and fake_gateway.sent("chat.abort") == []


async def held_without_sending(cast: Cast, agent: Program) -> None:
    """A task that an agent takes while notices wait for it."""
    path = f"/boards/{cast.other_board.id}/tasks"
    task = (await cast.ada.post(path, {"title": "Two"})).ok()["id"]
    (await agent.post(f"/agent/boards/{cast.other_board.id}/claims", {"task_id": task})).ok()


async def test_note_in_a_turn_rides_on_an_answer_and_is_not_sent_again(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    task = await held(cast, lyra)
    for _ in range(2):
        (await lyra.post("/agent/heartbeat", None)).ok()
    await Agent.filter(id=lyra.id).update(run_began_at=stamp())
    before = await received(fake_gateway, lyra)
    (await cast.ada.post(f"{task}/notes", {"text": "Read the new table."})).ok()
    (await cast.ada.post(f"{task}/comments", {"message": "How far?"})).ok()
    await send_all()
    after = await received(fake_gateway, lyra)
    assert len(after) == len(before) + 1 and "How far?" in after[-1]  # what came later waits for no note
    [item] = (await lyra.post("/agent/heartbeat", None)).ok()["news"]["items"]
    assert item["kind"] == "note" and "Read the new table." in item["text"]
    assert "news" not in (await lyra.post("/agent/heartbeat", None)).ok()
    await Agent.filter(id=lyra.id).update(run_began_at=None)
    await send_all()
    assert await received(fake_gateway, lyra) == after


async def test_note_is_sent_when_the_turn_ends(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    task = await held(cast, lyra)
    await Agent.filter(id=lyra.id).update(run_began_at=stamp())
    sent = (await cast.ada.post(f"{task}/notes", {"text": "Read the new table."})).ok()
    await send_all()
    assert (await Delivery.get(id=sent["id"])).state == "waiting"
    await Agent.filter(id=lyra.id).update(run_began_at=None)
    await send_all()
    assert "Read the new table." in (await received(fake_gateway, lyra))[-1]
    [note] = (await cast.ada.get(f"{task}/notes")).ok()["items"]
    assert note["state"] in ("taken", "read") and note["taken_at"] is not None  # its session answers meanwhile


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
    assert await note_of(lyra, "remove") == "What it was doing was ended." and fake_gateway.running == {}


async def test_deleted_board_ends_the_turns_of_its_agents(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    assert await note_of(lyra, "rest") == "Its turn was ended." and fake_gateway.running == {}


async def test_erased_board_ends_the_turns_of_its_agents(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await busy(fake_gateway, lyra)
    await cast.erase(cast.other_board.id)
    await note_of(lyra, "remove")
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
