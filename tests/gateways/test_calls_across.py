"""Calls of a process that does not hold the gateway, by rows that the holder answers."""

import asyncio
from typing import Any

import pytest

from mission_control.database.sql import rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically
from mission_control.gateways.connections import connector, events
from mission_control.gateways.models import Gateway, GatewayCall
from mission_control.gateways.protocol.errors import GatewayError, NotSupported, Unreachable
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until

CHAT = {"sessionKey": "agent:main:main", "message": "the words of a person", "idempotencyKey": "1"}


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway that is connected here, and that no feature calls by itself."""
    monkeypatch.setattr(events.when_connected, "functions", [])
    return await connected_gateway(cast, fake_gateway)


@pytest.fixture
def elsewhere(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who calls is another process than the one that holds the gateway."""
    monkeypatch.setattr(wakeup_channels, "PROCESS", "another process")
    monkeypatch.setattr(connector, "connection_of", lambda gateway_id: None)


async def test_holder_calls_straight(gateway: Gateway) -> None:
    assert (await connector.call(gateway.id, "chat.send", CHAT))["status"] == "started"
    assert not await GatewayCall.exists()


@pytest.mark.usefixtures("elsewhere")
async def test_another_process_gets_the_answer_of_the_holder(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    answers = await asyncio.gather(*(connector.call(gateway.id, "agents.list", {}) for _ in range(10)))
    assert all(answer["agents"][0]["id"] == "main" for answer in answers)
    assert len(fake_gateway.sent("agents.list")) == 10
    assert not await GatewayCall.exists()


@pytest.mark.usefixtures("elsewhere")
async def test_error_of_the_gateway_keeps_its_kind_and_code(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    with pytest.raises(NotSupported):
        await connector.call(gateway.id, "nothing.like.it")
    fake_gateway.fail("agents.list", message="disk full", code="INTERNAL", details={"free": 0})
    with pytest.raises(GatewayError, match="disk full") as caught:
        await connector.call(gateway.id, "agents.list")
    assert (caught.value.code, caught.value.details) == ("INTERNAL", {"free": 0})


@pytest.mark.usefixtures("elsewhere")
async def test_call_and_answer_are_encrypted(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    gate = fake_gateway.hold("chat.send")
    call = asyncio.create_task(connector.call(gateway.id, "chat.send", CHAT))
    [row] = await until(lambda: rows("SELECT * FROM gateway_calls WHERE state = 'taken'"))
    assert "words of a person" not in repr(row)
    gate.set()
    await call


@pytest.mark.usefixtures("elsewhere")
async def test_call_ends_at_its_deadline(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    fake_gateway.ignore("chat.send")
    with pytest.raises(Unreachable, match="did not answer") as caught:
        await connector.call(gateway.id, "chat.send", CHAT, seconds=0.3)
    assert caught.value.was_sent and caught.value.is_retryable
    assert not await GatewayCall.exists()


@pytest.mark.usefixtures("elsewhere")
async def test_holder_that_ends_in_the_middle_fails_the_call(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    fake_gateway.ignore("chat.send")
    call = asyncio.create_task(connector.call(gateway.id, "chat.send", CHAT, seconds=3600))
    await until(lambda: GatewayCall.exists(state="taken"))
    await connector.fail_orphans([gateway.id])  # as the process does that takes the gateway over
    with pytest.raises(Unreachable, match="ended") as caught:
        await call
    assert caught.value.was_sent and caught.value.code == "HOLDER_LOST"


@pytest.mark.usefixtures("elsewhere")
async def test_lost_connection_in_the_middle_fails_the_call(gateway: Gateway, fake_gateway: FakeGateway) -> None:
    fake_gateway.break_off("chat.send", code=1006)
    with pytest.raises(Unreachable):
        await connector.call(gateway.id, "chat.send", CHAT, seconds=3600)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "columns", [{"state": "unreachable", "last_error": "Nothing listens there."}, {"holder": None}]
)
async def test_gateway_that_nobody_has_connected_fails_at_once(gateway: Gateway, columns: dict[str, Any]) -> None:
    await Gateway.filter(id=gateway.id).update(**columns)
    with pytest.raises(Unreachable, match="not connected") as caught:
        await connector.call(gateway.id, "health", seconds=3600)
    assert columns.get("last_error", "") in str(caught.value)


async def test_command_must_not_wait_for_a_gateway(cast: Cast, gateway: Gateway) -> None:
    with pytest.raises(RuntimeError, match="command"):
        await atomically(await cast.ada.actor(), lambda: connector.call(gateway.id, "health"))
