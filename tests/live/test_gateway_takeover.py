"""Two processes on one database: one holds a gateway, the other calls through it and takes it over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from quart import Quart

from mission_control.core.settings import Settings
from mission_control.events.wakeup_channels import PROCESS
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.link import Held
from mission_control.gateways.models import Gateway, GatewayCall
from mission_control.gateways.protocol.errors import Unreachable
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import add_gateway, until
from tests.live.servers import Installation, Server

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]


class Taking:
    """Whether this process takes gateways."""

    is_allowed = False


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Taking:
    """This process takes no gateway until a test lets it."""
    this, held = Taking(), connector.held

    async def held_if_allowed() -> list[Held]:
        return await held() if this.is_allowed else []

    monkeypatch.setattr(connector, "held", held_if_allowed)
    return this


@pytest.fixture
async def other(app: Quart, settings: Settings, taking: Taking, tmp_path: Path) -> AsyncIterator[Server]:
    home = Installation(tmp_path, settings.database_url)
    async with home.served(SECRET_KEY=settings.secret_key) as server:
        yield server


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway, other: Server) -> Gateway:
    """A gateway that the other process holds and has connected."""
    made = await add_gateway(cast, fake_gateway)

    async def held() -> Gateway | None:
        return await Gateway.exclude(holder=None).get_or_none(id=made.id, state="connected")

    found: Gateway = await until(held)
    assert found.holder != PROCESS and made.id not in connector.held_here()
    return found


async def taken_over(gateway: Gateway, taking: Taking) -> None:
    """This process holds the gateway and is connected."""
    taking.is_allowed = True
    connector.HOLDING.wake()
    await until(lambda: gateway.id in connector.held_here())
    assert (await Gateway.get(id=gateway.id)).holder == PROCESS


def test_lease_of_a_killed_process_ends_soon_enough() -> None:
    assert connector.LEASE.total_seconds() + connector.RENEW_SECONDS < 10


async def test_killed_holder_is_replaced_and_its_calls_fail(
    gateway: Gateway, other: Server, fake_gateway: FakeGateway, taking: Taking
) -> None:
    answer = await connector.call(gateway.id, "agents.list", {})
    assert answer["agents"][0]["id"] == "main"
    fake_gateway.ignore("chat.send")
    message = {"sessionKey": "agent:main:main", "message": "Hello.", "idempotencyKey": "1"}
    open_call = asyncio.create_task(connector.call(gateway.id, "chat.send", message, seconds=3600))
    await until(lambda: GatewayCall.exists(state="taken"))
    await other.kill()
    await taken_over(gateway, taking)
    with pytest.raises(Unreachable) as caught:
        await open_call
    assert caught.value.code == "HOLDER_LOST" and not await GatewayCall.exists()
    assert await connector.call(gateway.id, "health")


@pytest.mark.thorough
async def test_living_holder_keeps_its_gateways_and_gives_them_up_when_it_stops(
    gateway: Gateway, other: Server, taking: Taking
) -> None:
    taking.is_allowed = True
    for _ in range(3):
        assert await connector.held() == []
    taking.is_allowed = False
    assert await other.stop() == 0
    assert (await Gateway.get(id=gateway.id)).holder is None
    await taken_over(gateway, taking)
