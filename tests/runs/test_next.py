"""`POST /agent/next`: the one place to wait, for workers and leads."""

import asyncio
from typing import Any

import orjson
import pytest

from mission_control.boards.models import Run
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject
from mission_control.events import wakeup_channels
from mission_control.http import slow_answers
from mission_control.runs.claims import next_work as coming
from tests.cast import Caller, Cast
from tests.claiming import taken

pytestmark = pytest.mark.dialect


async def next_of(cast: Cast, by: Caller | None = None, **wanted: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await (by or cast.vega).post("/agent/next", wanted)).ok()
    return found


async def waits(cast: Cast, by: Caller | None = None, **wanted: Any) -> "asyncio.Task[dict[str, Any]]":
    waiting = asyncio.create_task(next_of(cast, by, wait_seconds=50, **wanted))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    return waiting


async def nudge(cast: Cast) -> None:
    (await cast.atlas.post(f"/agent{cast.home}/agents/{cast.vega.id}/nudge", {"message": "Go on."})).ok()


async def test_next_gives_work_with_its_brief(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"brief": "Quietly."})).ok()
    task = await cast.add_task(title="Polish")
    found = await next_of(cast, lease_seconds=60)
    assert (found["kind"], found["directive"], found["held"], found["brief"]) == ("work", "continue", [], "Quietly.")
    assert found["task"]["id"] == task["id"] and found["lease"]["fence"] == 1
    assert found["text"].startswith(f"Task #{task['number']} is yours until ") and "Polish. It is new." in found["text"]


async def test_next_without_work_says_so_and_names_what_is_held(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    await taken(cast)
    found = await next_of(cast)
    assert (found["kind"], found["task"], found["lease"], found["reason"]) == ("nothing", None, None, None)
    assert f"You hold #{task['number']}:" in found["text"]
    [held] = found["held"]
    assert (held["number"], held["title"], held["fence"], held["state"]) == (task["number"], "Polish", 1, "working")


async def test_next_by_name_gives_a_held_task_again(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast)
    found = await next_of(cast, task_id=task["id"])
    assert (found["kind"], found["why"]["kind"], found["lease"]["fence"], found["held"]) == ("work", "held", 1, [])
    refused = await cast.rigel.post("/agent/next", {"task_id": task["id"]})
    assert refused.refused(409)["code"] == "task_already_claimed"


async def test_first_call_after_a_start_gives_what_is_held(cast: Cast) -> None:
    held, _ = await cast.add_task(priority="high"), await cast.add_task()
    assert (await next_of(cast, after_start=True))["why"]["kind"] == "new"
    found = await next_of(cast, after_start=True)
    assert (found["task"]["id"], found["why"]["kind"]) == (held["id"], "held")


async def test_waiting_next_gets_new_work(cast: Cast) -> None:
    waiting = await waits(cast)
    task = await cast.add_task()
    assert (await asyncio.wait_for(waiting, 20))["task"]["id"] == task["id"]


async def test_next_answers_another_directive_at_once(cast: Cast) -> None:
    await cast.add_task()
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "paused", "reason": "Storm."})).ok()
    found = await next_of(cast, wait_seconds=50)
    assert (found["kind"], found["directive"], found["task"]) == ("directive", "pause", None)
    assert "Storm." in found["text"] and "known=pause" in found["text"]
    waiting = await waits(cast, known="pause", kinds=["directive"])
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "running"})).ok()
    found = await asyncio.wait_for(waiting, 20)
    assert (found["kind"], found["directive"]) == ("directive", "continue")


async def test_next_during_a_pause_says_why_there_is_no_work(cast: Cast) -> None:
    await cast.add_task()
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "paused"})).ok()
    found = await next_of(cast, known="pause", kinds=["work"])
    assert (found["kind"], found["reason"]["code"], found["directive"]) == ("nothing", "agent_paused", "pause")


async def test_next_answers_notices_without_work(cast: Cast) -> None:
    waiting = await waits(cast)
    await nudge(cast)
    assert (await asyncio.wait_for(waiting, 20))["kind"] == "notice"


async def test_work_comes_before_notices(cast: Cast) -> None:
    await nudge(cast)
    await cast.add_task()
    assert (await next_of(cast))["kind"] == "work"


async def test_lead_gets_notices_and_no_work(cast: Cast) -> None:
    await cast.add_task()
    assert (await next_of(cast, cast.atlas, kinds=["work"]))["kind"] == "nothing"


async def test_next_on_a_board_whose_lead_hands_out_work_waits_for_notices(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"only_lead_can_change_status": True})).ok()
    await cast.add_task()
    assert (await next_of(cast))["reason"]["code"] == "claims_disabled"
    waiting = await waits(cast)
    await nudge(cast)
    assert (await asyncio.wait_for(waiting, 20))["kind"] == "notice"


