"""Sessions that work on no task: stopping their turn, putting them to a task, taking them off."""

import asyncio
from typing import Any

from mission_control.boards.models import Run
from tests.cast import Caller, Cast, events
from tests.hooks import activities, called, event, hook, hooks, sessions

PROMPT = event("UserPromptSubmit", prompt="Cache the pages", prompt_id="p1")
CALL = called("PreToolUse", "Bash", "1", command="ls")
DONE = called("PostToolUse", "Bash", "1", command="ls")


async def kinds_of(path: str) -> list[str]:
    return [one.kind for one in await events(subject_id=path.rpartition("/")[2])]


async def at_keyboard(cast: Cast) -> str:
    """The address of a session of Vega, in a turn and on no task."""
    await hooks(cast.vega, PROMPT, CALL, DONE)
    [session] = await sessions(cast)
    return f"{cast.home}/sessions/{session['id']}"


async def refused_words(cast: Cast, number: str) -> str:
    said = (await hook(cast.vega, called("PreToolUse", "Bash", number, command="ls")))["hookSpecificOutput"]
    assert said["permissionDecision"] == "deny"
    return str(said["permissionDecisionReason"])


async def test_a_stopped_session_is_refused_its_calls_until_its_turn_ends(cast: Cast) -> None:
    path = await at_keyboard(cast)
    stopped = (await cast.ada.post(f"{path}/stop", {"reason": "Rain."})).ok()
    assert (stopped["stop_reason"], stopped["run_id"]) == ("Stopped by Ada: Rain.", None) and stopped["stopped_at"]
    for number in ("2", "3"):
        assert "Stopped by Ada: Rain." in await refused_words(cast, number)
    await hooks(cast.vega, event("Stop"))
    assert [one["state"] for one in await activities(cast, path.rpartition("/")[2])].count("refused") == 2
    (await cast.ada.post(f"{path}/stop", {})).refused_as(409, "nobody_works")
    again = event("UserPromptSubmit", prompt="On", prompt_id="p2"), called("PreToolUse", "Bash", "4", command="ls")
    assert await hooks(cast.vega, *again) == [{}, {}]
    assert await kinds_of(path) == ["session.started", "session.stopped"]


async def test_another_session_of_the_agent_goes_on(cast: Cast) -> None:
    path = await at_keyboard(cast)
    (await cast.ada.post(f"{path}/stop", {})).ok()
    assert await hook(cast.vega, {**CALL, "session_id": "another"}) == {}


async def test_a_stopped_session_that_reports_itself_is_told(cast: Cast) -> None:
    report: dict[str, Any] = {"session": {"external_id": "one", "client": "other"}, "items": [{"title": "Read"}]}
    made = (await cast.vega.post("/agent/reports", report)).ok()
    (await cast.ada.post(f"{cast.home}/sessions/{made['session_id']}/stop", {})).ok()
    told = (await cast.vega.post("/agent/reports", report)).ok()
    assert (told["directive"], told["directive_reason"]) == ("stop", "Stopped by Ada.")
    over = (await cast.vega.post("/agent/reports", report | {"items": [{"kind": "RUN_FINISHED"}]})).ok()
    assert over["directive"] == "continue"


async def test_stopping_a_session_that_serves_a_run_stops_the_run(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.post("/agent/next", {"task_id": task["id"]})).ok()
    path = await at_keyboard(cast)
    stopped = (await cast.ada.post(f"{path}/stop", {"reason": "Rain."})).ok()
    assert stopped["stopped_at"] is None
    assert (await Run.get(task_id=task["id"])).end_reason == "Stopped by Ada: Rain."
    assert "Rain." in await refused_words(cast, "2")


async def test_an_ended_session_cannot_be_stopped_or_put_to_a_task(cast: Cast) -> None:
    path, task = await at_keyboard(cast), await cast.add_task()
    await hooks(cast.vega, event("SessionEnd", reason="exit"))
    (await cast.ada.post(f"{path}/stop", {})).refused_as(409, "nobody_works")
    (await cast.ada.call("PUT", f"{path}/task", {"task_id": task["id"]})).refused_as(409, "nobody_works")


async def attached(cast: Cast, path: str, task: dict[str, Any], by: Caller | None = None) -> dict[str, Any]:
    found: dict[str, Any] = (await (by or cast.ada).call("PUT", f"{path}/task", {"task_id": task["id"]})).ok()
    return found


