"""Requests that a stop cuts: each gets an answer that tells its sender to try again."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from mission_control.server.worker import InFlight

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("127.0.0.1", 1)}


async def swallows(scope: Any, receive: Any, send: Any) -> None:
    """End quietly with an answer of its own, as an application does that handles every error."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def waits(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def has_begun(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.Event().wait()


@pytest.mark.parametrize(("inner", "statuses"), [(swallows, [503]), (waits, [503]), (has_begun, [200])])
async def test_request_that_is_cut_is_answered_once(inner: Any, statuses: list[int]) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    running = InFlight(inner)
    task = asyncio.create_task(running(SCOPE, None, send))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert [one["status"] for one in sent if one["type"] == "http.response.start"] == statuses