async def test_repeated_next_gets_the_same_answer(cast: Cast) -> None:
    for title in ("Polish", "Mount"):
        await cast.add_task(title=title)
    first, again = [(await cast.vega.post("/agent/next", {}, headers={"Idempotency-Key": "k"})).ok() for _ in range(2)]
    assert first == again and first["kind"] == "work"


async def late_answer(cast: Cast, **headers: str) -> tuple[int, bytes, Any]:
    client = cast.app.test_client(use_cookies=False)
    wanted = {"wait_seconds": 50, "keep_alive": True}
    answer = await client.post("/api/v1/agent/next", json=wanted, headers={**cast.vega.headers, **headers})
    return answer.status_code, await answer.get_data(as_text=False), answer.headers


async def test_late_answer_begins_with_white_space(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_answers, "QUIET_SECONDS", 0.05)
    task = await cast.add_task(status="review")
    key = {"Idempotency-Key": "k"}
    waiting = asyncio.create_task(late_answer(cast, **key))
    await asyncio.sleep(0.5)
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()
    status, body, headers = await asyncio.wait_for(waiting, 20)
    assert status == 200 and body.startswith(b"   ") and headers["X-Accel-Buffering"] == "no"
    found = orjson.loads(body)
    assert (found["kind"], found["task"]["id"]) == ("work", task["id"])
    assert orjson.loads((await late_answer(cast, **key))[1]) == found


async def test_refusal_of_a_late_answer_is_its_body(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_answers, "QUIET_SECONDS", 0.05)
    waiting = asyncio.create_task(late_answer(cast))
    await asyncio.sleep(0.5)
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    status, body, _ = await asyncio.wait_for(waiting, 20)
    assert status == 200 and orjson.loads(body)["status"] == 401


async def test_next_that_is_hung_up_claims_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_answers, "QUIET_SECONDS", 0.05)
    waiting = asyncio.create_task(late_answer(cast))
    await asyncio.sleep(0.5)
    assert wakeup_channels.waiting(f"work:{cast.board.id}") == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert wakeup_channels.waiting(f"work:{cast.board.id}") == 0


@pytest.mark.parametrize("wanted", [{}, {"keep_alive": True}])
async def test_what_was_claimed_for_a_client_that_left_is_taken_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    """With an Idempotency-Key the claim stays: the client gets it when it calls again."""
    claimed, left = asyncio.Event(), asyncio.Event()
    held = coming._held

    async def slowly(actor: Actor) -> list[JsonObject]:
        claimed.set()
        await left.wait()
        return await held(actor)

    monkeypatch.setattr(coming, "_held", slowly)
    task = await cast.add_task()
    for headers, state, status in (({}, "released", "inbox"), ({"Idempotency-Key": "k"}, "running", "in_progress")):
        claimed.clear()
        left.clear()
        client, sent = cast.app.test_client(use_cookies=False), {"Content-Type": "application/json", **headers}
        address, given = "/api/v1/agent/next", orjson.dumps(wanted)
        async with client.request(address, method="POST", headers={**cast.vega.headers, **sent}) as connection:
            await connection.send(given)
            await connection.send_complete()
            await asyncio.wait_for(claimed.wait(), 20)
            await connection.disconnect()
            await asyncio.sleep(0.1)
            left.set()
        for _ in range(100):
            await asyncio.sleep(0.02)
            run = await Run.filter(task_id=task["id"]).order_by("-fence").first()
            if run is not None and run.state == state:
                break
        assert run is not None and run.state == state
        assert (await cast.ada.get(cast.task(task))).ok()["status"] == status
    again = (await cast.vega.post("/agent/next", wanted, headers={"Idempotency-Key": "k"})).ok()
    assert (again["task"]["id"], again["lease"]["fence"]) == (task["id"], 2)


async def test_task_that_people_give_in_progress_comes_with_its_brief(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast, cast.rigel)
    waiting = await waits(cast)
    (await cast.ada.patch(cast.task(task), {"assigned_agent_id": str(cast.vega.id)})).ok()
    found = await asyncio.wait_for(waiting, 20)
    assert (found["kind"], found["task"]["id"], found["lease"]["fence"]) == ("work", task["id"], 2)
    assert (await next_of(cast))["kind"] == "nothing"


async def test_held_task_comes_with_the_directive_of_now(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast)
    budget = {"unit": "tokens", "period": "day", "limit": 1, "agent_id": str(cast.vega.id)}
    (await cast.ada.post("/budgets", budget)).ok()
    (await cast.vega.post("/agent/reports", {"task_id": task["id"], "usage": {"input_tokens": 2}})).ok()
    assert (await next_of(cast, task_id=task["id"]))["directive"] == "stop"
    assert f"You hold #{task['number']}: give back." in (await next_of(cast, known="stop"))["text"]
