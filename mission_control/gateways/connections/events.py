"""The events of gateways: what is done with them, and how they reach their handlers in order."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from mission_control.core.extensions import Hook, Part
from mission_control.gateways.connections.open_connection import GatewayEvent
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.payload import Payload


@dataclass(frozen=True, slots=True)
class GatewayRef:
    id: UUID
    organization_id: UUID


Handle = Callable[[GatewayRef, Payload], Awaitable[None]]

# By the gateway's name of the event.
HANDLERS: dict[str, list[Handle]] = {}
when_connected = Hook[Callable[[GatewayRef], Awaitable[None]]]()


class Handlers(dict[str, Handle], Part):
    """What a module does with events of gateways, by the gateway's name of the event."""

    def install(self) -> None:
        for name, handle in self.items():
            HANDLERS.setdefault(name, []).append(handle)


_log = logging.getLogger(__name__)


async def handle(gateway: GatewayRef, name: str, payload: Payload) -> None:
    """Give an event to its handlers, one after the other; one that fails is logged and disturbs no other."""
    for handler in HANDLERS.get(name, ()):
        try:
            await handler(gateway, payload)
        except Exception:
            _log.exception("handling the event %s of gateway %s failed", name, gateway.id)


async def connected(gateway: GatewayRef) -> None:
    for handler in when_connected.functions:
        try:
            await handler(gateway)
        except GatewayError as error:
            _log.warning("a first call to gateway %s failed: %s", gateway.id, error)
        except Exception:
            _log.exception("the first calls to gateway %s failed", gateway.id)


MOST_WAITING, MOST_BYTES = 10_000, 32 * 1024 * 1024


class Inlet:
    """Handles the events of one gateway, one after the other.

    A gateway that tells more than is handled loses events. Then everything goes on as if it had just connected,
    because handlers read there what they may have missed.
    """

    def __init__(self, gateway: GatewayRef) -> None:
        self._gateway = gateway
        self._waiting: deque[GatewayEvent | None] = deque()
        self._early: deque[GatewayEvent] | None = None
        self._bytes = 0
        self._arrived = asyncio.Event()

    def hold(self) -> None:
        """Keep events of the next connection back until `connected`."""
        self._bytes -= sum(event.size for event in self._early or ())
        self._early = deque()

    def connected(self) -> None:
        early, self._early = self._early or (), None
        self._waiting.extend((None, *early))
        self._arrived.set()

    def put(self, event: GatewayEvent) -> None:
        """Take an event; one that nobody handles is dropped."""
        if event.name not in HANDLERS:
            return
        if len(self._waiting) + len(self._early or ()) >= MOST_WAITING or self._bytes + event.size > MOST_BYTES:
            self._drop()
        self._bytes += event.size
        (self._waiting if self._early is None else self._early).append(event)
        self._arrived.set()

    def _drop(self) -> None:
        _log.warning("events of gateway %s were dropped", self._gateway.id)
        self._waiting.clear()
        self._bytes = 0
        if self._early is not None:
            self._early.clear()  # `connected` comes anyway
        else:
            self.connected()

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                event = self._waiting.popleft()
                if event is None:
                    await connected(self._gateway)
                else:
                    self._bytes = max(0, self._bytes - event.size)
                    await handle(self._gateway, event.name, event.payload)
