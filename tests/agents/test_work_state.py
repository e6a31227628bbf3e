"""Pausing and stopping an agent, a board or an organization: who may, what it holds back, and what it takes back."""

import asyncio
from typing import Any

import orjson
import pytest

from mission_control.agents.work_state import standing_of
from mission_control.boards.models import Board, Run
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from mission_control.people.models import Organization
from tests.cast import Answer, Caller, Cast, events, head

pytestmark = pytest.mark.dialect

STARTED = {"status": "in_progress"}


def path_of(cast: Cast, who: str) -> str:
    """Where the state of Vega, of the board, or of the organization is set."""
    return {"agent": f"/agents/{cast.vega.id}", "board": cast.home, "organization": "/organizations/me"}[who]


async def put(caller: Caller, cast: Cast, who: str, state: str, **more: Any) -> Answer:
    return await caller.call("PUT", f"{path_of(cast, who)}/work-state", {"state": state, **more})


async def notices(cast: Cast, *headers: str) -> dict[str, list[str]]:
    """Who was told what, of these headers."""
    names = {cast.atlas.id: "Atlas", cast.vega.id: "Vega", cast.rigel.id: "Rigel", cast.mira.id: "Mira"}
    found = await Delivery.filter(header__in=headers).order_by("seq")
    return {
        header: sorted(names[one.agent_id] for one in found if one.header == header and one.agent_id in names)
        for header in headers
    }


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
async def test_pause_blocks_new_work(cast: Cast, who: str) -> None:
    held, free = await cast.add_task(), await cast.add_task()
    (await cast.vega.patch(cast.task(held), STARTED)).ok()
    before = await head(cast)
    answer = (await put(cast.ada, cast, who, "paused", reason="Night.")).ok()
    assert (answer["work_state"], answer["work_state_reason"]) == ("paused", "Night.") and answer["work_state_at"]
    read = (await cast.ada.get(path_of(cast, who))).ok()
    assert read == answer
    [event, *_] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id) == (f"{who}.work_state_changed", cast.ada.id)
    assert orjson.loads(event.data)["after"] == {"work_state": "paused", "work_state_reason": "Night."}
    refusal = (await cast.vega.patch(cast.task(free), STARTED)).refused(409)
    assert refusal["code"] == f"{who}_paused" and "Night." in refusal["message"]
    assert (await cast.ada.get(cast.task(free))).ok()["status"] == "inbox"
    await what_stays_allowed(cast, held)
    (await put(cast.ada, cast, who, "running")).ok()
    (await cast.vega.patch(cast.task(free), STARTED)).ok()


async def what_stays_allowed(cast: Cast, held: dict[str, Any]) -> None:
    """Comments, heartbeats, and moves to where nothing begins."""
    (await cast.vega.post(f"{cast.task(held)}/comments", {"message": "Still here."})).ok()
    (await cast.vega.patch(cast.task(held), {"status": "in_progress", "comment": "It is so already."})).ok()
    here = (await cast.vega.post("/agent/heartbeat")).ok()
    assert here["directive"] == "pause" and "Night." in here["directive_reason"]
    for status in ("review", "done", "inbox"):
        (await cast.vega.patch(cast.task(await _in_hand(cast)), {"status": status})).ok()
    (await cast.vega.patch(cast.task(held), {"status": "review"})).ok()


async def _in_hand(cast: Cast) -> dict[str, Any]:
    return await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)


async def test_lead_can_assign_but_not_start_for_a_paused_agent(cast: Cast) -> None:
    task, running = await cast.add_task(), await cast.add_task()
    (await cast.rigel.patch(cast.task(running), STARTED)).ok()
    (await put(cast.cleo, cast, "agent", "paused")).ok()
    start = {**STARTED, "assigned_agent_id": str(cast.vega.id)}
    assert (await cast.atlas.patch(cast.task(task), start)).refused(409)["code"] == "agent_paused"
    hand_over = {"assigned_agent_id": str(cast.vega.id)}
    assert (await cast.atlas.patch(cast.task(running), hand_over)).refused(409)["code"] == "agent_paused"
    new = {"title": "x", **start}
    assert (await cast.atlas.post(f"/agent{cast.tasks}", new)).refused(409)["code"] == "agent_paused"
    assert (await cast.atlas.patch(cast.task(task), hand_over)).ok()["assigned_agent_id"] == str(cast.vega.id)
    other = await cast.add_task()
    (await cast.atlas.patch(cast.task(other), {**STARTED, "assigned_agent_id": str(cast.rigel.id)})).ok()


