"""Connecting to the gateway of tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.connections.open_connection import Connection, GatewayEvent
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.fake import FakeGateway

PATIENCE = 10.0


def target(gateway: FakeGateway, **more: Any) -> Target:
    """The gateway, with the token that it wants."""
    return Target(**{"url": gateway.url, "token": gateway.token, **more})


@asynccontextmanager
async def connected(
    gateway: FakeGateway, identity: Identity | None = None, events: list[GatewayEvent] | None = None, **more: Any
) -> AsyncIterator[Connection]:
    """A connection, closed at the end."""
    kept = [] if events is None else events
    connection = await connect(
        target(gateway, **more), identity or Identity.new(), on_event=kept.append, seconds=PATIENCE
    )
    try:
        yield connection
    finally:
        await connection.close()
