"""What agents report of their work: sessions, activities, plans, usage; and what people read of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.times import travelled
from mission_control.events.models import Event
from mission_control.runs.models import Activity, AgentSession
from mission_control.runs.sessions import ends as session_ends
from mission_control.runs.sessions import signals as session_signals
from mission_control.runs.sessions.queries import Line, line_of
from tests.cast import Answer, Caller, Cast

pytestmark = pytest.mark.dialect


async def report(agent: Caller, **given: Any) -> Answer:
    return await agent.post("/agent/reports", given)


async def claimed(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A task that Vega works on."""
    await cast.add_task(**fields)
    task: dict[str, Any] = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["task"]
    return task


async def sessions(cast: Cast, **query: Any) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[dict[str, Any]] = (await cast.ada.get(f"{cast.home}/sessions?{asked}")).ok()["items"]
    return found


async def line(task: dict[str, Any]) -> Line:
    return (await line_of([UUID(task["id"])]))[UUID(task["id"])]


async def events(*kinds: str) -> list[Event]:
    return await Event.filter(kind__in=kinds).order_by("seq")


async def test_report_goes_to_the_session_of_the_run(cast: Cast) -> None:
    task = await claimed(cast)
    items = [{"key": "1", "kind": "TOOL_CALL_START", "ref": "a", "detail": {"tool": "Bash", "command": "make test"}}]
    answer = (await report(cast.vega, items=items, plan=[{"text": "Look", "state": "in_progress"}])).ok()
    assert answer | {"session_id": None} == {
        "session_id": None, "stored": 1, "directive": "continue", "directive_reason": None,
    }  # fmt: skip
    [session] = await sessions(cast)
    assert (session["id"], session["task_id"], session["task_number"]) == (
        answer["session_id"], task["id"], task["number"],
    )  # fmt: skip
    assert (session["state"], session["doing"], session["is_doing_over"]) == ("working", "Running make test", False)
    assert session["plan"] == [{"text": "Look", "state": "in_progress"}] and session["activity_count"] == 1
    items = [{"key": "2", "kind": "TOOL_CALL_END", "ref": "a", "state": "ok", "title": "Ran make test, 3 min"}]
    assert (await report(cast.vega, items=items)).ok()["session_id"] == session["id"]
    there = await line(task)
    assert (there.agent_name, there.doing, there.is_doing_over, there.state) == (
        cast.vega.name, "Ran make test, 3 min", True, "working",
    )  # fmt: skip
    assert (await cast.ada.get(f"{cast.home}/sessions/{session['id']}")).ok()["doing"] == there.doing
    assert [event.kind for event in await events("session.started")] == ["session.started"]


async def test_repeated_report_stores_nothing_twice(cast: Cast) -> None:
    await claimed(cast)
    given = {
        "items": [{"key": "1", "title": "One"}, {"key": "2", "title": "Two"}, {"key": "1", "title": "Other"}],
        "usage": [{"key": "r1", "input_tokens": 10, "cached_tokens": 4, "cost_usd": "0.5"}, {"output_tokens": 1}],
    }
    assert (await report(cast.vega, **given)).ok()["stored"] == 2
    assert (await report(cast.vega, **given)).ok()["stored"] == 0
    given["items"].append({"key": "3", "title": "Three"})  # type: ignore[attr-defined]
    assert (await report(cast.vega, **given)).ok()["stored"] == 1
    [session] = await sessions(cast)
    assert session["doing"] == "Three"
    sums = {name: session[name] for name in ("input_tokens", "output_tokens", "cached_tokens", "cost_usd")}
    assert sums == {"input_tokens": 10, "output_tokens": 3, "cached_tokens": 4, "cost_usd": 0.5}
    run = await Run.get(id=session["run_id"])
    assert (run.input_tokens, run.output_tokens, run.cached_tokens, run.cost_micros) == (10, 3, 4, 500_000)
    kept = await UsageEntry.filter(key="r1")
    assert [(str(one.session_id), one.run_id, one.source) for one in kept] == [(session["id"], run.id, "agent")]
    shown = (await cast.ada.get(f"{cast.home}/sessions/{session['id']}/activities")).ok()
    assert [one["title"] for one in shown["items"]] == ["One", "Two", "Three"] and shown["total"] == 3