async def test_people_can_work_while_agents_are_paused(cast: Cast) -> None:
    (await put(cast.ada, cast, "organization", "stopped")).ok()
    task = await cast.add_task()
    moved = (await cast.cleo.patch(cast.task(task), {**STARTED, "assigned_agent_id": str(cast.vega.id)})).ok()
    assert (moved["status"], moved["assigned_agent_id"]) == ("in_progress", str(cast.vega.id))
    (await cast.cleo.post(cast.tasks, {"title": "x", **STARTED, "assigned_agent_id": str(cast.vega.id)})).ok()


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
async def test_stop_returns_tasks_in_progress(cast: Cast, who: str) -> None:
    mine, others, elsewhere = await cast.add_task(), await cast.add_task(), await _on_the_other_board(cast)
    (await cast.vega.patch(cast.task(mine), STARTED)).ok()
    (await cast.rigel.patch(cast.task(others), STARTED)).ok()
    persons = await cast.add_task(status="in_progress", assigned_user_id=cast.cleo.id)
    before = await head(cast)
    (await put(cast.ada, cast, who, "stopped", reason="It burns money")).ok()
    expected = {"agent": {mine["id"]}, "board": {mine["id"], others["id"]}}
    expected["organization"] = expected["board"] | {elsewhere["id"]}
    moved = await events(before, kind="task.status_changed")
    assert {str(event.task_id) for event in moved} == expected[who]
    assert all("It burns money" in (event.message or "") for event in moved)
    for event in moved:
        after = orjson.loads(event.data)["after"]
        assert (after["status"], after["assigned_agent_id"]) == ("inbox", None)
    ended = await Run.filter(state="released")
    assert {str(run.task_id) for run in ended} == expected[who]
    assert all("It burns money" in (run.end_reason or "") for run in ended)
    assert await Run.filter(state="running").count() == 3 - len(expected[who])
    assert (await cast.ada.get(cast.task(persons))).ok()["status"] == "in_progress"
    assert (await cast.vega.patch(cast.task(mine), STARTED)).refused(409)["code"] == f"{who}_paused"
    here = (await cast.vega.post("/agent/heartbeat")).ok()
    assert here["directive"] == "stop" and "It burns money" in here["directive_reason"]
    assert [event for event in await events(before) if event.kind == "agent.heartbeat"] == []


async def _on_the_other_board(cast: Cast) -> dict[str, Any]:
    task: dict[str, Any] = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Sweep"})).ok()
    (await cast.mira.patch(f"/boards/{cast.other_board.id}/tasks/{task['id']}", STARTED)).ok()
    return task


async def test_fence_of_a_stopped_run_is_stale(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), STARTED)).ok()
    (await put(cast.ada, cast, "agent", "stopped")).ok()
    said = await cast.vega.post(f"{cast.task(task)}/comments", {"message": "x"}, headers={"X-Task-Fence": "1"})
    assert said.refused(409)["code"] == "lease_lost"


async def test_same_state_is_a_no_op_but_a_reason_can_be_added(cast: Cast) -> None:
    first = (await put(cast.ada, cast, "board", "paused")).ok()
    before = await head(cast)
    assert (await put(cast.ada, cast, "board", "paused")).ok() == first
    assert await events(before) == []
    later = (await put(cast.ada, cast, "board", "paused", reason="Cloudy")).ok()
    assert (later["work_state_reason"], later["work_state_at"]) == ("Cloudy", first["work_state_at"])
    (await put(cast.ada, cast, "board", "paused")).ok()
    assert (await cast.ada.get(cast.home)).ok()["work_state_reason"] == "Cloudy"
    assert len(await events(before)) == 1
    resumed = (await put(cast.ada, cast, "board", "running", reason="Clear again")).ok()
    assert (resumed["work_state"], resumed["work_state_reason"]) == ("running", None)


