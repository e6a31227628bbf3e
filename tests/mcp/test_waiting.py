"""Tools that list or ask wait for news, as the operations do."""

import asyncio
from typing import Any

import pytest

from mission_control.agents import work_state as directives
from mission_control.approvals import live as approvals
from mission_control.asks import polling as needs
from mission_control.log import channels
from tests.cast import Cast
from tests.live.test_polls import answer_question, ask, decide, pause
from tests.mcp.clients import connected
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
        await until(lambda: channels.channels_waiting(channel))
        await settle(cast)
        later = await waiting
        assert len(later[name]) == 1 and later["version"] != known["version"]


async def test_heartbeat_waits_for_another_directive(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        waiting = asyncio.create_task(vega.ok("heartbeat", wait_seconds=50))
        await until(lambda: channels.channels_waiting(directives.channel_of(cast.organization.id)))
        await pause(cast)
        assert (await waiting)["directive"] == "pause"
