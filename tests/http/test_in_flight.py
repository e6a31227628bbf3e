"""Requests that a stop cuts, or whose client hangs up: each gets its answer, or one that says to try again."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from mission_control.http import exchange
from mission_control.http.exchange import Exchange, Rules
from mission_control.server.worker import InFlight
from tests.tiny_app import settings_with

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


async def test_client_is_gone_only_when_all_of_its_answer_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that closes its sending side looks like one that hung up, and still waits for the answer."""
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", 3600.0)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    asked = Exchange(Rules.of(settings_with()), {**SCOPE, "scheme": "http"}, receive, send)
    end = asyncio.create_task(asked.receive())
    await asked.send({"type": "http.response.start", "status": 200, "headers": []})
    await asked.send({"type": "http.response.body", "body": b"half", "more_body": True})
    for _ in range(5):
        await asyncio.sleep(0)
    assert not end.done()
    await asked.send({"type": "http.response.body", "body": b"", "more_body": False})
    async with asyncio.timeout(60):
        assert (await end)["type"] == "http.disconnect"
