"""Tell the application that a client hung up only where that changes anything.

A client may close its sending side once it has asked, and still wait for the answer; to the server that looks like one
that is gone. A request that is answered at once is therefore carried out. Streams and long polls are told without
delay, so that nothing is handed to nobody.
"""

import asyncio
import contextlib

from quart import Quart

from mission_control.config import Settings
from mission_control.http.asgi import Application, Message, Receive, Scope, Send, wrap

# After that even a request that does not wait on purpose is cut.
PATIENCE_SECONDS = 5.0
WAITING = "mission_control.waiting"


def install(app: Quart, settings: Settings) -> None:
    """Hold back the end of requests that are answered soon."""
    wrap(app, _layer)


def heed(scope: Scope) -> None:
    """The request waits on purpose: from now on it ends when its client hangs up."""
    waiting: asyncio.Event | None = scope.get(WAITING)
    if waiting is not None:
        waiting.set()


def _layer(inner: Application) -> Application:
    async def patient(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        waiting = scope[WAITING] = asyncio.Event()

        async def receive_patiently() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await waiting.wait()
            return message

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stream(message):
                waiting.set()
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                waiting.set()  # answered

        await inner(scope, receive_patiently, send_on)

    return patient


def _is_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
    )
