"""The events of one gateway on their way to their handlers, in order."""

import asyncio
import logging
from collections import deque

from mission_control.gateways.events import HANDLERS, GatewayRef, connected, handle
from mission_control.openclaw.connection import GatewayEvent

MOST_WAITING = 10_000

_log = logging.getLogger(__name__)


class Inlet:
    """Handles the events of one gateway, one after the other.

    A gateway that tells more than is handled loses events. Then everything goes on as if it had just connected,
    because handlers read there what they may have missed.
    """

    def __init__(self, gateway: GatewayRef) -> None:
        self._gateway = gateway
        self._waiting: deque[GatewayEvent | None] = deque()
        self._early: deque[GatewayEvent] | None = None
        self._arrived = asyncio.Event()

    def hold(self) -> None:
        """Keep events of the next connection back until `connected`."""
        self._early = deque()

    def connected(self) -> None:
        """Let the handlers know that the gateway was connected, before they get events of this connection."""
        early, self._early = self._early or (), None
        self._waiting.extend((None, *early))
        self._arrived.set()

    def put(self, event: GatewayEvent) -> None:
        """Take an event; one that nobody handles is dropped."""
        if event.name not in HANDLERS:
            return
        waiting: deque[GatewayEvent | None] | deque[GatewayEvent] = self._waiting
        if self._early is not None:
            waiting = self._early
        elif len(waiting) >= MOST_WAITING:
            _log.warning("events of gateway %s were dropped", self._gateway.id)
            waiting.clear()
            self.connected()
        waiting.append(event)
        self._arrived.set()

    async def run(self) -> None:
        """Handle what arrives, in an endless loop."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                event = self._waiting.popleft()
                if event is None:
                    await connected(self._gateway)
                else:
                    await handle(self._gateway, event.name, event.payload)
