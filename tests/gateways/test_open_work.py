"""The server looks after agents of gateways, and tells them once of work that they have not taken up."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.gateway_agents import notices
from mission_control.gateways.models import Gateway
from tests.cast import Cast, Program
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway
from tests.gateways.notices import on_gateway, received, reconnect_quickly, send_all
from tests.things import hold

pytestmark = pytest.mark.dialect


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends or looks."""
    await reconnect_quickly(monkeypatch)
    monkeypatch.setattr(notices, "_next", {})


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway with a board of its own that has no task."""
    made = await connected_gateway(cast, fake_gateway)
    await Board.filter(id=cast.other_board.id).update(gateway_id=made.id, max_agents=9)
    await Agent.filter(board_id=cast.other_board.id).delete()
    return made


async def looked(gateway: Gateway, minutes: float) -> list[str]:
    """Let the server look now and some minutes later; what is on its way to agents then."""
    await notices.look([gateway.id])
    with times.travelled(timedelta(minutes=minutes)):
        await notices.look([gateway.id])
        await send_all()
    return [one.text for one in await Delivery.filter(header="WORK WAITS").order_by("created_at")]


async def task(cast: Cast, **fields: Any) -> UUID:
    """A task on the gateway's board."""
    made = await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Count the moons", **fields})
    return UUID(made.ok()["id"])


async def started(cast: Cast, worker: Program) -> UUID:
    """A task that an agent has claimed."""
    await task(cast)
    claim = (await worker.post(f"/agent/boards/{cast.other_board.id}/claims", {})).ok()
    await send_all()
    return UUID(claim["task"]["id"])


