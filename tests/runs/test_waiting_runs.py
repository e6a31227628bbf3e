"""Runs that wait for people: no lease, no failed attempt, nobody else gets the task, and the answer gives it back."""

import asyncio
from typing import Any

import pytest

from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.events.commands import Compensations, compensated
from mission_control.http.authentication import agent_by_token
from mission_control.http.lookups import channel_of_agent
from mission_control.needs.deadlines import end_due
from mission_control.runs.claims import leases, polling
from mission_control.runs.claims.leases import expire_due, take_from_silent
from mission_control.runs.queries import ClaimCreate
from mission_control.tasks.models import Task
from tests.cast import Answer, Cast, events, head
from tests.claiming import claim, extend, later, release, taken, title_of_next
from tests.hand_ins import approve, hand_in, rework
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

PATIENCE = 40


async def question(cast: Cast, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = (
        await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which cloth?", **more})
    ).ok()
    return asked


async def answer(cast: Cast, asked: dict[str, Any]) -> Answer:
    return await cast.cleo.post(f"{cast.home}/questions/{asked['id']}/answers", {"answer": "Soft."})


async def parked(cast: Cast, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A task of Vega that waits, and the question that it waits for."""
    await cast.add_task(title="Polish")
    task = await taken(cast, lease_seconds=60)
    return task, await question(cast, park=True, **more)


async def state_of(cast: Cast, task: dict[str, Any]) -> str:
    runs = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    return str(runs[0]["state"])


async def test_parked_run_resumes_with_its_fence_before_everything_else(cast: Cast) -> None:
    before = await head(cast)
    task, asked = await parked(cast)
    await cast.add_task(title="Burning", priority="urgent")
    assert await state_of(cast, task) == "waiting"
    with later(4_000):
        await expire_due()
        row = await Task.get(id=task["id"])
        assert (row.status, row.assigned_agent_id, row.failed_attempts) == ("in_progress", cast.vega.id, 0)
        assert await title_of_next(cast, cast.rigel) == "Burning"
        assert await title_of_next(cast, cast.rigel) is None
        await cast.add_task(title="Later")
        (await answer(cast, asked)).ok()
        (await claim(cast, cast.rigel, task_id=task["id"])).refused_as(409, "task_already_claimed")
        again = await taken(cast, tags=["nothing has this tag"])
        assert (again["title"], again["lease"]["fence"]) == ("Polish", 1)
        assert await state_of(cast, task) == "running"
        assert await title_of_next(cast) == "Later"
        await hand_in(cast, {"task": task, "lease": again["lease"]}, cast.vega)
    kinds = [event.kind for event in await events(before, organization_id=cast.organization.id)]
    assert [kind for kind in kinds if kind in ("task.parked", "task.resumed")] == ["task.parked", "task.resumed"]
    assert await Run.filter(task_id=task["id"]).count() == 1


@pytest.mark.parametrize("end", ["withdrawn", "approved", "rejected", "sent back", "decided by the clock"])
async def test_every_end_of_an_ask_lets_the_run_go_on(cast: Cast, end: str) -> None:
    await cast.add_task(title="Polish")
    task = await taken(cast)
    if end == "withdrawn":
        asked = await question(cast, park=True)
        (await cast.vega.delete(f"/agent{cast.home}/questions/{asked['id']}")).ok()
    else:
        sent = {"park": True, "decide_in": 60, "otherwise": "send_back"}
        asked = await cast.ask(cast.vega, task, **sent)
        decision = {"approved": "approved", "rejected": "rejected", "sent back": "changes_requested"}.get(end)
        if decision is not None:
            wanted = {"decision": decision, "note": "So."}
            (await cast.cleo.post(f"{cast.approvals}/{asked['id']}/decisions", wanted)).ok()
        else:
            with later(120):
                await end_due()
    assert (await taken(cast))["lease"]["fence"] == 1


async def test_several_asks_wait_for_all_answers_or_for_any(cast: Cast) -> None:
    task, first = await parked(cast)
    second = await question(cast, task_id=task["id"])
    (await answer(cast, first)).ok()
    told = (await cast.vega.get("/agent/inbox")).ok()["items"][-1]
    assert (told["kind"], told["task_id"]) == ("question_answered", task["id"])
    [need] = (await cast.ada.get("/needs?kind=question")).ok()["items"]
    assert need["otherwise"]["text"] == f"It stays here; #{task['number']} waits until somebody answers."
    assert await title_of_next(cast) is None and (await Run.get()).ready_at is None
    (await answer(cast, second)).ok()
    assert await title_of_next(cast) == "Polish"
    third = await question(cast, park=True)
    await question(cast, task_id=task["id"], park=True, resume="any")
    (await answer(cast, third)).ok()
    assert await title_of_next(cast) == "Polish"


async def test_reopened_decision_makes_the_run_wait_again(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task = await taken(cast)
    asked = await cast.ask(cast.vega, task, park=True)
    (await approve(cast, asked)).ok()
    (await cast.cleo.post(f"{cast.approvals}/{asked['id']}/reopenings")).ok()
    assert await title_of_next(cast) is None
    (await approve(cast, asked)).ok()
    assert await title_of_next(cast) == "Polish"


async def test_decision_of_an_ended_run_is_not_reopened(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    asked = await cast.ask(cast.vega)
    (await approve(cast, asked)).ok()
    (await release(cast, task, fence=1)).ok()
    (await cast.cleo.post(f"{cast.approvals}/{asked['id']}/reopenings")).refused_as(409, "approval_closed")


async def test_only_an_agent_that_holds_a_task_can_park(cast: Cast) -> None:
    task = await cast.add_task()
    for by, path, wanted in (
        (cast.vega, f"/agent{cast.home}/questions", {"content": "Which?"}),
        (cast.rigel, cast.approvals, {"action_type": "go", "confidence": 1, "lead_reasoning": "So."}),
        (cast.ada, cast.approvals, {"action_type": "go", "confidence": 1, "lead_reasoning": "So."}),
    ):
        (await by.post(path, {**wanted, "task_id": task["id"], "park": True})).refused_as(409, "no_run")
    await taken(cast)
    (
        await cast.rigel.post(f"/agent{cast.home}/questions", {"content": "?", "task_id": task["id"], "park": True})
    ).refused_as(409, "no_run")


async def test_waiting_run_leaves_its_agent_free_for_other_work(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    task, asked = await parked(cast)
    for title in ("Sweep", "Rinse"):
        await cast.add_task(title=title)
    sweep = await taken(cast)
    assert sweep["title"] == "Sweep" and await title_of_next(cast) is None
    (await answer(cast, asked)).ok()
    assert await title_of_next(cast) is None, "its limit holds as for a claim"
    (await extend(cast, task, fence=1)).refused_as(409, "wip_limit_reached")
    (await claim(cast, task_id=task["id"])).refused_as(409, "wip_limit_reached")
    await hand_in(cast, {"task": sweep, "lease": sweep["lease"]}, cast.vega)
    assert await title_of_next(cast) == "Polish"


async def test_waiting_run_counts_in_its_column(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    _, asked = await parked(cast)
    await cast.add_task(title="Sweep")
    assert await title_of_next(cast, cast.rigel) is None
    (await answer(cast, asked)).ok()
    assert await title_of_next(cast) == "Polish"


@pytest.mark.parametrize("way", ["extend", "claim by name", "start", "start on the path of people", "hand in"])
async def test_agent_goes_on_by_itself(cast: Cast, way: str) -> None:
    task, asked = await parked(cast)
    if way == "extend":
        (await extend(cast, task, fence=1)).ok()
    elif way == "claim by name":
        assert (await taken(cast, task_id=task["id"]))["lease"]["fence"] == 1
    elif way.startswith("start"):
        before, path = await head(cast), cast.task(task) if way.endswith("people") else f"/agent{cast.task(task)}"
        for _ in range(2):
            assert (await cast.vega.patch(path, {"status": "in_progress"})).ok()["status"] == "in_progress"
        assert [event.kind for event in await events(before)] == ["task.resumed"]
    else:
        await hand_in(cast, {"task": task, "lease": {"fence": 1}}, cast.vega)
        assert await state_of(cast, task) == "completed"
        return
    assert await state_of(cast, task) == "running" and (await Run.get()).parked_at is None
    (await answer(cast, asked)).ok()
    assert await title_of_next(cast) is None


async def test_agent_goes_on_within_its_limit_and_not_in_a_pause(cast: Cast) -> None:
    task, _ = await parked(cast)
    await cast.add_task(title="Other")
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    await taken(cast)
    started = {"status": "in_progress"}
    (await cast.vega.patch(cast.task(task), started)).refused_as(409, "wip_limit_reached")
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "paused"})).ok()
    (await cast.vega.patch(cast.task(task), started)).refused_as(409, "agent_paused")
    assert await state_of(cast, task) == "waiting"


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_pause_keeps_a_waiting_run_and_stop_ends_it(cast: Cast, state: str) -> None:
    task, asked = await parked(cast)
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": state})).ok()
    found = (await cast.ada.get(f"{cast.home}/questions/{asked['id']}")).ok()
    if state == "stopped":
        assert found["state"] == "closed" and (await Task.get()).status == "inbox"
        return
    (await answer(cast, asked)).ok()
    (await claim(cast)).refused_as(409, "agent_paused")
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "running"})).ok()
    assert (await taken(cast, tags=["any"]))["id"] == task["id"]


async def test_waiting_claim_is_woken_by_the_answer(cast: Cast) -> None:
    task, asked = await parked(cast)
    waiting = asyncio.create_task(claim(cast, wait_seconds=50))
    async with asyncio.timeout(PATIENCE):
        while not wakeup_channels.channels_waiting(channel_of_agent(cast.vega.id)):
            await asyncio.sleep(0.005)
    (await answer(cast, asked)).ok()
    found = (await asyncio.wait_for(waiting, PATIENCE)).ok()
    assert (found["task"]["id"], found["lease"]["fence"]) == (task["id"], 1)


async def test_lost_answer_of_a_resuming_claim_is_given_again(cast: Cast) -> None:
    task, asked = await parked(cast)
    await cast.add_task(title="Sweep")
    (await answer(cast, asked)).ok()
    key = {"Idempotency-Key": "the-claim"}
    first, second = [(await cast.vega.post(f"/agent{cast.home}/claims", {}, headers=key)).ok() for _ in range(2)]
    assert first == second and first["task"]["id"] == task["id"]


async def test_ask_sent_twice_parks_once(cast: Cast) -> None:
    await cast.add_task()
    await taken(cast)
    sent, key = {"content": "Which?", "park": True}, {"Idempotency-Key": "the-question"}
    first = (await cast.vega.post(f"/agent{cast.home}/questions", sent, headers=key)).ok()
    (await answer(cast, first)).ok()
    assert (await taken(cast))["lease"]["fence"] == 1
    assert (await cast.vega.post(f"/agent{cast.home}/questions", sent, headers=key)).ok()["id"] == first["id"]
    assert (await Run.get()).parked_at is None, "the answer to the first is no reason to wait anew"


async def test_run_of_a_silent_agent_goes_to_anybody_after_the_boards_time(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(resume_after_seconds=600)
    task, asked = await parked(cast)
    with later(86_400):
        await take_from_silent()
        assert await state_of(cast, task) == "waiting", "nothing was answered"
        (await answer(cast, asked)).ok()
        [reason] = [one for one in await reasons(cast, task) if one["kind"] == "ready"]
        assert reason["agent_name"] == "Vega" and reason["until"] is not None
    with later(86_400 + 599):
        await take_from_silent()
        assert await state_of(cast, task) == "waiting"
    with later(86_400 + 601):
        await take_from_silent()
        row, run = await Task.get(), await Run.get()
        assert (row.status, row.assigned_agent_id, row.failed_attempts) == ("inbox", None, 0)
        assert (run.state, run.end_reason) == ("released", "Vega gave no sign for 10 min after the answer.")
        assert (await taken(cast, cast.rigel))["lease"]["fence"] == 2
        (await hand_in_refused(cast, task)).refused_as(409, "lease_lost")


async def hand_in_refused(cast: Cast, task: dict[str, Any]) -> Answer:
    return await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": 1, "summary": "Late."})


async def reasons(cast: Cast, task: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cast.ada.get(f"{cast.task(task)}/waiting")).ok()["reasons"]
    return found


async def test_sign_of_the_agent_keeps_its_run(cast: Cast) -> None:
    task, asked = await parked(cast)
    (await answer(cast, asked)).ok()
    with later(3_000):
        (await cast.vega.get("/agent/inbox")).ok()
    with later(4_000):
        await leases.look(times.clock_now(), times.clock_now())
        assert await state_of(cast, task) == "waiting"
    with later(7_000):
        await leases.look(times.clock_now(), times.clock_now())
        assert await state_of(cast, task) == "released"


async def test_rework_of_a_silent_agent_is_for_anybody_after_the_boards_time(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task = await taken(cast)
    await hand_in(cast, {"task": task, "lease": task["lease"]}, cast.vega)
    await rework(cast, task)
    with later(3_500):
        await take_from_silent()
        assert await title_of_next(cast, cast.rigel) is None
    before = await head(cast)  # the application's loop may be faster
    with later(3_700):
        await take_from_silent()
        [event] = await events(before, organization_id=cast.organization.id)
        assert event.message == "Task unassigned: Polish. Vega gave no sign for 1 h after the work was sent back."
        assert await title_of_next(cast, cast.rigel) == "Polish"


async def test_waiting_says_for_whom_it_waits(cast: Cast) -> None:
    task, _ = await parked(cast, decide_in=60, otherwise="ask", otherwise_user_id=str(cast.cleo.id))
    [first, *_] = await reasons(cast, task)
    assert first["kind"] == "parked" and "Vega waits for an answer of a person of this board since" in first["text"]
    with later(90):
        await end_due()
        [first, *_] = await reasons(cast, task)
        assert "Vega waits for an answer of Cleo since" in first["text"]
        ada = await visitor(cast.app, cast.ada)
        (await ada.get(cast.home)).has("waits for an answer of Cleo")
        (await ada.get(cast.task(task))).has("waits for an answer of Cleo", "Vega waits for an answer of Cleo since")


async def test_restored_task_does_not_wait_for_what_was_closed(cast: Cast) -> None:
    task, _ = await parked(cast)
    (await cast.cleo.delete(cast.task(task))).ok()
    (await cast.cleo.post(f"{cast.task(task)}/restorations")).ok()
    row = await Task.get()
    assert (row.status, row.assigned_agent_id) == ("inbox", None)
    assert not await Run.filter(ended_at=None).exists()


async def test_run_is_parked_after_the_ask_unless_it_was_answered(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task = await taken(cast)
    path = f"/agent{cast.task(task)}/parking"
    assert (await cast.vega.post(path, {"fence": 1})).plain == {"is_parked": False}
    asked = await question(cast)
    assert (await cast.vega.post(path, {"fence": 1})).plain == {"is_parked": True}
    assert (await cast.vega.post(path, {"fence": 1})).plain == {"is_parked": True}
    assert await title_of_next(cast) is None
    (await answer(cast, asked)).ok()
    assert await title_of_next(cast) == "Polish"
    second = await question(cast)
    (await answer(cast, second)).ok()
    assert (await cast.vega.post(path, {"fence": 1})).plain == {"is_parked": False}
    (await cast.vega.post(path, {"fence": 0})).refused_as(409, "lease_lost")
    (await cast.rigel.post(path, {"fence": 1})).refused_as(409, "lease_lost")


async def test_resuming_claim_whose_client_left_is_taken_back(cast: Cast) -> None:
    task, asked = await parked(cast)
    (await answer(cast, asked)).ok()
    actor = await agent_by_token(cast.vega.secret)
    assert actor is not None
    left = Compensations()
    with compensated(left):
        assert (await polling.claim(actor, cast.board, ClaimCreate()))["task"] is not None
    assert await state_of(cast, task) == "running"
    await left.run()
    assert await state_of(cast, task) == "waiting"
    assert (await taken(cast))["lease"]["fence"] == 1