async def test_strictest_work_state_applies(cast: Cast) -> None:
    assert (await standing_of(cast.vega.id, cast.board.id))[:2] == ("running", None)
    (await put(cast.ada, cast, "agent", "paused")).ok()
    assert (await standing_of(cast.vega.id, cast.board.id))[:2] == ("paused", "agent")
    assert (await standing_of(None, cast.board.id))[:2] == ("running", None)
    (await put(cast.ada, cast, "organization", "stopped")).ok()
    assert (await standing_of(cast.vega.id, cast.board.id))[:2] == ("stopped", "organization")
    assert (await standing_of(cast.vega.id, None))[:2] == ("stopped", "organization")
    assert (await standing_of(cast.nova.id, cast.foreign_board.id))[:2] == ("running", None)
    assert (await cast.nova.post("/agent/heartbeat")).ok()["directive"] == "continue"


async def test_agents_are_notified_and_woken(cast: Cast) -> None:
    (await put(cast.ada, cast, "agent", "paused", reason="Too fast")).ok()
    assert await notices(cast, "WORK PAUSED") == {"WORK PAUSED": ["Vega"]}
    (await put(cast.ada, cast, "board", "stopped")).ok()
    assert await notices(cast, "WORK STOPPED") == {"WORK STOPPED": ["Atlas", "Rigel", "Vega"]}
    with (
        wakeup_channels.listening(f"work:{cast.other_board.id}") as elsewhere,
        wakeup_channels.listening(f"work:{cast.board.id}") as here,
    ):
        (await put(cast.ada, cast, "board", "running")).ok()
        assert here.done() and not elsewhere.done()
        (await put(cast.ada, cast, "organization", "paused")).ok()
        (await put(cast.ada, cast, "organization", "running")).ok()
        assert elsewhere.done()
    found = await notices(cast, "WORK RESUMED", "WORK PAUSED")
    assert found == {
        "WORK RESUMED": ["Atlas", "Atlas", "Mira", "Rigel", "Rigel", "Vega", "Vega"],
        "WORK PAUSED": ["Atlas", "Mira", "Rigel", "Vega", "Vega"],
    }
    told = await Delivery.filter(agent_id=cast.vega.id).order_by("seq").first()
    assert told is not None and "Reason: Too fast" in told.text and "By: Ada" in told.text
    assert told.text.count("Too fast") == 1
    assert told.data["work_state"] == "paused"


async def test_work_state_of_another_organization_stays(cast: Cast) -> None:
    (await put(cast.eve, cast, "organization", "paused")).ok()
    assert (await Organization.get(id=cast.organization.id)).work_state == "running"


async def test_heartbeat_carries_the_directive(cast: Cast) -> None:
    assert (await cast.vega.post("/agent/heartbeat")).ok()["directive"] == "continue"
    (await put(cast.ada, cast, "agent", "paused")).ok()
    own = (await cast.vega.post(f"/agents/{cast.vega.id}/heartbeat", {"status": "busy"})).ok()
    assert (own["directive"], own["status"], own["work_state"]) == ("pause", "busy", "paused")
    named = (await cast.ada.post("/agents/heartbeat", {"name": "Vega"})).ok()
    assert (named["directive"], named["token"]) == ("pause", None)
    (await put(cast.ada, cast, "board", "stopped", reason="Storm")).ok()
    made = (await cast.ada.post("/agents/heartbeat", {"name": "Lyra", "board_id": str(cast.board.id)})).ok()
    assert (made["directive"], made["directive_reason"]) == ("stop", "The board Telescope is stopped: Storm.")
    assert made["token"].startswith("mca_")


async def say(caller: Caller, cast: Cast, text: str, tags: tuple[str, ...] = ("chat",)) -> None:
    (await caller.post(f"{cast.home}/memory", {"content": text, "tags": list(tags)})).ok()


async def state(cast: Cast) -> str:
    return (await Board.get(id=cast.board.id)).work_state


