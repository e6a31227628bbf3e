"""No work is assigned: paused, stopped, over a budget. And claims that are sent again."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tortoise.transactions import in_transaction

from mission_control.boards.models import Run
from mission_control.database.sql import rows
from mission_control.events.wakeup_channels import channels_notify_all as notify_all
from mission_control.events.wakeup_channels import waiting
from mission_control.runs.claims.claiming import Worker, hold_best, see_best
from mission_control.tasks.models import Task
from mission_control.tasks.rules import Limits
from tests.cast import Cast, head
from tests.claiming import claim, extend, release, taken, title_of_next
from tests.statements import counted

KEY = {"Idempotency-Key": "c1a1"}


def path_of(cast: Cast, who: str) -> str:
    """Where the state of Vega, of the board, or of the organization is set."""
    thing = {"agent": f"/agents/{cast.vega.id}", "board": cast.home, "organization": "/organizations/me"}[who]
    return f"{thing}/work-state"


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
@pytest.mark.parametrize("wanted", ["the best", "by name", "when there is none"])
async def test_paused_agent_claims_nothing(cast: Cast, who: str, wanted: str) -> None:
    held = await cast.add_task()
    (await cast.vega.patch(cast.task(held), {"status": "in_progress"})).ok()
    task = await cast.add_task(status="review" if wanted == "when there is none" else "inbox")
    (await cast.ada.call("PUT", path_of(cast, who), {"state": "paused"})).ok()
    before = await head(cast)
    body: dict[str, Any] = {"task_id": task["id"], "wait_seconds": 50} if wanted == "by name" else {}
    assert (await claim(cast, **body)).refused(409)["code"] == f"{who}_paused"
    assert await head(cast) == before and (await Task.get(id=task["id"])).fence == 0
    (await extend(cast, held, fence=1)).ok()
    (await release(cast, held, fence=1)).ok()


@pytest.mark.parametrize("whose", ["agent", "board", "organization"])
async def test_exceeded_budget_blocks_claims(cast: Cast, whose: str) -> None:
    task = await cast.add_task(title="Polish")
    subject = {"agent": {"agent_id": str(cast.vega.id)}, "board": {"board_id": str(cast.board.id)}}.get(whose, {})
    budget = (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, **subject})).ok()
    (await cast.vega.post("/agent/usage", {"input_tokens": 100})).ok()
    for body in ({}, {"task_id": task["id"]}):
        refused = (await claim(cast, **body)).refused(409)
        assert refused["code"] == "budget_exhausted" and whose in refused["message"]
    if whose == "agent":
        assert await title_of_next(cast, cast.rigel) == "Polish"
    else:
        (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": 1000})).ok()
        assert await title_of_next(cast) == "Polish"


async def test_exceeded_budget_blocks_starting_by_patch(cast: Cast) -> None:
    held, free = await cast.add_task(), await cast.add_task()
    (await cast.vega.patch(cast.task(held), {"status": "in_progress"})).ok()
    (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, "agent_id": str(cast.vega.id)})).ok()
    (await cast.vega.post("/agent/usage", {"input_tokens": 100})).ok()
    start = {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
    for answer in (
        await cast.vega.patch(cast.task(free), {"status": "in_progress"}),
        await cast.atlas.patch(cast.task(free), start),
        await cast.atlas.post(f"/agent{cast.tasks}", {"title": "Sweep", **start}),
    ):
        assert answer.refused(409)["code"] == "budget_exhausted"
    (await cast.rigel.patch(cast.task(free), {"status": "in_progress"})).ok()
    (await cast.vega.patch(cast.task(held), {"status": "review"})).ok()
    (await cast.ada.patch(cast.task(held), start)).ok()  # people may


# A token that may less than before


async def newest_token(cast: Cast) -> str:
    """Where Vega's token is changed."""
    path = f"/agents/{cast.vega.id}/tokens"
    return f"{path}/{(await cast.ada.get(path)).ok()['items'][0]['id']}"


async def test_waiting_claim_ends_when_its_token_becomes_read_only(cast: Cast) -> None:
    poll = asyncio.create_task(claim(cast, wait_seconds=50))
    while not waiting(f"work:{cast.board.id}"):
        await asyncio.sleep(0.01)
    (await cast.ada.patch(await newest_token(cast), {"scopes": ["read"]})).ok()
    await cast.add_task(title="Polish")
    assert (await asyncio.wait_for(poll, 40)).refused(403)["code"] == "token_scope_missing"
    assert await Run.all().count() == 0
    assert await title_of_next(cast, cast.rigel) == "Polish"


async def test_assignment_checks_the_token(cast: Cast) -> None:
    task = await cast.add_task()
    path = await newest_token(cast)
    token_id = UUID(path.rpartition("/")[2])
    for scopes in (None, ["work"]):
        (await cast.ada.patch(path, {"scopes": scopes})).ok()
        [row] = await rows("SELECT CAST(scopes AS TEXT) AS scopes FROM tokens WHERE id = ?", token_id)
        worker = Worker(cast.vega.id, cast.board.id, Limits(), None, token_id, row["scopes"])
        seen = await see_best(worker)
        assert [str(one) for one in seen] == [task["id"]]
        async with in_transaction():
            assert await hold_best(worker, None, seen) == seen[0]
    (await cast.ada.patch(path, {"scopes": ["read"]})).ok()
    async with in_transaction():
        assert await hold_best(worker, None, seen) is None
    (await cast.ada.patch(path, {"scopes": ["work"]})).ok()
    (await cast.ada.delete(path)).ok()
    async with in_transaction():
        assert await hold_best(worker, None, seen) is None