async def test_what_an_attached_session_does_shows_on_its_task(cast: Cast) -> None:
    path, task = await at_keyboard(cast), await cast.add_task()
    session = await attached(cast, path, task)
    assert session["task_id"] == task["id"] and session["attached_at"] and session["run_id"]
    now = (await cast.ada.get(cast.task(task))).ok()
    assert (now["status"], now["assigned_agent_id"]) == ("in_progress", str(cast.vega.id))
    await hooks(cast.vega, called("PreToolUse", "Bash", "2", command="make"))
    shown = (await cast.ada.get(f"{cast.task(task)}/activities")).ok()["items"]
    assert [one["title"] for one in shown] == ["Running make"]
    other = {**called("PreToolUse", "Bash", "3", command="ls"), "session_id": "another"}
    await hooks(cast.vega, other)
    assert len((await cast.ada.get(f"{cast.task(task)}/activities")).ok()["items"]) == 1
    assert (await attached(cast, path, task))["run_id"] == session["run_id"]


async def test_an_attached_session_is_taken_off(cast: Cast) -> None:
    path, task = await at_keyboard(cast), await cast.add_task()
    await attached(cast, path, task)
    await hooks(cast.vega, called("PreToolUse", "Bash", "2", command="make"))
    free = (await cast.ada.call("DELETE", f"{path}/task")).ok()
    assert (free["task_id"], free["run_id"], free["attached_at"]) == (None, None, None)
    now = (await cast.ada.get(cast.task(task))).ok()
    assert (now["status"], now["assigned_agent_id"]) == ("inbox", None)
    await hooks(cast.vega, called("PostToolUse", "Bash", "2", command="make"))
    shown = (await cast.ada.get(f"{cast.task(task)}/activities")).ok()["items"]
    assert [one["title"] for one in shown] == ["Running make"]
    assert (await cast.ada.call("DELETE", f"{path}/task")).ok()["task_id"] is None
    assert await kinds_of(path) == ["session.started", "session.attached", "session.detached"]


async def test_a_waiting_worker_of_the_same_agent_is_not_given_an_attached_task(cast: Cast) -> None:
    path, task = await at_keyboard(cast), await cast.add_task(assigned_user_id=str(cast.cleo.id))
    waiting = asyncio.create_task(cast.vega.post("/agent/next", {"wait_seconds": 50, "kinds": ["work", "notice"]}))
    await asyncio.sleep(0.1)
    await attached(cast, path, task)
    answer = (await waiting).ok()
    assert (answer["kind"], answer["task"], answer["held"]) == ("notice", None, [])
    assert (await cast.vega.post("/agent/next", {"after_start": True, "kinds": ["work"]})).ok()["task"] is None


async def test_a_session_is_put_to_one_task_that_nobody_else_has(cast: Cast) -> None:
    path, first, second = await at_keyboard(cast), await cast.add_task(), await cast.add_task()
    (await cast.rigel.post("/agent/next", {"task_id": first["id"]})).ok()
    (await cast.ada.call("PUT", f"{path}/task", {"task_id": first["id"]})).refused(409)
    await attached(cast, path, second)
    third, other = await cast.add_task(), {**CALL, "session_id": "another"}
    (await cast.ada.call("PUT", f"{path}/task", {"task_id": third["id"]})).refused(409)
    await hooks(cast.vega, other)
    [another] = [one for one in await sessions(cast) if one["external_id"] == "another"]
    assert another["run_id"] is None
    there = f"{cast.home}/sessions/{another['id']}"
    (await cast.ada.call("PUT", f"{there}/task", {"task_id": second["id"]})).refused(409)
    (await cast.ada.call("PUT", f"{there}/task", {"task_id": str(cast.vega.id)})).refused(404)


async def test_what_somebody_moves_ends_the_run_and_leaves_the_session_free(cast: Cast) -> None:
    path, first, second = await at_keyboard(cast), await cast.add_task(), await cast.add_task()
    await attached(cast, path, first)
    (await cast.ada.patch(cast.task(first), {"status": "done"})).ok()
    assert (await Run.get(task_id=first["id"])).state == "completed"
    assert (await attached(cast, path, second))["task_id"] == second["id"]
