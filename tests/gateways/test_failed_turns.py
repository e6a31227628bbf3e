"""Messages whose turns fail on their gateway go out again, three times at most."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.events.leases import Delivery
from mission_control.gateway_agents import failed_turns
from mission_control.gateway_agents.failed_turns import RESTARTED, read_history
from mission_control.gateway_agents.provisioning import gateway_agent
from mission_control.gateway_agents.provisioning.gateway_agent import changing
from mission_control.gateway_agents.provisioning.runner import MOST_RETURNS
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.payload import Payload
from tests.cast import Cast, Program
from tests.gateways.fake import FakeGateway, TurnFailed
from tests.gateways.fake_state import FakeSession
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.notices import on_gateway, received, reconnect_quickly, send_all, session_of, write
from tests.needs.test_needs import needs

SUPERSEDED = "prepared model runtime plugin generation was superseded"
HELLO = "TASK ASSIGNED\nhello"


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    return await connected_gateway(cast, fake_gateway)


@pytest.fixture
async def lyra(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> Program:
    return await on_gateway(cast, fake_gateway, gateway, "Lyra")


def state_of(notice: Delivery, state: str) -> Callable[[], Awaitable[Delivery | None]]:
    return lambda: Delivery.get_or_none(id=notice.id, state=state)


def failing(times_: int) -> Callable[[FakeSession, str], str]:
    """What agents answer whose first turns fail."""
    numbers = count(1)

    def reply(session: FakeSession, text: str) -> str:
        if next(numbers) <= times_:
            raise TurnFailed(SUPERSEDED)
        return "NOTED"

    return reply


async def test_notice_of_a_failed_turn_is_sent_again(cast: Cast, fake_gateway: FakeGateway, lyra: Program) -> None:
    fake_gateway.reply = failing(1)
    [notice] = await write(cast, lyra, "hello")
    await send_all()
    waiting = await until(state_of(notice, "waiting"))
    assert SUPERSEDED in waiting.last_error
    await Delivery.filter(id=notice.id).update(due_at=times.clock_now())
    await send_all()
    assert await Delivery.filter(id=notice.id, state="sent", last_error=None).exists()
    assert await received(fake_gateway, lyra) == [HELLO] * 2
    keys = [one["idempotencyKey"] for one in fake_gateway.sent("chat.send")]
    assert keys == [str(notice.id), f"{notice.id}:2"]
    path = f"/agents/{lyra.id}/deliveries"
    [shown] = (await cast.ada.get(path)).ok()["items"]
    assert "returns" not in shown["data"]


async def test_people_are_asked_after_three_more_failures(cast: Cast, fake_gateway: FakeGateway, lyra: Program) -> None:
    fake_gateway.reply = failing(MOST_RETURNS + 1)
    [notice] = await write(cast, lyra, "hello")
    for number in range(MOST_RETURNS + 1):
        await Delivery.filter(id=notice.id).update(due_at=times.clock_now())
        await send_all()
        await until(state_of(notice, "failed" if number == MOST_RETURNS else "waiting"))
    [asked] = [one for one in (await needs(cast.ada))["items"] if one["kind"] == "delivery"]
    assert SUPERSEDED in asked["reason"]
    (await cast.ada.post(f"/agents/{lyra.id}/deliveries/{notice.id}/resends")).ok()
    await send_all()
    assert await Delivery.filter(id=notice.id, state="sent").exists()
    assert len(await received(fake_gateway, lyra)) == MOST_RETURNS + 2


async def test_queued_message_whose_turn_fails_under_another_id_is_sent_again(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    fake_gateway.reply = lambda session, text: None
    [notice] = await write(cast, lyra, "hello")
    await send_all()
    session = fake_gateway.state.sessions[await session_of(lyra)]
    session.add("assistant", "The model refused it.", runId="another", idempotencyKey="another:terminal-error")
    about = {"runId": "another", "sessionKey": session.key, "agentId": session.agent_id}
    await fake_gateway.emit("chat", {**about, "seq": 1, "state": "error", "errorMessage": "The model refused it."})
    assert "refused" in (await until(state_of(notice, "waiting"))).last_error


async def test_queued_message_whose_turn_gives_way_is_sent_again(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    fake_gateway.reply = lambda session, text: None
    [notice] = await write(cast, lyra, "hello")
    await send_all()
    session = fake_gateway.state.sessions[await session_of(lyra)]
    fake_gateway.state.pending[session.key] = [{"runId": str(notice.id), "state": "interrupted"}]
    session.messages.clear()
    about = {"runId": "the next", "sessionKey": session.key, "agentId": session.agent_id}
    await fake_gateway.emit("chat", {**about, "seq": 1, "state": "aborted", "stopReason": "superseded"})
    await until(state_of(notice, "waiting"))


async def test_message_that_a_later_turn_answered_is_not_sent_again(
    cast: Cast, fake_gateway: FakeGateway, lyra: Program
) -> None:
    fake_gateway.reply = failing(0)
    [notice] = await write(cast, lyra, "hello")
    await send_all()
    await failed_turns.put_back(system(cast.organization.id), await Delivery.get(id=notice.id), RESTARTED)
    await Delivery.filter(id=notice.id).update(due_at=times.clock_now())
    fake_gateway.running[await session_of(lyra)] = ["another"]
    await send_all()
    assert await Delivery.filter(id=notice.id, state="waiting").exists(), "the turn may answer it"
    fake_gateway.running.clear()
    await Delivery.filter(id=notice.id).update(due_at=times.clock_now())
    await send_all()
    assert await Delivery.filter(id=notice.id, state="sent").exists()
    assert await received(fake_gateway, lyra) == [HELLO]


@pytest.mark.parametrize("is_at_rest", [True, False])
async def test_last_message_without_a_turn_is_sent_again_after_a_connection(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, lyra: Program, is_at_rest: bool
) -> None:
    """A gateway goes on by itself with a turn that it had begun."""
    fake_gateway.reply = lambda session, text: None
    [notice] = await write(cast, lyra, "hello")
    await send_all()
    await Delivery.filter(id=notice.id).update(sent_at=times.clock_now() - timedelta(minutes=1))
    if not is_at_rest:
        fake_gateway.running[await session_of(lyra)] = [str(notice.id)]
    with times.travelled(failed_turns.SOON):
        await failed_turns.note_connection(GatewayRef(gateway.id, gateway.organization_id))
    with times.travelled(failed_turns.SOON * 2):
        await failed_turns.settle_doubts()
    found = await Delivery.get(id=notice.id)
    assert (found.state, found.last_error) == (("waiting", RESTARTED) if is_at_rest else ("sent", None))


async def test_notices_wait_while_the_configuration_changes(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, lyra: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(cast, lyra, "hello")
    async with changing(gateway.id):
        monkeypatch.setattr(gateway_agent, "QUIET_SECONDS", 60.0)
        await send_all()
        assert fake_gateway.sent("chat.send") == []
    await send_all()
    assert fake_gateway.sent("chat.send") == []
    monkeypatch.setattr(gateway_agent, "QUIET_SECONDS", 0.0)
    await send_all()
    assert await received(fake_gateway, lyra) == [HELLO]


async def test_change_waits_for_a_turn_that_begins(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, lyra: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_agent, "BEGINNING_SECONDS", 60.0)
    begins = asyncio.Event()

    async def reply(session: FakeSession, text: str) -> str:
        await begins.wait()
        return "NOTED"

    fake_gateway.reply = reply
    await write(cast, lyra, "hello")
    await send_all()

    async def change() -> None:
        async with changing(gateway.id):
            pass

    changed = asyncio.create_task(change())
    done, _ = await asyncio.wait({changed}, timeout=0.2)
    assert not done
    begins.set()
    await changed


def said(role: str, key: str = "", run_id: str = "", **more: Any) -> dict[str, Any]:
    about = {name: value for name, value in (("idempotencyKey", key), ("runId", run_id)) if value}
    return {"role": role, "content": "", "__openclaw": about, **more}


# As a gateway of 2026.9.6 was seen to tell them: what has to go out again of the messages a and b.
HISTORIES = {
    "both were answered by one turn": ([said("user", "a:user"), said("user", "b:user"), said("assistant")], ""),
    "a turn that failed leaves its mark": (
        [said("user", "b:user"), said("assistant"), said("user", "a:user"), said("custom", run_id="a")],
        "a",
    ),
    "the mark of one turn says nothing about the next": (
        [said("user", "a:user"), said("assistant"), said("user", "b:user"), said("custom", run_id="b")],
        "b",
    ),
    "a later turn takes up what failed": (
        [said("user", "a:user"), said("custom", run_id="a"), said("user", "b:user"), said("assistant", run_id="b")],
        "",
    ),
    "a turn fails after it ran something": (
        [
            *(said("user", "a:user"), said("assistant"), said("user", "b:user")),
            *(said("assistant", stopReason="toolUse"), said("toolResult"), said("assistant", "b:terminal-error", "b")),
        ],
        "b",
    ),
    "a queued message fails under another id": (
        [said("user", "a:user"), said("assistant"), said("user", "b:user"), said("assistant", "x:terminal-error", "x")],
        "b",
    ),
    "the last message has no turn": ([said("user", "a:user"), said("assistant"), said("user", "b:user")], "b"),
    "somebody ended the last turn": ([said("user", "a:user"), said("user", "b:user")], ""),
    "the gateway has forgotten both": ([], "ab"),
    "an old gateway names no keys": ([said("user"), said("user")], ""),
    "the session was reset since": ([said("system")], ""),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history_tells_what_became_of_messages(name: str) -> None:
    messages, lost = HISTORIES[name]
    info = {"hasActiveRun": False, "status": "killed" if "ended" in name else "done"}
    history = read_history(Payload(messages=messages, sessionInfo=info))
    assert "".join(key for key in "ab" if history.failure_of(key)) == lost


async def test_greeting_of_a_failed_turn_is_sent_again(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    fake_gateway.reply = failing(1)
    cast.other_board.gateway_id, cast.other_board.max_agents = gateway.id, 9
    await cast.other_board.save(update_fields=["gateway_id", "max_agents"])
    made = (await cast.ada.post("/agents", {"name": "Nova", "board_id": cast.other_board.id})).ok()

    def greetings() -> list[str]:
        return [one["idempotencyKey"] for one in fake_gateway.sent("chat.send")]

    await until(lambda: len(greetings()) == 2)
    assert len(set(greetings())) == 2
    assert (await Agent.get(id=made["id"])).wake_attempts == 1