async def test_nothing_is_sent_to_agents_without_work(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    for name in ("Lyra", "Vela"):
        await on_gateway(cast, fake_gateway, gateway, name)
    assert await looked(gateway, 60) == [] and fake_gateway.sent("chat.send") == []


async def test_task_that_lies_idle_is_told_to_its_agent_once(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await started(cast, lyra)
    assert await looked(gateway, 5) == []
    [told] = await looked(gateway, 11)
    assert "Count the moons is yours and in progress" in told
    assert len(await looked(gateway, 60)) == len(await looked(gateway, 180)) == 1
    assert [one.split("\n")[0] for one in await received(fake_gateway, lyra)] == ["WORK WAITS"]


@pytest.mark.parametrize("asks", ["approval", "question"])
async def test_agent_that_waits_for_people_is_left_alone(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, asks: str
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    mine = await started(cast, lyra)
    bodies = {
        "approval": {"action_type": "deploy", "task_id": str(mine), "confidence": 80, "payload": {"reason": "Ready."}},
        "question": {"content": "Which one?"},
    }
    (await lyra.post(f"/agent/boards/{cast.other_board.id}/{asks}s", bodies[asks])).ok()
    assert await looked(gateway, 60) == []


async def test_agent_whose_run_waits_is_told_of_the_answer_and_of_other_work(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await started(cast, lyra)
    board = f"/boards/{cast.other_board.id}"
    asked = (await lyra.post(f"/agent{board}/questions", {"content": "Which one?", "park": True})).ok()
    assert await looked(gateway, 11) == []
    await task(cast, title="Count the rings")
    assert "Count the rings waits to be claimed" in (await looked(gateway, 30))[-1]
    (await cast.ada.post(f"{board}/questions/{asked['id']}/answers", {"answer": "Both."})).ok()
    await send_all()
    await Agent.filter(id=lyra.id).update(run_began_at=None)  # the turn in which it read the answer ended
    assert "Count the moons waited for an answer and has it" in (await looked(gateway, 50))[-1]


async def test_one_of_several_idle_workers_is_told_of_a_free_task(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    for name in ("Lyra", "Vela"):
        await on_gateway(cast, fake_gateway, gateway, name)
    await task(cast)
    [told] = await looked(gateway, 11)
    assert "Count the moons waits to be claimed" in told


async def test_nobody_is_told_while_work_is_paused_or_a_turn_goes_on(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await started(cast, lyra)
    await Agent.filter(id=lyra.id).update(run_began_at=times.clock_now())
    assert await looked(gateway, 11) == []
    await Agent.filter(id=lyra.id).update(run_began_at=None, heartbeat_config={"every": "0m"})
    assert await looked(gateway, 600) == []
    await Agent.filter(id=lyra.id).update(heartbeat_config={"every": "10m"})
    (await cast.ada.call("PUT", f"/boards/{cast.other_board.id}/work-state", {"state": "paused"})).ok()
    await send_all()
    assert await looked(gateway, 11) == []


async def test_lead_is_told_of_work_that_only_a_lead_can_move_on(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lead = await on_gateway(cast, fake_gateway, gateway, "Sol", is_lead=True)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await Board.filter(id=cast.other_board.id).update(require_approval_for_done=False, require_review_before_done=True)
    mine = await started(cast, lyra)
    path = f"/agent/boards/{cast.other_board.id}/tasks/{mine}/completions"
    (await lyra.post(path, {"fence": 1, "summary": "Twelve."})).ok()
    await send_all()
    told = [one for one in await looked(gateway, 11) if "(review)" in one]
    assert len(told) == 1 and lead.id in {one.agent_id for one in await Delivery.filter(header="WORK WAITS")}


@pytest.mark.parametrize(
    ("config", "seconds"),
    [(None, 600), ({}, 600), ({"every": "0m"}, None), ({"every": "5s"}, 30), ({"every": "1d"}, 86400)],
)
def test_interval_is_what_is_set_and_not_too_short(config: Any, seconds: int | None) -> None:
    found = notices.interval_of(config)
    assert (None if found is None else found.total_seconds()) == seconds


async def test_agent_is_silent_only_when_it_was_told_and_did_nothing(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    async def silent() -> list[str]:
        found = (await cast.ada.get("/needs")).ok()["items"]
        return [one["title"] for one in found if one["kind"] == "silent"]

    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await started(cast, lyra)
    with times.travelled(timedelta(minutes=14)):
        assert await silent() == []
    await looked(gateway, 11)
    with times.travelled(timedelta(minutes=30)):
        assert len(await silent()) == 1
        await Agent.filter(id=lyra.id).update(gateway_away_at=times.clock_now())
        assert await silent() == []


async def test_task_is_told_to_nobody_before_its_moment(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    moment = times.clock_now() + timedelta(hours=2)
    await task(cast, not_before=times.wire(moment))
    await task(cast, title="Its own", not_before=times.wire(moment), assigned_agent_id=str(lyra.id))
    assert await looked(gateway, 60) == []
    [told] = await looked(gateway, 180)
    assert "Count the moons waits to be claimed" in told and "Its own waits to be claimed" in told


async def test_agent_whose_program_may_not_go_on_is_left_alone_until_it_may(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    held = await hold(lyra, until=times.wire(times.clock_now() + timedelta(hours=5)))
    await task(cast)
    [worker] = (await cast.ada.get(f"/boards/{cast.other_board.id}/workers")).ok()["items"]
    assert (worker["state"], worker["places"], worker["hold"]["id"]) == ("holding", 0, held["id"])
    assert await looked(gateway, 60) == []
    answers = f"/boards/{cast.other_board.id}/holds/{held['id']}/answers"
    (await cast.ada.post(answers, {"answer": "continue"})).ok()
    [told] = await looked(gateway, 120)
    assert "Count the moons waits to be claimed" in told


async def test_agent_is_told_of_open_work_after_its_hold(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    held = await hold(lyra)
    await task(cast)
    assert await looked(gateway, 30) == []
    (await lyra.delete(f"/agent/holds/{held['id']}")).ok()
    [told] = await looked(gateway, 60)
    assert "Count the moons waits to be claimed" in told
