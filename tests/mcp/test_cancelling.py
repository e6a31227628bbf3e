"""Cancelling a call: by a notification on another connection, in every version of the protocol with a handshake."""

import asyncio
from typing import Any

import httpx2
import pytest

from mission_control.boards.models import Run
from mission_control.core.actor import Actor
from mission_control.events import wakeup_channels
from mission_control.http import retries
from mission_control.mcp import calls
from mission_control.runs.claims import polling
from mission_control.runs.claims.polling import channel_of
from mission_control.tasks.models import Task
from tests.cast import Cast, Program
from tests.mcp.clients import Call, post, posted
from tests.mcp.test_work import until

HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
WAITING = {"wait_seconds": 50}
NEWEST = {"Mcp-Protocol-Version": HANDSHAKES[-1]}


async def session_of(cast: Cast, agent: Program) -> dict[str, str]:
    """The headers of a client that said hello."""
    about = {"name": "client", "version": "1"}
    hello = posted("initialize", protocolVersion=HANDSHAKES[-1], capabilities={}, clientInfo=about)
    answer = await post(cast.app, agent.secret, hello)
    return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], **NEWEST}


async def cancel(cast: Cast, agent: Program, headers: dict[str, str], request_id: int | str = 1) -> httpx2.Response:
    """Cancel a call as clients do."""
    notice: dict[str, Any] = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": request_id},
    }
    answer = await post(cast.app, agent.secret, notice, headers=headers)
    assert answer.status_code == 202 and not answer.content
    return answer


async def waiting_claim(cast: Cast, headers: dict[str, str]) -> Call:
    """A claim of Vega's that waits."""
    call = Call(cast.vega, "legacy", "next", WAITING, headers)
    await until(lambda: wakeup_channels.waiting(channel_of(cast.board.id)))
    return call


@pytest.mark.parametrize("version", HANDSHAKES)
@pytest.mark.parametrize("has_session", [True, False])
async def test_cancelled_claim_assigns_nothing(cast: Cast, version: str, has_session: bool) -> None:
    session = await session_of(cast, cast.vega) if has_session else {}
    headers = {**session, "Mcp-Protocol-Version": version}
    call = await waiting_claim(cast, headers)
    await cancel(cast, cast.vega, headers)
    await call.ended()
    assert call.messages and call.answer == b""
    task = await cast.add_task()
    assert (await Task.get(id=task["id"])).status == "inbox"


async def test_other_requests_sessions_and_tokens_are_not_cancelled(cast: Cast) -> None:
    mine, other = await session_of(cast, cast.vega), await session_of(cast, cast.vega)
    call = await waiting_claim(cast, mine)
    await cancel(cast, cast.vega, mine, 2)
    await cancel(cast, cast.vega, mine, "1")
    await cancel(cast, cast.vega, other)
    await cancel(cast, cast.rigel, mine)
    assert wakeup_channels.waiting(channel_of(cast.board.id)) == 1
    task = await cast.add_task()
    await call.ended()
    assert task["id"].encode() in call.answer


async def test_early_cancellation_is_honoured(cast: Cast) -> None:
    session = await session_of(cast, cast.vega)
    await cancel(cast, cast.vega, session)
    task = await cast.add_task()
    call = Call(cast.vega, "legacy", "next", WAITING, session)
    await call.ended()
    assert call.answer == b""
    assert (await Task.get(id=task["id"])).status == "inbox"


async def test_cancellation_after_the_answer_changes_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "REMEMBERED_SECONDS", 0.01)
    session = await session_of(cast, cast.vega)
    task = await cast.add_task()
    call = Call(cast.vega, "legacy", "next", WAITING, session)
    await call.ended()
    assert task["id"].encode() in call.answer
    await cancel(cast, cast.vega, session)
    await until(lambda: not calls._calls and not calls._early)
    assert (await Task.get(id=task["id"])).status == "in_progress"


@pytest.mark.parametrize("way", ["cancel", "hang up"])
async def test_claim_committed_during_disconnect_is_released(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    session = await session_of(cast, cast.vega)
    committed, left = asyncio.Event(), asyncio.Event()

    async def slow(actor: Actor, work: Any) -> Any:
        answer = await retries.committed(actor, work)
        committed.set()
        await left.wait()
        return answer

    monkeypatch.setattr(polling, "committed", slow)
    task = await cast.add_task()
    call = Call(cast.vega, "legacy", "next", WAITING, session)
    await committed.wait()
    assert (await Task.get(id=task["id"])).status == "in_progress"
    if way == "cancel":
        await cancel(cast, cast.vega, session)
    else:
        call.hang_up()
    await call.ended()
    left.set()
    await given_back(task)


async def given_back(task: dict[str, Any]) -> None:
    """The task is in the inbox again, and its run was released."""
    async with asyncio.timeout(40):
        while (await Task.get(id=task["id"])).status != "inbox":
            await asyncio.sleep(0.01)
    run = await Run.get(task_id=task["id"])
    assert (run.state, run.end_reason) == ("released", polling.UNANSWERED)
