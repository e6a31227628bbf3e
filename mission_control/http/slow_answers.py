"""An answer that takes long, begun with white space, which JSON allows: no proxy takes the connection for dead."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine

from quart import Response

from mission_control.core.errors import DomainError, ErrorCode
from mission_control.core.request_facts import current_request_id
from mission_control.core.values import to_json
from mission_control.database.outages import outage
from mission_control.http import agent_news

# Of the proxies that people use, the most impatient ends a connection after 30 seconds without a byte.
QUIET_SECONDS = 15.0

_log = logging.getLogger(__name__)


async def kept_alive[R](work: Coroutine[object, object, R]) -> R | Response:
    """Return what `work` returns, or after a while a response that sends white space until it has.

    That response has the status 200 already: a refusal then is its body, with `status` beside `detail`.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=QUIET_SECONDS)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        return task.result()
    response = Response(_late(task, agent_news.running()), content_type="application/json")
    response.headers["X-Accel-Buffering"] = "no"
    response.timeout = None
    return response


async def _late[R](task: "asyncio.Task[R]", call: agent_news.AgentCall | None) -> AsyncIterator[bytes]:
    try:
        while not task.done():
            yield b" "
            await asyncio.wait({task}, timeout=QUIET_SECONDS)
        yield await agent_news.with_news(call, to_json(_outcome(task)))
    finally:
        task.cancel()  # the client hung up


def _outcome[R](task: "asyncio.Task[R]") -> object:
    try:
        return task.result()
    except DomainError as error:
        status, detail = error.status, error.detail
    except Exception as error:
        sentence = outage(error)
        if sentence is None:
            _log.exception("unhandled_exception")
        code = ErrorCode.DATABASE_UNAVAILABLE if sentence else ErrorCode.INTERNAL_ERROR
        status, detail = 503 if sentence else 500, code.detail()
    return {"status": status, "detail": detail, "request_id": current_request_id()}
