"""A request on its way, which is to arrive whole before its answer begins.

An answer that overtakes its request closes the connection on a client that still sends, and is lost with it: the client
sees a reset instead of the refusal.
"""

import asyncio
import contextlib

from mission_control.http.asgi import Message, Receive

# A client that sends for longer gets its answer in the middle of it.
PATIENCE_SECONDS = 5.0


class Arrival:
    """The messages of a request; `is_complete` when none is left, or when the client is gone."""

    __slots__ = ("_completed", "_is_read", "_receive", "is_complete")

    def __init__(self, receive: Receive) -> None:
        self.is_complete = False
        self._receive = receive
        self._is_read = False
        self._completed: asyncio.Event | None = None

    async def __call__(self) -> Message:
        """Return the next message."""
        self._is_read = True
        try:
            message = await self._receive()
        finally:
            self._is_read = False
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.is_complete = True
            if self._completed is not None:
                self._completed.set()
        return message

    async def wait(self) -> None:
        """Wait until the request is complete; read and drop what nobody else reads. Gives up after some seconds."""
        self._completed = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not self.is_complete:
                    await (self._completed.wait() if self._is_read else self())
