"""A claim with a wait goes on through a pause and a used-up budget, and is answered when work may begin."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mission_control.core.errors import ErrorCode
from tests.cast import Cast
from tests.claiming import claim
from tests.live.waiters import PATIENCE, poll, stand_in_queue

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("looks_are_counted")]

Change = Callable[[Cast], Awaitable[Any]]


async def set_state(cast: Cast, path: str, state: str) -> None:
    (await cast.ada.call("PUT", f"{path}/work-state", {"state": state})).ok()


async def pause(cast: Cast) -> None:
    await set_state(cast, f"/agents/{cast.vega.id}", "paused")


async def stop(cast: Cast) -> None:
    await set_state(cast, f"/agents/{cast.vega.id}", "stopped")


async def resume(cast: Cast) -> None:
    await set_state(cast, f"/agents/{cast.vega.id}", "running")


async def pause_board(cast: Cast) -> None:
    await set_state(cast, cast.home, "paused")


async def resume_board(cast: Cast) -> None:
    await set_state(cast, cast.home, "running")


async def pause_everything(cast: Cast) -> None:
    await set_state(cast, "/organizations/me", "paused")


async def resume_everything(cast: Cast) -> None:
    await set_state(cast, "/organizations/me", "running")


async def use_up_its_budget(cast: Cast) -> None:
    (await cast.ada.post("/budgets", {"agent_id": str(cast.vega.id), "unit": "tokens", "limit": 10})).ok()
    (await cast.vega.post("/agent/usage", {"input_tokens": 10})).ok()


async def raise_its_budget(cast: Cast) -> None:
    [budget] = (await cast.ada.get("/budgets")).ok()["items"]
    (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": 1000})).ok()


HALTS: dict[Change, tuple[Change, ErrorCode]] = {
    pause: (resume, ErrorCode.AGENT_PAUSED),
    stop: (resume, ErrorCode.AGENT_PAUSED),
    pause_board: (resume_board, ErrorCode.BOARD_PAUSED),
    pause_everything: (resume_everything, ErrorCode.ORGANIZATION_PAUSED),
    use_up_its_budget: (raise_its_budget, ErrorCode.BUDGET_EXHAUSTED),
}


@pytest.mark.parametrize("halt", HALTS, ids=lambda one: one.__name__)
async def test_claim_that_waits_gets_work_once_it_may_begin(cast: Cast, halt: Change) -> None:
    await halt(cast)
    task = await cast.add_task()
    waiting = asyncio.create_task(claim(cast, wait_seconds=50))
    await stand_in_queue(cast, 1)
    await HALTS[halt][0](cast)
    answer = (await asyncio.wait_for(waiting, PATIENCE)).ok()
    assert (answer["task"]["id"], answer["reason"]) == (task["id"], None)


@pytest.mark.parametrize("halt", HALTS, ids=lambda one: one.__name__)
async def test_halt_that_lasts_is_the_reason_of_an_empty_answer(cast: Cast, halt: Change) -> None:
    await halt(cast)
    await cast.add_task()
    claims = f"/agent{cast.home}/claims"
    answer = (await cast.vega.post(claims, {"wait_seconds": 1})).ok()
    assert (answer["task"], answer["reason"]["code"]) == (None, HALTS[halt][1])
    assert answer["reason"]["message"].endswith(".")
    (await cast.vega.post(claims)).refused_as(409, HALTS[halt][1])


@pytest.mark.parametrize("halt", HALTS, ids=lambda one: one.__name__)
async def test_waiting_claim_goes_on_waiting_when_work_is_halted(cast: Cast, halt: Change) -> None:
    waiting = await poll(cast)
    await halt(cast)
    await stand_in_queue(cast, 1)
    assert not waiting.done()
    await HALTS[halt][0](cast)
    task = await cast.add_task()
    assert (await asyncio.wait_for(waiting, PATIENCE)).ok()["task"]["id"] == task["id"]
