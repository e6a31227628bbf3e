"""The official SDK, started by the first call and stopped with the application.

It is imported on first use, so that servers without MCP clients do not pay for it.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable
from importlib import import_module
from typing import Any

from mission_control.commands.compensation import compensated
from mission_control.config import Settings
from mission_control.core.actor import Actor
from mission_control.http.asgi import Application, Message, Receive, Scope
from mission_control.mcp import calls
from mission_control.mcp.answer import Answer
from mission_control.mcp.calls import Call

ACTOR = "mission_control.actor"
SERVER = "mission_control.mcp.server"

_log = logging.getLogger(__name__)


class Service:
    """The MCP servers of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready: asyncio.Future[Application] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def serve(self, scope: Scope, body: bytes, receive: Receive, answer: Answer) -> None:
        """Answer one message. A call ends when its client cancels or disconnects."""
        protocol = await self._begun()
        actor: Actor = scope[ACTOR]
        message = calls.parsed(body)
        if message.get("method") == "notifications/cancelled":
            await calls.cancel(scope, actor, message)
        elif message.get("method") == "initialize":
            answer.add({calls.SESSION: calls.new_session()})
        with calls.tracked_call(scope, actor, message) as call:
            with compensated(call.compensations):
                await _until_cancelled(protocol(scope, _replayed(body), answer), receive, answer, call)
            if call.cancelled.done() and not answer.has_begun:
                await _close_unanswered(answer)

    async def stop(self) -> None:
        """Stop the SDK; another call can start it again."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._ready = self._keeper = None

    async def _begun(self) -> Application:
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            # The SDK's tasks must not inherit the context of the first caller.
            self._keeper = asyncio.create_task(self._keep(self._ready), context=contextvars.Context())
        return await asyncio.shield(self._ready)

    async def _keep(self, ready: "asyncio.Future[Application]") -> None:
        """Hold the SDK's task group open: the task that enters it must also leave it."""
        try:
            server = await asyncio.to_thread(import_module, SERVER)
            async with server.protocol(self._settings) as protocol:
                ready.set_result(protocol)
                await asyncio.get_running_loop().create_future()
        except Exception as error:
            self._ready = None  # the next call retries
            if ready.done():
                _log.exception("mcp.ended")
            else:
                ready.set_exception(error)


async def _until_cancelled(work: Awaitable[None], receive: Receive, answer: Answer, call: Call) -> None:
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({working, watching, call.cancelled}, return_when=asyncio.FIRST_COMPLETED)
        if answer.has_ended:
            await working  # the SDK's clean-up remains, which a cancellation would interrupt
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
        if not answer.has_ended:
            await call.compensations.run()
    if not working.cancelled():
        working.result()


async def _close_unanswered(answer: Answer) -> None:
    """Close the stream without a message: a cancelled request gets no response, because clients complain about one."""
    headers = [(b"content-type", b"text/event-stream")]
    await answer({"type": "http.response.start", "status": 200, "headers": headers})
    await answer({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _replayed(body: bytes) -> Receive:
    """Return a `receive` that replays a body that was already read, and then waits."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.get_running_loop().create_future()

    return receive