async def test_same_activity_without_a_key_is_stored_once_a_minute(cast: Cast) -> None:
    for _ in range(2):
        await report(cast.vega, items=[{"title": "Looked around"}])
    with travelled(timedelta(minutes=1)):
        assert (await report(cast.vega, items=[{"title": "Looked around"}])).ok()["stored"] == 1
    assert await Activity.all().count() == 2


async def test_sessions_of_a_program_are_told_apart_by_its_ids(cast: Cast) -> None:
    task = await claimed(cast)
    about = {"client": "codex", "branch": "main", "host_label": "mara-laptop", "model": "m1"}
    first = (await report(cast.vega, session={"external_id": "a", **about}, items=[{"title": "One"}])).ok()
    second = (await report(cast.vega, session={"external_id": "b", "client": "codex", "parent": "a"})).ok()
    again = (await report(cast.vega, session={"external_id": "a", "client": "codex", "model": "m2"})).ok()
    assert first["session_id"] == again["session_id"] != second["session_id"]
    by_id = {one["id"]: one for one in await sessions(cast, task_id=task["id"])}
    known = by_id[first["session_id"]]
    assert (known["branch"], known["host_label"], known["model"]) == ("main", "mara-laptop", "m2")
    assert by_id[second["session_id"]]["parent_id"] == first["session_id"]
    assert (await line(task)).session_id == UUID(first["session_id"]), (
        "a session that another one began is not the line"
    )
    assert (await report(cast.rigel, session={"external_id": "a", "client": "codex"})).ok()["session_id"] not in by_id


async def test_agent_without_a_task_has_one_session(cast: Cast) -> None:
    first, second = [(await report(cast.vega, items=[{"title": f"{n}"}])).ok() for n in range(2)]
    assert first["session_id"] == second["session_id"]
    [session] = await sessions(cast)
    assert (session["run_id"], session["task_id"], session["external_id"]) == (None, None, "agent")


async def test_call_that_goes_on_stays_the_line_while_another_ends(cast: Cast) -> None:
    task = await claimed(cast)
    begin, end = {"kind": "TOOL_CALL_START"}, {"kind": "TOOL_CALL_END", "state": "ok"}
    await report(cast.vega, items=[begin | {"ref": "a", "title": "A"}, begin | {"ref": "b", "title": "B"}])
    await report(cast.vega, items=[end | {"ref": "a", "title": "A ended"}])
    assert ((await line(task)).doing, (await line(task)).is_doing_over) == ("B", False)
    await report(cast.vega, items=[end | {"ref": "b", "title": "B ended"}, {"kind": "RUN_FINISHED"}])
    there = await line(task)
    assert (there.doing, there.is_doing_over, there.state) == ("Finished a turn", True, "idle")


async def test_same_error_again_is_counted(cast: Cast) -> None:
    task = await claimed(cast)

    async def ran(state: str, error: str = "", command: str = "make test") -> Line:
        detail = {"tool": "bash", "command": command, "error": error, "seconds": 9}
        item = {"key": str(uuid4()), "kind": "TOOL_CALL_END", "state": state, "detail": detail}
        (await report(cast.vega, items=[item])).ok()
        return await line(task)

    for n in range(4):
        there = await ran("failed", f"{n} tests failed in {n}.5 s")
        await ran("ok", command="git diff")
    assert (there.failures, there.is_stuck) == (4, True)
    assert there.failing == "Ran make test, failed, 9 s: 3 tests failed in 3.5 s"
    assert (await ran("failed", "No such file")).failures == 1
    assert ((await ran("ok")).failures, (await line(task)).failing) == (0, None)


async def test_session_is_lost_after_fifteen_minutes_without_a_sign(cast: Cast) -> None:
    task = await claimed(cast)
    await report(cast.vega, session={"external_id": "a", "client": "codex"}, items=[{"title": "One"}])
    with travelled(timedelta(minutes=14)):
        await session_ends.look()
        assert (await line(task)).state == "working"
    with travelled(timedelta(minutes=16)):
        assert (await line(task)).state == "lost", "before the timer looked"
        for _ in range(2):
            await session_ends.look()
        [event] = await events("session.stalled")
        assert str(event.task_id) == task["id"]
        assert (await sessions(cast))[0]["state"] == "lost"
        await report(cast.vega, session={"external_id": "a", "client": "codex"})
        assert (await line(task)).state == "working"