# Sent again


async def test_repeated_claim_with_a_key_gets_the_same_task(cast: Cast) -> None:
    await cast.add_task()
    await cast.add_task()
    path = f"/agent{cast.home}/claims"
    first = await cast.vega.post(path, {"wait_seconds": 5}, headers=KEY)
    before = await head(cast)
    again = await cast.vega.post(path, {"wait_seconds": 5}, headers=KEY)
    assert again.ok() == first.ok() and first.body["task"] is not None
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert await head(cast) == before and await Run.all().count() == 1
    (await cast.vega.post(path, {"wait_seconds": 6}, headers=KEY)).refused(422)
    (await cast.vega.post(path, {}, headers={"Idempotency-Key": "k" * 256})).refused(422)
    assert (await cast.rigel.post(path, {}, headers=KEY)).ok()["task"]["id"] != first.body["task"]["id"]


async def test_ten_concurrent_claims_with_one_key_take_one_task(cast: Cast) -> None:
    for _ in range(5):
        await cast.add_task()
    path = f"/agent{cast.home}/claims"
    answers = await asyncio.gather(*(cast.vega.post(path, {}, headers=KEY) for _ in range(10)))
    assert len({answer.ok()["task"]["id"] for answer in answers}) == 1
    assert await Run.all().count() == 1 and await Task.filter(status="in_progress").count() == 1


async def test_repeated_claim_joins_the_waiting_one(cast: Cast) -> None:
    path, polls = f"/agent{cast.home}/claims", []
    for number in (1, 2, 3):
        polls.append(asyncio.create_task(cast.vega.post(path, {"wait_seconds": 50}, headers=KEY)))
        while waiting(f"work:{cast.board.id}") < number:
            await asyncio.sleep(0.01)
    await cast.add_task()
    answers = [answer.ok() for answer in await asyncio.wait_for(asyncio.gather(*polls), 40)]
    assert answers[0]["task"] is not None and answers == [answers[0]] * 3
    assert await Run.all().count() == 1
    other = await cast.add_task()
    assert (await cast.rigel.post(path, {}, headers=KEY)).ok()["task"]["id"] == other["id"]


async def test_claim_with_a_key_keeps_waiting_after_a_wakeup(cast: Cast) -> None:
    path, channel = f"/agent{cast.home}/claims", f"work:{cast.board.id}"
    poll = asyncio.create_task(cast.vega.post(path, {"wait_seconds": 50}, headers=KEY))
    for _ in range(2):
        while not waiting(channel) and not poll.done():
            await asyncio.sleep(0.01)
        notify_all()  # as at midnight
    while not waiting(channel) and not poll.done():
        await asyncio.sleep(0.01)
    task = await cast.add_task()
    assert (await asyncio.wait_for(poll, 40)).ok()["task"] is not None
    assert (await Task.get(id=task["id"])).status == "in_progress"


async def test_empty_answer_is_kept_for_the_key(cast: Cast) -> None:
    path = f"/agent{cast.home}/claims"
    nothing = {"task": None, "lease": None, "reason": None}
    assert (await cast.vega.post(path, {}, headers=KEY)).ok() == nothing
    await cast.add_task()
    assert (await cast.vega.post(path, {}, headers=KEY)).ok() == nothing
    assert (await claim(cast)).ok()["task"] is not None


async def test_refused_claim_can_be_retried_with_its_key(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.ada.call("PUT", path_of(cast, "board"), {"state": "paused"})).ok()
    body, path = {"task_id": task["id"]}, f"/agent{cast.home}/claims"
    (await cast.vega.post(path, body, headers=KEY)).refused(409)
    (await cast.ada.call("PUT", path_of(cast, "board"), {"state": "running"})).ok()
    assert (await cast.vega.post(path, body, headers=KEY)).ok()["task"]["id"] == task["id"]


async def test_waiting_claim_with_a_key_holds_no_transaction(cast: Cast) -> None:
    path = f"/agent{cast.home}/claims"
    poll = asyncio.create_task(cast.vega.post(path, {"wait_seconds": 50}, headers=KEY))
    while not waiting(f"work:{cast.board.id}"):
        await asyncio.sleep(0.01)
    assert await rows("SELECT 1 AS one FROM kept_answers") == []
    task = await cast.add_task()  # on SQLite this would wait for the transaction
    assert (await asyncio.wait_for(poll, 40)).ok()["task"]["id"] == task["id"]
    assert (await cast.vega.post(path, {"wait_seconds": 50}, headers=KEY)).ok()["task"]["id"] == task["id"]


async def test_idle_claim_only_reads(cast: Cast) -> None:
    await cast.add_task(status="review")
    await claim(cast)
    with counted() as found:
        (await claim(cast)).ok()
    writing = [text for text in found if not text.lstrip().upper().startswith("SELECT") or "FOR UPDATE" in text]
    assert writing == [] and len(found) <= 8, found


async def test_claim_cost_does_not_grow_with_the_board(cast: Cast) -> None:
    costs = []
    for more in (2, 30):
        for number in range(more):
            await cast.add_task(title=f"Task {number}")
        await taken(cast)
        with counted() as found:
            await taken(cast)
        costs.append(len(found))
    assert costs[0] == costs[1] <= 36
