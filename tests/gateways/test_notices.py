"""Notices to agents on gateways: that each arrives once and in order, and what waits for how long."""

import asyncio
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.background.sending import MOST_ATTEMPTS
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.gateway_agents import failed_turns
from mission_control.gateway_agents import notices as sender
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.models import Gateway
from tests.agents_on_gateways import hire_main, hire_on
from tests.cast import Cast, events, head
from tests.deliveries import send_due
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, state_of, until
from tests.gateways.notices import known, on_gateway, received, reconnect_quickly, send_all, session_of, states, write

pytestmark = pytest.mark.dialect


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)


async def test_notice_is_a_message_in_the_agents_session(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    [notice] = await write(cast, lyra, "Board: Dome", data={"succeeded": "task.assignee_notified"})
    before = await head(cast)
    await send_all()
    [sent] = fake_gateway.sent("chat.send")
    assert sent == {
        "sessionKey": f"agent:mc-{lyra.id}:main",
        "message": "TASK ASSIGNED\nBoard: Dome",
        "deliver": False,
        "idempotencyKey": str(notice.id),
    }
    assert (await Delivery.get(id=notice.id)).state == "sent"
    found = [(one.kind, one.agent_id) for one in await events(before)]  # its session may have begun already
    assert [one for one in found if one[0] != "session.started"] == [("task.assignee_notified", lyra.id)]


async def test_agents_are_served_side_by_side_and_each_in_order(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    fleet = [await on_gateway(cast, fake_gateway, gateway, f"Agent {number}") for number in range(12)]
    for agent in fleet:
        await write(cast, agent, "one", "two", "three")
    await send_all()
    for agent in fleet:
        assert await received(fake_gateway, agent) == [f"TASK ASSIGNED\n{word}" for word in ("one", "two", "three")]
    assert fake_gateway.most_in_progress <= sender.AT_ONCE


async def test_silent_gateway_does_not_hold_up_others(cast: Cast, fake_gateway: FakeGateway) -> None:
    """With more agents than a gateway gets messages at a time, callbacks and other gateways still have their turn."""
    gateway = await connected_gateway(cast, fake_gateway)
    fleet = [await on_gateway(cast, fake_gateway, gateway, f"Agent {number}") for number in range(20)]
    for agent in fleet:
        await write(cast, agent, "hello")
    gate = fake_gateway.hold("chat.send", times=100)
    sending = asyncio.create_task(send_due())
    await until(lambda: fake_gateway.in_progress >= sender.AT_ONCE)
    assert gateway.id not in sender._free() and not sender.senders(cast.app)[0].is_able()
    gate.set()
    await sending
    await send_all()
    for agent in fleet:
        assert await states(agent) == {"sent": 1}


@pytest.mark.parametrize("is_done_first", [True, False])
async def test_message_of_a_lost_connection_arrives_once(
    cast: Cast, fake_gateway: FakeGateway, is_done_first: bool
) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    [notice] = await write(cast, lyra, "hello")
    fake_gateway.break_off("chat.send", after=is_done_first)
    await send_due()
    waiting = await Delivery.get(id=notice.id)
    assert (waiting.state, waiting.attempts) == ("waiting", 0) and waiting.last_error
    fake_gateway.state.runs.clear()  # a gateway that was restarted knows no idempotency keys
    await state_of(gateway.id, "connected")
    await until(lambda: gateway.id in connector.held_here())
    with times.travelled(timedelta(minutes=1)):
        await send_all()
    assert await received(fake_gateway, lyra) == ["TASK ASSIGNED\nhello"]
    assert (await Delivery.get(id=notice.id)).state == "sent"


async def test_notice_that_a_restart_interrupted_is_sent_again(cast: Cast, fake_gateway: FakeGateway) -> None:
    """A gateway keeps what it had queued over its restart, except for what it was just beginning with."""
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    _, queued, lost = await write(cast, lyra, "kept", "queued", "lost")
    await send_all()
    session = fake_gateway.state.sessions[await session_of(lyra)]
    session.messages = [one for one in session.messages if "kept" in str(one["content"])]
    fake_gateway.state.pending[session.key] = [
        {"id": "1", "state": "queued", "runId": str(queued.id)},
        {"id": "2", "state": "interrupted", "runId": str(lost.id)},
    ]
    fake_gateway.state.runs.clear()
    await fake_gateway.restart()

    async def is_put_back() -> bool:
        return await Delivery.filter(id=lost.id, state="waiting").exists()

    await until(is_put_back)
    assert await states(lyra) == {"sent": 2, "waiting": 1}
    await until(lambda: gateway.id in connector.held_here())
    fake_gateway.calls.clear()
    with times.travelled(timedelta(seconds=3)):
        await send_all()
    [again] = fake_gateway.sent("chat.send")
    assert (again["message"], again["idempotencyKey"]) == ("TASK ASSIGNED\nlost", f"{lost.id}:2")
    assert await states(lyra) == {"sent": 3}
    before = await events()
    await failed_turns.note_connection(GatewayRef(gateway.id, cast.organization.id))
    with times.travelled(failed_turns.SOON):
        await failed_turns.settle_doubts()
    assert await states(lyra) == {"sent": 3} and await events() == before


async def test_gateway_that_is_away_for_ten_minutes_loses_nothing(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await write(cast, lyra, "before")
    await send_all()
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    for minute in range(10):
        with times.travelled(timedelta(minutes=minute)):
            await write(cast, lyra, f"minute {minute}")
            await send_all()
    assert await states(lyra) == {"sent": 1, "waiting": 10}
    assert {one.attempts for one in await Delivery.filter(agent_id=lyra.id, state="waiting")} == {0}
    await fake_gateway.start()
    await state_of(gateway.id, "connected", boot_id=fake_gateway.boot_id)
    await until(lambda: gateway.id in connector.held_here())
    with times.travelled(timedelta(minutes=10)):
        await send_all()
    texts = ["before", *(f"minute {minute}" for minute in range(10))]
    assert await received(fake_gateway, lyra) == [f"TASK ASSIGNED\n{text}" for text in texts]
    assert await states(lyra) == {"sent": 11}


async def test_busy_gateway_costs_no_attempt(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    [notice] = await write(cast, lyra, "hello")
    fake_gateway.fail("chat.send", "server is busy", times=20, code="UNAVAILABLE", retryable=True, retryAfterMs=30_000)
    for minute in range(MOST_ATTEMPTS + 2):
        with times.travelled(timedelta(minutes=minute)):
            await send_due()
    waiting = await Delivery.get(id=notice.id)
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert "busy" in (waiting.last_error or "")
    fake_gateway.faults.clear()
    with times.travelled(timedelta(hours=1)):
        await send_all()
    assert await received(fake_gateway, lyra) == ["TASK ASSIGNED\nhello"]


async def test_refused_message_is_given_up_and_can_be_retried(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    first, _ = await write(cast, lyra, "hello", "next")
    fake_gateway.fail("chat.send", "unsupported session", times=MOST_ATTEMPTS)
    for hour in range(MOST_ATTEMPTS):
        with times.travelled(timedelta(hours=hour)):
            await send_due()
    given_up = await Delivery.get(id=first.id)
    assert (given_up.state, given_up.attempts) == ("failed", MOST_ATTEMPTS)
    assert given_up.last_error == "unsupported session"
    with times.travelled(timedelta(hours=MOST_ATTEMPTS)):
        await send_all()
        assert await received(fake_gateway, lyra) == ["TASK ASSIGNED\nnext"]
        (await cast.ada.post(f"/agents/{lyra.id}/deliveries/{first.id}/resends")).ok()
        await send_all()
    assert await received(fake_gateway, lyra) == ["TASK ASSIGNED\nnext", "TASK ASSIGNED\nhello"]


async def test_notices_wait_until_the_agent_is_set_up(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await hire_on(cast.app, gateway, cast.other_board, "Lyra")
    await Agent.filter(id=lyra.id).update(last_wake_sent_at=None, last_seen_at=None)
    await write(cast, lyra, "hello")
    assert await send_due() == 0
    await Agent.filter(id=lyra.id).update(last_wake_sent_at=times.clock_now())
    job = await ProvisioningJob.create(
        organization_id=cast.organization.id, gateway_id=gateway.id, agent_id=lyra.id, action="provision"
    )
    await send_due()
    [waiting] = await Delivery.filter(agent_id=lyra.id)
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert "being set up" in (waiting.last_error or "")
    await known(fake_gateway, lyra)
    await ProvisioningJob.filter(id=job.id).update(state="done")
    with times.travelled(timedelta(minutes=1)):
        await send_all()
    assert await received(fake_gateway, lyra) == ["TASK ASSIGNED\nhello"]


async def test_leads_of_one_name_are_both_reached(cast: Cast, fake_gateway: FakeGateway) -> None:
    """Labels of sessions are unique on a gateway; messages go by the key of the session, whatever its label."""
    fake_gateway.unique_labels = "gateway"
    gateway = await connected_gateway(cast, fake_gateway)
    attic = await Board.create(organization_id=cast.organization.id, name="Attic", slug="attic", description="")
    leads = [
        await on_gateway(cast, fake_gateway, gateway, "Lead Agent", board=board, is_lead=True)
        for board in (cast.other_board, attic)
    ]
    for lead in leads:
        await write(cast, lead, "hello")
    await send_all()
    for lead in leads:
        assert await received(fake_gateway, lead) == ["TASK ASSIGNED\nhello"]


async def test_agent_with_a_callback_gets_nothing_from_the_gateway(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    await Agent.filter(id=lyra.id).update(callback_url="https://agents.example.org/lyra", callback_secret="x")
    await write(cast, lyra, "hello")
    await send_due()
    assert fake_gateway.sent("chat.send") == []


async def test_only_the_process_with_the_connection_sends(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    other = await Gateway.create(
        organization_id=cast.organization.id, name="Elsewhere", url=fake_gateway.url, workspace_root="~",
        state="connected", holder="another process", held_until=times.clock_now() + timedelta(hours=1),
    )  # fmt: skip
    mira = await hire_on(cast.app, other, cast.other_board, "Vulpecula")
    await write(cast, lyra, "hello")
    await write(cast, mira, "hello")
    await send_all()
    assert (await states(lyra), await states(mira)) == ({"sent": 1}, {"waiting": 1})


async def test_main_agent_and_adopted_agents_are_reached_likewise(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    main = await hire_main(cast.app, gateway)
    await known(fake_gateway, main)
    adopted = await on_gateway(cast, fake_gateway, gateway, "Adopted")
    await Agent.filter(id=adopted.id).update(
        is_adopted=True, openclaw_session_id="agent:own-name:main", gateway_agent_id="own-name"
    )
    await known(fake_gateway, adopted)
    for agent in (main, adopted):
        await write(cast, agent, "hello")
    await send_all()
    for agent in (main, adopted):
        assert await received(fake_gateway, agent) == ["TASK ASSIGNED\nhello"]


async def test_inbox_of_a_gateway_agent_holds_what_no_message_brings(cast: Cast, fake_gateway: FakeGateway) -> None:
    """No notice comes both ways: the inbox has what was given up, and everything while the gateway is away."""
    gateway = await connected_gateway(cast, fake_gateway)
    lyra = await on_gateway(cast, fake_gateway, gateway, "Lyra")
    given_up, waiting = await write(cast, lyra, "given up", "waiting")
    await Delivery.filter(id=given_up.id).update(state="failed")

    async def inbox() -> list[str]:
        return [one["text"] for one in (await lyra.get("/agent/inbox")).ok()["items"]]

    assert await inbox() == ["given up"]
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    await state_of(gateway.id, "unreachable")
    assert await inbox() == ["given up", "waiting"]
    assert (await lyra.get(f"/agent/inbox?after={waiting.seq}")).ok()["items"] == []
    await fake_gateway.start()
    await state_of(gateway.id, "connected", boot_id=fake_gateway.boot_id)
    await send_all()
    assert fake_gateway.sent("chat.send") == []
