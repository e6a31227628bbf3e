"""Tools that list or ask wait for news, as the operations do."""

import asyncio
from typing import Any

import pytest

from mission_control.agents import work_state as directives
from mission_control.approvals import streams as approvals
from mission_control.events import wakeup_channels
from mission_control.http import slow_answers
from mission_control.needs import polling as needs
from tests.cast import Cast
from tests.live.test_polls import answer_question, ask, decide, pause
from tests.mcp.clients import ERAS, Call, connected
from tests.mcp.test_work import until

LISTS = {"list_asked": ("vega", "asked"), "list_needs": ("ada", "needs"), "list_requests": ("ada", "requests")}


@pytest.mark.parametrize("tool", LISTS)
@pytest.mark.parametrize("settle", [decide, answer_question])
async def test_list_waits_until_something_is_settled(cast: Cast, tool: str, settle: Any) -> None:
    who, name = LISTS[tool]
    await ask(cast)
    await cast.ask(cast.vega)
    channel = needs.channel_of(cast.organization.id) if who == "ada" else approvals.POLLS.channel_of_list(cast.board.id)
    async with connected(getattr(cast, who)) as model:
        known = await model.ok(tool, wait_seconds=50)
        assert len(known[name]) == 2
        waiting = asyncio.create_task(model.ok(tool, wait_seconds=50, known=known["version"]))
        await until(lambda: wakeup_channels.channels_waiting(channel))
        await settle(cast)
        later = await waiting
        assert len(later[name]) == 1 and later["version"] != known["version"]


async def test_next_waits_for_another_directive(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        waiting = asyncio.create_task(vega.ok("next", wait_seconds=50))
        await until(lambda: wakeup_channels.channels_waiting(directives.channel_of(cast.organization.id)))
        await pause(cast)
        assert (await waiting)["directive"] == "pause"


@pytest.mark.parametrize("mode", ERAS)
async def test_call_that_waits_tells_how_long_it_has_waited(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(slow_answers, "QUIET_SECONDS", 0.4)
    told: list[float] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async with connected(cast.vega, mode) as vega:
        waiting = asyncio.create_task(vega.client.call_tool("next", {"wait_seconds": 50}, progress_callback=tell))
        await until(lambda: wakeup_channels.waiting(f"work:{cast.board.id}"))
        await asyncio.sleep(1.5)
        await cast.add_task(title="Sweep")
        answer = await asyncio.wait_for(waiting, 20)
    assert answer.structured_content["task"]["title"] == "Sweep"
    assert told == sorted(told) and len(told) >= 2


async def test_call_that_tells_its_progress_ends_when_its_client_goes(cast: Cast) -> None:
    more = {"_meta": {"progressToken": 7}}
    call = Call(cast.vega, "legacy", "next", {"wait_seconds": 50}, params=more)
    await until(lambda: wakeup_channels.waiting(f"work:{cast.board.id}"))
    call.hang_up()
    await call.ended()
    assert not wakeup_channels.waiting(f"work:{cast.board.id}")
    task = await cast.add_task()
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "inbox"