async def test_calls_are_signs_of_a_session_of_ours(cast: Cast) -> None:
    task = await claimed(cast)
    await report(cast.vega, items=[{"title": "One"}])
    with travelled(timedelta(minutes=16)):
        (await cast.vega.get("/agent/healthz")).ok()
        await session_ends.look()
        assert (await line(task)).state == "working"
    assert await events("session.stalled") == []


async def test_session_of_a_run_ends_with_it(cast: Cast) -> None:
    task = await claimed(cast)
    answer = (await report(cast.vega, items=[{"key": str(n), "title": f"{n}"} for n in range(3)])).ok()
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": 1, "summary": "Done."})).ok()
    [session] = await sessions(cast)
    assert session["state"] == "ended" and session["ended_at"] is not None
    assert [await sessions(cast, is_open="true"), len(await sessions(cast, is_open="false"))] == [[], 1]
    await session_ends.look()
    assert await events("session.ended") == [], "a report may come behind the hand-in"
    assert (await report(cast.vega, task_id=task["id"], items=[{"title": "Cleaned up"}])).ok()[
        "directive"
    ] == "continue"
    with travelled(timedelta(minutes=2)):
        await session_ends.look()
    [event] = await events("session.ended")
    kept = await AgentSession.get(id=answer["session_id"])
    assert kept.digest == (await session_ends.digest_of(kept.id))[0]
    assert f'"digest":"{kept.digest}"' in event.data and '"activities":4' in event.data
    await Activity.filter(session_id=kept.id, seq=2).update(title="Forged")
    assert kept.digest != (await session_ends.digest_of(kept.id))[0]


async def test_session_ends_when_told_and_goes_on_with_the_next_report(cast: Cast) -> None:
    given = {"session": {"external_id": "a", "client": "codex"}}
    await report(cast.vega, **given, items=[{"kind": "TOOL_CALL_START", "title": "Looking"}])
    await report(cast.vega, **given, ended=True, end_reason="Closed the terminal")
    [session] = await sessions(cast)
    assert (session["state"], session["end_reason"], session["is_doing_over"]) == ("ended", "Closed the terminal", True)
    await report(cast.vega, **given, items=[{"title": "Back"}])
    [session] = await sessions(cast)
    assert (session["state"], session["ended_at"], session["digest"]) == ("working", None, None)
    kinds = [event.kind for event in await events("session.started", "session.ended")]
    assert kinds == ["session.started", "session.ended", "session.started"]


async def test_silent_session_ends_after_a_day(cast: Cast) -> None:
    await report(cast.vega, items=[{"title": "One"}])
    with travelled(timedelta(hours=25)):
        await session_ends.look()
        assert (await sessions(cast))[0]["end_reason"] == "It gave no sign for a day."


async def test_session_of_a_run_that_waits_neither_stalls_nor_ends(cast: Cast) -> None:
    task = await claimed(cast)
    await report(cast.vega, items=[{"title": "One"}])
    await Run.filter(task_id=task["id"]).update(parked_at=times.clock_now(), lease_expires_at=None)
    for hours in (1, 50):
        with travelled(timedelta(hours=hours)):
            await session_ends.look()
            assert (await line(task)).state == "waiting"
    assert await events("session.stalled", "session.ended") == []


async def test_report_of_a_run_that_was_taken_away_says_stop(cast: Cast) -> None:
    task = await claimed(cast)
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()
    answer = (await report(cast.vega, task_id=task["id"], fence=1, items=[{"title": "Late"}])).ok()
    assert (answer["stored"], answer["directive"]) == (1, "stop")
    assert answer["directive_reason"] == f"This task is no longer yours. By {cast.ada.name}."


