"""Fifty agents that wait on their inboxes: nobody asks the database anything, and a notice wakes its agent only."""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

import pytest

from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from tests.cast import Answer, Cast, Program, hire
from tests.statements import counted

pytestmark = pytest.mark.dialect

MANY = 50
PATH = "/agent/inbox?wait_seconds=50"


async def workers(cast: Cast) -> list[Program]:
    """Fifty agents of the board, each of which has called before."""
    found = [await hire(cast.app, cast.ada, cast.board, f"Worker {number}") for number in range(MANY)]
    for one in found:
        (await one.get("/agent/inbox")).ok()
    return found


def waiting(agents: list[Program]) -> int:
    return sum(wakeup_channels.channels_waiting(f"inbox:{one.id}") for one in agents)


async def all_wait(agents: list[Program]) -> None:
    async with asyncio.timeout(40):
        while waiting(agents) < len(agents):
            await asyncio.sleep(0.005)


async def test_waiting_runs_no_statement_and_a_notice_wakes_its_agent(cast: Cast) -> None:
    agents = await workers(cast)
    outside = contextvars.copy_context()

    async def uncounted(work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.create_task(work, context=outside)

    with counted() as found:
        polls: dict[str, asyncio.Task[Answer]] = {one.name: asyncio.create_task(one.get(PATH)) for one in agents}
        await all_wait(agents)
        asked = 2 * MANY  # whose token it is, and what there is
        async with asyncio.timeout(40):
            while len(found) < asked:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.3)
        assert len(found) == asked, found[asked:]
        for woken, agent in enumerate(agents[:3], start=1):
            await uncounted(cast.add_task(assigned_agent_id=agent.id))
            async with asyncio.timeout(40):
                body = (await polls[agent.name]).ok()
            assert [item["kind"] for item in body["items"]] == ["task_assigned"]
            assert len(found) == asked + woken, found[asked:]
            assert waiting(agents) == MANY - woken
    assert sum(poll.done() for poll in polls.values()) == 3
    for poll in polls.values():
        poll.cancel()
    await asyncio.gather(*polls.values(), return_exceptions=True)
    assert waiting(agents) == 0


async def test_request_checks_one_token_and_writes_presence_sometimes(cast: Cast) -> None:
    with counted(passing_over=()) as first:
        (await cast.vega.get("/agent/inbox")).ok()
    assert len([text for text in first if "UPDATE agents SET last_seen_at" in text]) == 1
    with counted(passing_over=()) as second:
        poll = asyncio.create_task(cast.vega.get(PATH))
        await all_wait([cast.vega])
        wakeup_channels.channels_notify([f"inbox:{cast.vega.id}"])  # a notification for nothing
        await all_wait([cast.vega])
    poll.cancel()
    assert len([text for text in second if "fingerprint" in text]) == 1
    assert not [text for text in second if text.startswith(("UPDATE", "INSERT"))], second


async def test_notice_read_by_another_poll_keeps_this_one_waiting(cast: Cast) -> None:
    first = asyncio.create_task(cast.vega.get(PATH))
    await all_wait([cast.vega])
    await cast.add_task(assigned_agent_id=cast.vega.id)
    upto = (await first).ok()["next"]
    second = asyncio.create_task(cast.vega.get(f"{PATH}&after={upto}"))
    await all_wait([cast.vega])
    assert (await Delivery.get(agent_id=cast.vega.id)).state == "sent"
    wakeup_channels.channels_notify([f"inbox:{cast.vega.id}"])
    await all_wait([cast.vega])
    assert not second.done()
    second.cancel()
