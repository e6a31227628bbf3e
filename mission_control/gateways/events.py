"""What features do with the events of gateways, in the process that has the connection."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.openclaw.errors import GatewayError


@dataclass(frozen=True, slots=True)
class GatewayRef:
    """Which gateway an event is from."""

    id: UUID
    organization_id: UUID


Handle = Callable[[GatewayRef, Mapping[str, Any]], Awaitable[None]]
Connected = Callable[[GatewayRef], Awaitable[None]]

# By the gateway's name of the event.
HANDLERS: dict[str, list[Handle]] = {}
CONNECTED: list[Connected] = []

_log = logging.getLogger(__name__)


async def handle(gateway: GatewayRef, name: str, payload: Mapping[str, Any]) -> None:
    """Give an event to its handlers, one after the other; one that fails is logged and disturbs no other."""
    for handler in HANDLERS.get(name, ()):
        try:
            await handler(gateway, payload)
        except Exception:
            _log.exception("handling the event %s of gateway %s failed", name, gateway.id)


async def connected(gateway: GatewayRef) -> None:
    """Run what features do after a gateway was connected."""
    for handler in CONNECTED:
        try:
            await handler(gateway)
        except GatewayError as error:
            _log.warning("a first call to gateway %s failed: %s", gateway.id, error)
        except Exception:
            _log.exception("the first calls to gateway %s failed", gateway.id)