async def test_used_up_budget_says_stop(cast: Cast) -> None:
    (await cast.ada.post("/budgets", {"agent_id": str(cast.vega.id), "unit": "cost", "limit": 1})).ok()
    assert (await report(cast.vega, usage={"key": "1", "cost_usd": "0.7"})).ok()["directive"] == "continue"
    answer = (await report(cast.vega, usage={"key": "2", "cost_usd": "0.7"})).ok()
    assert (answer["directive"], answer["directive_reason"]) == (
        "stop", "Today's budget of money for the agent is used up.",
    )  # fmt: skip


async def test_texts_are_one_plain_line_without_secrets(cast: Cast) -> None:
    odd = "Ran\n\u202ecurl -H 'mca_abcdefghijkl'\x07 " + "x" * 300
    await report(cast.vega, items=[{"title": odd, "detail": {"output": "mca_abcdefghijkl " * 500, "code": 1}}])
    activity = await Activity.get()
    assert activity.title.startswith("Ran curl -H 'mca_••••' xxx") and len(activity.title) == 200
    assert activity.detail["code"] == 1 and len(activity.detail["output"]) == 400
    assert "abcdef" not in activity.detail["output"]


async def test_detail_beyond_four_kilobytes_is_cut(cast: Cast) -> None:
    await report(cast.vega, items=[{"title": "Much", "detail": {"lines": ["x" * 100] * 100}}])
    activity = await Activity.get()
    assert list(activity.detail) == ["text"] and len(activity.detail["text"]) == 600


@pytest.mark.parametrize("wrong", [
    {"items": [{"title": "x" * 2_001}]}, {"items": [{}] * 201}, {"items": [{"kind": "K" * 33}]},
    {"items": [{"state": "odd"}]}, {"plan": [{"text": " "}]}, {"usage": {"cached_tokens": -1}},
    {"session": {"client": "codex"}}, {"state": "ended"}, {"fence": 0}, {"odd": 1},
])  # fmt: skip
async def test_invalid_reports_are_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    (await report(cast.vega, **wrong)).refused(422)
    assert await AgentSession.all().count() == 0


async def test_run_of_another_agent_cannot_be_reported(cast: Cast) -> None:
    task = await claimed(cast)
    (await report(cast.rigel, task_id=task["id"], fence=1)).refused(404)
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "x"})).ok()
    (await report(cast.vega, task_id=other["id"])).refused(404)


async def test_activities_are_read_from_a_number_and_searched(cast: Cast) -> None:
    task = await claimed(cast)
    items = [{"key": str(n), "title": f"Step {n}", "detail": {"path": f"a{n}.py"}} for n in range(1, 8)]
    session = (await report(cast.vega, items=items)).ok()["session_id"]

    async def seqs(**query: Any) -> list[int]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        found = (await cast.ada.get(f"{cast.home}/sessions/{session}/activities?{asked}")).ok()
        return [one["seq"] for one in found["items"]]

    assert await seqs(limit=2) == [6, 7]
    assert await seqs(before=6, limit=2) == [4, 5]
    assert await seqs(after=3, limit=2) == [4, 5]
    assert (await seqs(q="STEP%203"), await seqs(q="a5.py"), await seqs(q="nothing")) == ([3], [5], [])
    of_task = (await cast.vega.get(f"{cast.task(task)}/activities?limit=3")).ok()
    assert ([one["seq"] for one in of_task["items"]], of_task["total"]) == ([5, 6, 7], 7)
    assert of_task["items"][0]["detail"] == {"path": "a5.py"}


async def test_old_activities_are_deleted_and_the_session_stays(cast: Cast) -> None:
    old = (times.clock_now() - timedelta(days=50)).isoformat()
    await report(cast.vega, items=[{"key": "1", "title": "Old", "at": old}])
    with travelled(timedelta(days=29)):
        await report(cast.vega, items=[{"key": "2", "title": "New"}])
        await session_ends.delete_old()
        assert await Activity.all().count() == 1, "what is told late has happened a day before at most"
    with travelled(timedelta(days=31)):
        await session_ends.delete_old()
        assert [one.title for one in await Activity.all()] == ["New"]
    assert len(await sessions(cast)) == 1


