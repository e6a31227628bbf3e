"""Answers at the same moment as others, and as the wait begins, each on a worker of its own. On PostgreSQL only."""

from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core.settings import Settings
from tests.cast import Cast
from tests.claiming import taken
from tests.live.test_decisions_at_once import Call, in_order, workers

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]
__all__ = ["workers"]


async def asked(cast: Cast, **more: Any) -> dict[str, Any]:
    path = f"/agent{cast.home}/questions"
    found: dict[str, Any] = (await cast.vega.post(path, {"content": "Which?", **more})).ok()
    return found


def answer(cast: Cast, question: dict[str, Any]) -> Call:
    return cast.cleo, "POST", f"{cast.home}/questions/{question['id']}/answers", {"answer": "This one."}


def decide(cast: Cast, approval: dict[str, Any]) -> Call:
    return cast.ada, "POST", f"{cast.approvals}/{approval['id']}/decisions", {"decision": "approved"}


async def test_last_of_two_answers_at_once_ends_the_wait(cast: Cast, workers: Any, settings: Settings) -> None:
    task = await cast.add_task()
    await taken(cast)
    approval, question = await cast.ask(cast.vega, task), await asked(cast, park=True)
    calls = decide(cast, approval), answer(cast, question)
    answers = await in_order(workers, settings, "tasks", task["id"], *calls)
    assert [one.status_code for one in answers] == [200, 200]
    assert (await Run.get()).ready_at is not None


@pytest.mark.parametrize("answered_first", [True, False])
async def test_answer_at_the_moment_of_parking_is_not_lost(
    cast: Cast, workers: Any, settings: Settings, answered_first: bool
) -> None:
    task = await cast.add_task()
    await taken(cast)
    question = await asked(cast)
    park: Call = cast.vega, "POST", f"/agent{cast.task(task)}/parking", {"fence": 1}
    calls = [answer(cast, question), park] if answered_first else [park, answer(cast, question)]
    answers = await in_order(workers, settings, "tasks", task["id"], *calls)
    assert [one.status_code for one in answers] == [200, 200]
    run = await Run.get()
    assert answers[answered_first].json()["is_parked"] is not answered_first
    assert (run.parked_at is None, run.ready_at is None) == (answered_first, answered_first)


@pytest.mark.parametrize("first", ["answer", "reassign"])
async def test_answer_and_reassignment_at_once(cast: Cast, workers: Any, settings: Settings, first: str) -> None:
    task = await cast.add_task()
    await taken(cast)
    question = await asked(cast, park=True)
    reassign: Call = cast.ada, "PATCH", cast.task(task), {"assigned_agent_id": str(cast.rigel.id)}
    calls = [answer(cast, question), reassign][:: 1 if first == "answer" else -1]
    answers = await in_order(workers, settings, "tasks", task["id"], *calls)
    assert [one.status_code for one in answers] == ([200, 200] if first == "answer" else [200, 409])
    assert [one.agent_id for one in await Run.filter(ended_at=None)] == [cast.rigel.id]


async def test_two_claims_of_one_agent_resume_one_run(cast: Cast, workers: Any, settings: Settings) -> None:
    task = await cast.add_task()
    await taken(cast)
    question = await asked(cast, park=True)
    (await cast.cleo.post(f"{cast.home}/questions/{question['id']}/answers", {"answer": "So."})).ok()
    claim: Call = cast.vega, "POST", f"/agent{cast.home}/claims", {}
    answers = await in_order(workers, settings, "tasks", task["id"], claim, claim)
    got = [one.json()["task"] for one in answers]
    assert sorted(one is None for one in got) == [False, True]
