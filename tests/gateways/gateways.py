"""Gateways of the cast, whose connections the application's own connector makes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from mission_control.core.secrets import encrypt
from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.real import RealGateway

PATIENCE = 20.0


async def until(is_so: Callable[[], Awaitable[Any]] | Callable[[], Any]) -> Any:
    """Wait until something is so, and return it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = is_so()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def add_gateway(cast: Cast, fake: FakeGateway | RealGateway, **fields: Any) -> Gateway:
    """A gateway of the cast's organization, before the connector knows of it (without an event)."""
    key = cast.app.config["SECRET_KEY"]
    values = {"name": "Basement", "url": fake.url, "workspace_root": "~/.openclaw", "token": encrypt(fake.token, key)}
    return await Gateway.create(organization_id=cast.organization.id, **{**values, **fields})


async def state_of(gateway_id: UUID, state: str, **fields: Any) -> Gateway:
    """The gateway as soon as its state, and other fields, are these."""

    async def found() -> Gateway | None:
        return await Gateway.get_or_none(id=gateway_id, state=state, **fields)

    gateway: Gateway = await until(found)
    return gateway


async def connected_gateway(cast: Cast, fake: FakeGateway | RealGateway, **fields: Any) -> Gateway:
    """A gateway of the cast's organization that this process is connected to."""
    gateway = await add_gateway(cast, fake, **fields)
    connector.HOLDING.wake()
    found = await state_of(gateway.id, "connected")
    await until(lambda: gateway.id in connector.held_here())
    return found