async def test_chat_commands_set_the_work_state(cast: Cast) -> None:
    before = await head(cast)
    await say(cast.cleo, cast, "  /PAUSE ")
    assert await state(cast) == "paused"
    assert [event.kind for event in await events(before)] == ["memory.created", "board.work_state_changed"]
    assert await notices(cast, "/pause", "WORK PAUSED") == {"/pause": ["Atlas", "Rigel", "Vega"], "WORK PAUSED": []}
    await say(cast.atlas, cast, "/resume")
    assert await state(cast) == "running"
    assert await notices(cast, "/resume") == {"/resume": ["Rigel", "Vega"]}


async def test_work_state_changes_appear_in_the_chat(cast: Cast) -> None:
    async def chat() -> list[tuple[str, str]]:
        found = (await cast.ada.get(f"{cast.home}/memory?is_chat=true")).ok()["items"]
        return [(one["content"], one["author"]["name"]) for one in reversed(found)]

    before = await head(cast)
    (await put(cast.ada, cast, "board", "paused")).ok()
    assert await chat() == [("/pause", "Ada")]
    assert [event.kind for event in await events(before)] == ["board.work_state_changed", "memory.created"]
    assert await notices(cast, "/pause") == {"/pause": []}
    (await put(cast.ada, cast, "board", "paused", reason="Night")).ok()
    (await put(cast.ada, cast, "board", "stopped")).ok()
    assert await chat() == [("/pause", "Ada")]  # the last order says what is so
    (await put(cast.cleo, cast, "board", "running")).ok()
    assert await chat() == [("/pause", "Ada"), ("/resume", "Cleo")]
    await say(cast.cleo, cast, "/pause")
    await say(cast.atlas, cast, "/resume")
    assert [text for text, _ in await chat()] == ["/pause", "/resume", "/pause", "/resume"]
    assert await state(cast) == "running"


async def test_other_chat_messages_only_notify(cast: Cast) -> None:
    await say(cast.vega, cast, "/pause")
    assert await state(cast) == "running"
    assert await notices(cast, "/pause") == {"/pause": ["Atlas", "Rigel"]}
    for text, tags in (("/pause now", ("chat",)), ("/pause", ("note",)), ("please /pause", ("chat",))):
        await say(cast.cleo, cast, text, tags)
        assert await state(cast) == "running"


async def test_only_people_resume_by_chat(cast: Cast) -> None:
    (await put(cast.ada, cast, "board", "stopped", reason="Storm")).ok()
    await say(cast.cleo, cast, "/pause")
    await say(cast.atlas, cast, "/resume")
    assert await state(cast) == "stopped"
    await say(cast.cleo, cast, "/resume")
    assert await state(cast) == "running"


async def test_claims_during_a_stop_get_nothing(cast: Cast) -> None:
    """Agents that take work while the board is stopped either lose it at once or get none."""
    tasks = [await cast.add_task() for _ in range(12)]
    takers = (cast.vega, cast.rigel)
    starts = [takers[n % 2].patch(cast.task(task), STARTED) for n, task in enumerate(tasks)]
    answers = await asyncio.gather(*starts[:6], put(cast.ada, cast, "board", "stopped"), *starts[6:])
    assert {answer.status for answer in answers} <= {200, 409}
    assert await Run.filter(state="running").count() == 0
    assert {one["status"] for one in (await cast.ada.get(cast.tasks)).ok()["items"]} == {"inbox"}


async def test_assignments_during_a_stop_are_consistent(cast: Cast) -> None:
    """The lead gives running tasks to somebody else while the board is stopped: nobody holds one in the end."""
    tasks = [await cast.add_task() for _ in range(6)]
    for task in tasks:
        (await cast.vega.patch(cast.task(task), STARTED)).ok()
    given = {"assigned_agent_id": str(cast.rigel.id)}
    moves = [cast.atlas.patch(cast.task(task), given) for task in tasks]
    answers = await asyncio.gather(*moves[:3], put(cast.ada, cast, "board", "stopped"), *moves[3:])
    assert answers[3].status == 200 and {answer.status for answer in answers} <= {200, 403, 409}
    assert await Run.filter(state="running").count() == 0
    assert {one["status"] for one in (await cast.ada.get(cast.tasks)).ok()["items"]} == {"inbox"}
