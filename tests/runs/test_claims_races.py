"""Claims at once: every task goes to one agent, whichever way agents ask."""

import asyncio
import os
import random
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from mission_control.boards.models import Board, Run
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.events.event_log import verify
from mission_control.runs.claims import polling
from mission_control.runs.queries import ClaimCreate
from mission_control.tasks.models import Task
from tests.cast import Cast, hire
from tests.claiming import claim, taken

pytestmark = pytest.mark.dialect

AGENTS, TASKS = 16, 40
ROUNDS = 100 if os.environ.get("LONG") else 20


async def test_two_claims_for_one_task_succeed_once(cast: Cast) -> None:
    for how in ("best", "named", "one each way"):
        task = await cast.add_task(title=how)
        named = {"task_id": task["id"]}
        first, second = {"best": ({}, {}), "named": (named, named), "one each way": ({}, named)}[how]
        answers = await asyncio.gather(claim(cast, cast.vega, **first), claim(cast, cast.rigel, **second))
        got = [answer.body["task"]["id"] for answer in answers if answer.status == 200 and answer.body["task"]]
        assert got == [task["id"]], how
        for answer in answers:
            if answer.status == 409:
                assert answer.detail["code"] in ("task_already_claimed", "task_not_claimable")
        assert await Run.filter(task_id=task["id"]).count() == 1


async def test_claim_and_patch_for_one_task_succeed_once(cast: Cast) -> None:
    for _ in range(10):
        task = await cast.add_task()
        claimed, patched = await asyncio.gather(
            claim(cast, cast.vega), cast.rigel.patch(cast.task(task), {"status": "in_progress"})
        )
        has_claimed = claimed.ok()["task"] is not None
        assert patched.status in ((403, 409) if has_claimed else (200,))
        [run] = await Run.filter(task_id=task["id"])
        assert run.agent_id == (cast.vega.id if has_claimed else cast.rigel.id)


async def test_claim_and_deletion_of_one_task_are_serialized(cast: Cast) -> None:
    for _ in range(10):
        task = await cast.add_task()
        claimed, deleted = await asyncio.gather(claim(cast), cast.ada.delete(cast.task(task)))
        assert claimed.status == 200 and deleted.status == 200
        assert await Run.filter(task_id=task["id"], ended_at=None).count() == 0


async def test_concurrent_claims_of_own_task_renew_one_lease(cast: Cast) -> None:
    task = await cast.add_task()
    answers = await asyncio.gather(*(claim(cast, task_id=task["id"]) for _ in range(5)))
    assert {answer.ok()["lease"]["fence"] for answer in answers} == {1}


async def test_sixteen_agents_race_for_forty_tasks(cast: Cast) -> None:
    """Agents take tasks as fast as they can, again and again: each task is assigned once per round.

    Agents ask the application in this process without HTTP in between, and between rounds one statement puts all
    tasks back, so that the rounds cost nothing but claims.
    """
    await Board.filter(id=cast.board.id).update(max_agents=AGENTS)
    hired = [await hire(cast.app, cast.ada, cast.board, f"Star {n}") for n in range(AGENTS)]
    agents, board = [await one.actor() for one in hired], await Board.get(id=cast.board.id)
    for number in range(TASKS):
        await cast.add_task(title=f"Task {number}", priority=random.choice(("low", "high")))
    for round_number in range(1, ROUNDS + 1):
        handed_out = [task for found in await asyncio.gather(*(greedy(one, board) for one in agents)) for task in found]
        assert max(Counter(task for task, _ in handed_out).values()) == 1 and len(handed_out) == TASKS
        assert {fence for _, fence in handed_out} == {round_number}
        await put_all_back()
    assert await Run.all().count() == TASKS * ROUNDS
    assert (await verify(cast.organization.id))[1] is None


async def greedy(agent: Actor, board: Board) -> list[tuple[UUID, int]]:
    """Everything that an agent gets until there is nothing left."""
    found: list[tuple[UUID, int]] = []
    while True:
        body = await polling.claim(agent, board, ClaimCreate())
        if body["task"] is None or body["lease"] is None:
            return found
        found.append((body["task"]["id"], body["lease"]["fence"]))


async def put_all_back() -> None:
    """All tasks into the inbox, all runs to their end."""
    await rows("UPDATE task_runs SET state = 'released', ended_at = started_at WHERE ended_at IS NULL")
    await rows("UPDATE tasks SET status = 'inbox', assigned_agent_id = NULL")


async def test_task_moved_to_inbox_equals_a_released_one(cast: Cast) -> None:
    await cast.add_task()
    first: dict[str, Any] = await taken(cast)
    await put_all_back()
    assert (await Task.get()).status == "inbox" and (await taken(cast, cast.rigel))["id"] == first["id"]
