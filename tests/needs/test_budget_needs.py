"""A budget that runs out is a need of those who may change it; an answer closes it, and its agents go on."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from mission_control.core.times import clock_now as now
from mission_control.core.times import travelled
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from tests.agents.test_budgets import limit, told, use
from tests.cast import Cast
from tests.needs.test_needs import needs, one_of
from tests.needs.test_needs_answers import answer

pytestmark = pytest.mark.dialect


async def budget_needs(cast: Cast) -> list[str]:
    """The titles of what waits for Ben because of budgets."""
    return [one["title"] for one in (await needs(cast.ben, "?kind=budget"))["items"]]


async def test_budget_that_runs_out_is_a_need_of_who_may_change_it(cast: Cast) -> None:
    made = await limit(cast, 100, agent_id=str(cast.vega.id))
    await use(cast.vega, 79)
    assert await budget_needs(cast) == []
    await use(cast.vega, 1)
    assert await budget_needs(cast) == ["The budget of the agent Vega is used up to 80 %"]
    await use(cast.vega, 20)
    one = await one_of(cast.ben, "budget")
    assert (one["id"], one["title"]) == (f"budget:{made['id']}", "The budget of the agent Vega is used up")
    assert one["reason"] == "100 of 100 tokens today (UTC). Its agent gets no work."
    assert [(each["id"], each["key"]) for each in one["answers"]] == [
        ("raise", "1"), ("set_limit", "2"), ("wait", "3"), ("stop", "4"),
    ]  # fmt: skip
    for person in (cast.cleo, cast.dan, cast.eve):
        assert (await needs(person, "?kind=budget"))["items"] == []
    (await answer(cast.cleo, one, "raise")).refused(404)


@pytest.mark.parametrize("subject", ["agent", "board", "organization"])
async def test_raising_a_budget_closes_the_need_and_tells_the_agents(cast: Cast, subject: str) -> None:
    whose = {"agent": {"agent_id": str(cast.vega.id)}, "board": {"board_id": str(cast.board.id)}, "organization": {}}
    await limit(cast, 100, period="total", **whose[subject])
    await use(cast.vega, 120)
    one = await one_of(cast.ben, "budget")
    (await answer(cast.ben, one, "raise", substance=one["substance"])).ok()
    assert (await cast.ben.get("/budgets")).ok()["items"][0]["limit"] == 150
    [title] = await budget_needs(cast)
    assert title.startswith(f"The budget of the {subject} ")
    assert title.endswith(" is used up to 80 %")
    again = await one_of(cast.ben, "budget")
    assert cast.vega.id in await told("BUDGET RAISED")
    (await answer(cast.ben, again, "set_limit")).refused(422)
    (await answer(cast.ben, again, "set_limit", note="plenty")).refused(422)
    (await answer(cast.ben, again, "set_limit", note="1000")).ok()
    assert (await cast.ben.get("/budgets")).ok()["items"][0]["limit"] == 1000
    assert await budget_needs(cast) == []
    assert len([agent for agent in await told("BUDGET RAISED") if agent == cast.vega.id]) == 1


async def test_raising_wakes_a_claim_that_waits(cast: Cast) -> None:
    await limit(cast, 100)
    await use(cast.vega, 100)
    await cast.add_task()
    one = await one_of(cast.ben, "budget")
    with wakeup_channels.listening(f"work:{cast.board.id}") as notified:
        (await answer(cast.ben, one, "raise")).ok()
        await asyncio.wait_for(notified, 60)


async def test_agent_whose_other_budget_is_used_up_is_not_told_to_go_on(cast: Cast) -> None:
    made = await limit(cast, 100)
    await limit(cast, 50, agent_id=str(cast.vega.id))
    await use(cast.vega, 100)
    (await cast.ben.patch(f"/budgets/{made['id']}", {"limit": 1000})).ok()
    found = await told("BUDGET RAISED")
    assert cast.vega.id not in found and cast.rigel.id in found


async def test_waiting_puts_it_off_until_the_budget_starts_over(cast: Cast) -> None:
    await limit(cast, 100)
    await use(cast.vega, 100)
    one = await one_of(cast.ben, "budget")
    (await answer(cast.ben, one, "wait")).ok()
    assert await budget_needs(cast) == []
    assert len((await needs(cast.ada, "?kind=budget"))["items"]) == 1
    midnight = datetime.fromisoformat(one["otherwise"]["at"]).replace(tzinfo=None)
    with travelled(midnight + timedelta(minutes=1) - now()):
        assert (await needs(cast.ada, "?kind=budget"))["items"] == []
        await use(cast.vega, 100)
        assert len(await budget_needs(cast)) == 1


@pytest.mark.parametrize("subject", ["agent", "board", "organization"])
async def test_stopping_closes_the_need(cast: Cast, subject: str) -> None:
    whose: dict[str, Any] = {"agent": {"agent_id": str(cast.vega.id)}, "board": {"board_id": str(cast.board.id)}}
    await limit(cast, 100, period="total", **whose.get(subject, {}))
    await use(cast.vega, 100)
    one = await one_of(cast.ben, "budget")
    assert one["otherwise"]["at"] is None
    (await answer(cast.ben, one, "stop")).ok()
    assert await budget_needs(cast) == []
    assert (await cast.vega.post("/agent/heartbeat", {})).ok()["directive"] == "stop"
    assert await Delivery.filter(header="WORK STOPPED", agent_id=cast.vega.id).exists()


async def test_lifted_budget_asks_nobody_and_tells_its_agents(cast: Cast) -> None:
    made = await limit(cast, 100)
    await use(cast.vega, 100)
    (await cast.ben.delete(f"/budgets/{made['id']}")).ok()
    assert await budget_needs(cast) == []
    assert cast.vega.id in await told("BUDGET RAISED")