async def test_session_is_announced_once_a_second(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []

    async def publish(signals: list[tuple[UUID, dict[str, object]]]) -> None:
        sent.extend(signal for _, signal in signals)

    monkeypatch.setattr(session_signals, "publish_signals", publish)
    session_signals._later.clear()
    task = await claimed(cast)
    for n in range(3):
        session = (await report(cast.vega, items=[{"title": f"{n}"}])).ok()["session_id"]
    about = {"session_id": session, "board_id": str(cast.board.id), "task_id": task["id"]}
    assert sent == [about]
    with travelled(timedelta(seconds=1)):
        await session_signals.announce_due()
        await session_signals.announce_due()
    assert sent == [about, about]


async def test_agent_that_moved_begins_a_session_on_its_new_board(cast: Cast) -> None:
    here = (await report(cast.vega, items=[{"title": "One"}])).ok()["session_id"]
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
    there = (await report(cast.vega, items=[{"title": "Two"}])).ok()["session_id"]
    assert {str(one.id): one.board_id for one in await AgentSession.all()} == {
        here: cast.board.id, there: cast.other_board.id,
    }  # fmt: skip


async def test_digests_show_what_was_changed_afterwards(cast: Cast) -> None:
    for name in ("a", "b"):
        given = {"session": {"external_id": name, "client": "codex"}, "items": [{"key": name, "title": name}]}
        await report(cast.vega, **given, ended=True)
    assert await session_ends.digest_faults(30) == (2, [])
    changed = await AgentSession.get(external_id="a")
    await Activity.filter(session_id=changed.id).update(state="failed")
    fault = f"What was reported in session {changed.id} of {cast.vega.name} was changed afterwards."
    assert await session_ends.digest_faults(30) == (2, [fault])
    # Who changes the digest in the row too cannot change the log.
    await AgentSession.filter(id=changed.id).update(digest=(await session_ends.digest_of(changed.id))[0])
    assert (await session_ends.digest_faults(0))[1] == [fault]
    with travelled(timedelta(days=40)):
        assert await session_ends.digest_faults(30) == (0, [])
        assert await session_ends.oldest_age() == 40


async def test_reports_at_once_make_one_session_and_store_all(cast: Cast) -> None:
    async def one(n: int) -> dict[str, Any]:
        items = [{"key": f"{n}", "title": f"{n}"}, {"key": "same", "title": "Same"}]
        used = [{"key": "same", "input_tokens": 5}, {"key": f"{n}", "input_tokens": 1}]
        answer: dict[str, Any] = (await report(cast.vega, items=items, usage=used)).ok()
        return answer

    answers = await asyncio.gather(*(one(n) for n in range(8)))
    assert len({answer["session_id"] for answer in answers}) == 1
    assert sum(answer["stored"] for answer in answers) == 9
    seqs = [activity.seq for activity in await Activity.all().order_by("seq")]
    [session] = await sessions(cast)
    assert len(seqs) == 9 and session["activity_count"] == seqs[-1]
    assert session["input_tokens"] == 13 == sum([entry.input_tokens for entry in await UsageEntry.all()])
    assert len(await events("session.started")) == 1


async def test_task_that_is_deleted_for_good_takes_its_activities_along(cast: Cast) -> None:
    erased, other = await claimed(cast), await claimed(cast)
    (await report(cast.vega, task_id=erased["id"], items=[{"title": "The word is 'sesame'"}])).ok()
    about = {"session": {"external_id": "a", "client": "codex"}}
    for task in (erased, other):
        given = {"items": [{"title": f"{task['id']} sesame"}], "plan": [{"text": "Open sesame"}]}
        (await report(cast.vega, **about, **given, task_id=task["id"])).ok()
    (await report(cast.vega, **about, ended=True)).ok()
    (await cast.ada.delete(cast.task(erased))).ok()
    (await cast.ada.post(f"{cast.task(erased)}/erasures")).ok()
    [session] = await AgentSession.all()
    assert (str(session.task_id), session.doing, session.plan, session.digest) == (other["id"], None, None, None)
    assert [one.title for one in await Activity.all()] == [f"{other['id']} sesame"]
    assert await session_ends.digest_faults(30) == (0, [])
