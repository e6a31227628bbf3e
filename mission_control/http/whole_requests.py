"""Answer a request when it has come whole, also one that is refused before anybody reads its body.

An answer that overtakes its request closes the connection on a client that still sends, and is lost with it: the client
sees a reset instead of the refusal.
"""

import asyncio
import contextlib

from quart import Quart

from mission_control.config import Settings
from mission_control.http.asgi import Application, Message, Receive, Scope, Send, wrap

# Who sends for longer is answered in the middle of it.
PATIENCE_SECONDS = 5.0


def install(app: Quart, settings: Settings) -> None:
    """Hold the answer of whatever may have a body until the request has come whole."""
    wrap(app, _layer)


def _layer(inner: Application) -> Application:
    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await inner(scope, receive, send)
            return
        coming = _Coming(receive)

        async def send_in_turn(message: Message) -> None:
            if message["type"] == "http.response.start" and not coming.has_come.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await coming.wait()
            await send(message)

        await inner(scope, coming, send_in_turn)

    return whole


class _Coming:
    """A request on its way; `has_come` when nothing of it is left, or its client is gone."""

    def __init__(self, receive: Receive) -> None:
        self.has_come = asyncio.Event()
        self._receive = receive
        self._is_read = False

    async def __call__(self) -> Message:
        """The next piece."""
        self._is_read = True
        try:
            message = await self._receive()
        finally:
            self._is_read = False
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.has_come.set()
        return message

    async def wait(self) -> None:
        """Until it has come; what nobody else reads is read here and dropped."""
        while not self.has_come.is_set():
            await (self.has_come.wait() if self._is_read else self())
