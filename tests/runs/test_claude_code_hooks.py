"""Claude Code's hooks: what each event becomes, once, in order, and what the program is answered."""

import random
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.models import Activity, AgentSession
from mission_control.runs.sessions import reports as session_reports
from tests.cast import Cast
from tests.hooks import SESSION, activities, called, event, hook, hooks, recorded, sessions, told

pytestmark = pytest.mark.usefixtures("unasked")  # what programs ask: test_permissions.py

HOOKS = recorded("claude-code-hooks")
FIRST = [one for one in HOOKS.values() if one["session_id"] == SESSION]
SECOND = [one for one in HOOKS.values() if one["session_id"] != SESSION]
AT_NAMES = [
    ("ACTIVITY", "Opened the program", None),
    ("RUN_STARTED", "Began a turn", None),
    ("STATE_DELTA", "Added a step to its plan", None),
    ("TOOL_CALL_START", "Writing note.txt", None),
    ("TOOL_CALL_END", "Wrote note.txt", "ok"),
    ("TOOL_CALL_START", "Changing note.txt", None),
    ("TOOL_CALL_END", "Changed note.txt", "ok"),
    ("TOOL_CALL_START", "Running false", None),
    ("TOOL_CALL_START", "Calling Agent", None),
    ("STEP_STARTED", "Started a helper: general-purpose", None),
    ("TOOL_CALL_END", "Called Agent", "ok"),
    ("TOOL_CALL_START", "Reading README.md", None),
    ("TOOL_CALL_END", "Read README.md", "ok"),
    ("STATE_DELTA", "Changed its plan", None),
    ("STEP_FINISHED", "A helper has ended: general-purpose", None),
    ("RUN_FINISHED", "Finished a turn", None),
]


async def claimed(cast: Cast) -> dict[str, Any]:
    await cast.add_task()
    task: dict[str, Any] = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["task"]
    return task


async def test_a_recorded_session_is_on_the_board(cast: Cast) -> None:
    task = await claimed(cast)
    assert await hooks(cast.vega, *FIRST) == [{}] * len(FIRST)
    [session] = await sessions(cast)
    items = await activities(cast, session["id"])
    assert told(items) == AT_NAMES
    assert (session["client"], session["external_id"], session["cwd_label"], session["mode"]) == (
        "claude-code", SESSION, "shop", "default",
    )  # fmt: skip
    assert (session["task_id"], session["state"], session["end_reason"]) == (
        task["id"], "ended", "The program was closed.",
    )  # fmt: skip
    assert session["plan"] == [{"text": "Write the note", "state": "completed"}]
    assert items[4]["detail"] == {
        "tool": "Write",
        "path": "note.txt",
        "duration_ms": 10,
        "size": items[4]["detail"]["size"],
    }
    assert items[12]["ref"] == "a2ece05e241ec8960:toolu_0_0" and items[12]["detail"]["agent"] == "general-purpose"


async def test_what_is_sent_again_or_in_another_order_is_stored_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = times.clock_now()  # an event without a name of its own is another one in the next minute
    monkeypatch.setattr(times, "clock_now", lambda: now)
    await hooks(cast.vega, *FIRST[:-1], *FIRST[:-1])
    [session] = await sessions(cast)
    assert told(await activities(cast, session["id"])) == AT_NAMES
    shuffled = FIRST[:-1]
    random.Random(5).shuffle(shuffled)
    for one in shuffled:
        await hooks(cast.vega, one)
    assert sorted(told(await activities(cast, session["id"])), key=str) == sorted(AT_NAMES, key=str)


async def test_a_request_for_permission_waits_at_the_keyboard(cast: Cast) -> None:
    await hooks(cast.vega, *SECOND[:2])
    [session] = await sessions(cast)
    assert session["state"] == "waiting"
    await hooks(cast.vega, *SECOND[2:])
    [session] = await sessions(cast)
    assert (session["state"], session["doing"]) == ("working", "Ran touch, 3 s")
    assert told(await activities(cast, session["id"]))[:2] == [
        ("ACTIVITY", "Asks to use Bash: touch", None), ("ACTIVITY", "Waits for an answer at the keyboard", None),
    ]  # fmt: skip


async def test_levels_keep_more(cast: Cast) -> None:
    call = called("PreToolUse", "Bash", "1", command="make test KEY=1", description="Run the tests")
    done = called("PostToolUse", "Bash", "1", command="make test KEY=1", description="Run the tests")
    done["tool_response"] = {"stdout": "12 passed", "stderr": ""}
    edit = called(
        "PostToolUse", "Edit", "2", file_path="/home/mara/shop/src/a.py", old_string="Oil", new_string="Grease"
    )
    prompt = event("UserPromptSubmit", prompt="Write the note.")
    for level in ("names", "commands", "all"):
        await Board.filter(id=cast.board.id).update(session_detail=level)
        sent = (prompt, call, done, edit, event("Stop", last_assistant_message="All is done."))
        await hooks(cast.vega, *({**one, "session_id": level} for one in sent))
    kept = {one["external_id"]: await activities(cast, one["id"]) for one in await sessions(cast)}
    titles = {level: [one["title"] for one in items] for level, items in kept.items()}
    assert titles["names"] == ["Began a turn", "Running make", "Ran make", "Changed a.py", "Finished a turn"]
    assert titles["commands"][1:4] == ["Running make test KEY=1", "Ran make test KEY=1", "Changed src/a.py"]
    assert titles["all"][-2:] == ["All is done.", "Finished a turn"]
    assert kept["all"][0]["detail"] == {"text": "Write the note.", "size": 15}
    assert "12 passed" in kept["all"][2]["detail"]["output"] and "Grease" in kept["all"][3]["detail"]["input"]
    assert "12 passed" not in str(kept["commands"]) and "Grease" not in str(kept["commands"])


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"session_id": 5}', b'{"session_id": "\\ud800"}', b"{}"]
)
async def test_a_broken_body_is_answered_all_the_same(cast: Cast, raw: bytes) -> None:
    answer = await cast.vega.call("POST", "/connect/claude-code/hooks", data=raw)
    assert (answer.status, answer.body) == (200, {})
    await hook_queue.write()
    assert await AgentSession.all().count() == 0


async def test_what_is_cut_or_unknown_is_an_activity_by_its_name(cast: Cast) -> None:
    text = cast.app.json.dumps(called("PreToolUse", "Write", "1", content="x" * 300_000))
    for raw in (text[:200_000], text):
        assert (await cast.vega.call("POST", "/connect/claude-code/hooks", data=raw.encode())).ok() == {}
    odd = event("NovelThing", tool_name={"a": 1}, tool_input=[], nested={"a": ["\x00"]})
    strange = event("PostToolUse", tool_name="TaskUpdate", tool_input={"taskId": {}}, tool_response=[])
    assert await hooks(cast.vega, odd, strange, event("PostToolBatch", tool_calls=[{}, 5]), event("Stop")) == [{}] * 4
    [session] = await sessions(cast)
    assert [one["title"] for one in await activities(cast, session["id"])] == [
        "Pre tool use: too long to be read", "Calling Write", "Novel thing", "Changed its plan", "Finished a turn",
    ]  # fmt: skip


async def test_a_session_goes_on_after_its_end(cast: Cast) -> None:
    await hooks(cast.vega, event("UserPromptSubmit", prompt="A"), event("SessionEnd", reason="logout"))
    [session] = await sessions(cast)
    assert (session["state"], session["end_reason"]) == ("ended", "Its person signed out.")
    ending = event("SessionEnd", reason="other"), event("SessionStart", source="resume")
    await hooks(cast.vega, event("UserPromptSubmit", prompt="B", prompt_id="p2"), *ending)
    [again] = await sessions(cast)
    assert (again["id"], again["state"], again["ended_at"]) == (session["id"], "idle", None)


async def test_what_a_batch_tells_of_calls_is_new_only_for_those_that_nothing_told(cast: Cast) -> None:
    done, other = called("PostToolUse", "Bash", "1", command="ls"), {"tool_name": "Nothing", "tool_use_id": "toolu_9"}
    failure = {
        **called("PreToolUse", "Bash", "2", command="false"),
        "hook_event_name": "PostToolUseFailure",
        "error": "x",
    }
    no = {**called("PreToolUse", "Bash", "3", command="rm x"), "tool_response": "Ada denied this on the board “Quay”."}
    batch = event("PostToolBatch", tool_calls=[done, {**failure, "is_error": True}, {**other, "is_error": True}, no])
    await hooks(cast.vega, done, failure, batch)
    [session] = await sessions(cast)
    assert told(await activities(cast, session["id"])) == [
        ("TOOL_CALL_END", "Ran ls", "ok"), ("TOOL_CALL_END", "Ran false, failed", "failed"),
        ("TOOL_CALL_END", "Called Nothing, failed", "failed"), ("TOOL_CALL_END", "Ran rm, refused", "refused"),
    ]  # fmt: skip


async def test_todos_are_the_plan(cast: Cast) -> None:
    todos = [{"content": "Look", "status": "completed"}, {"content": "Mend", "status": "in_progress"}, {}, 5]
    await hooks(cast.vega, called("PostToolUse", "TodoWrite", "1", todos=todos))
    [session] = await sessions(cast)
    assert session["plan"] == [{"text": "Look", "state": "completed"}, {"text": "Mend", "state": "in_progress"}]


async def test_steps_of_a_plan_change_and_go(cast: Cast) -> None:
    made = [event("TaskCreated", task_id=str(n), task_subject=f"Step {n}") for n in (1, 2)]
    await hooks(cast.vega, *made, called("PostToolUse", "TaskUpdate", "1", taskId="2", status="in_progress"))
    gone = called("PostToolUse", "TaskUpdate", "2", taskId="1", status="deleted")
    await hooks(cast.vega, gone, called("PostToolUse", "TaskUpdate", "3", taskId="7", status="completed"))
    [session] = await sessions(cast)
    assert session["plan"] == [{"text": "Step 2", "state": "in_progress"}]


async def test_who_may_report(cast: Cast) -> None:
    path = "/connect/claude-code/hooks"
    (await cast.vega.post("/connect/unheard-of/hooks", FIRST[0])).refused(404)
    await Agent.filter(id=cast.mira.id).update(board_id=None)
    assert (await cast.mira.post(path, FIRST[0])).ok() == {}
    await hook_queue.write()
    assert await AgentSession.all().count() == 0


async def test_hooks_take_nothing_of_the_requests_a_minute(cast: Cast) -> None:
    tokens = f"/agents/{cast.vega.id}/tokens"
    [token] = (await cast.ada.get(tokens)).ok()["items"]
    (await cast.ada.patch(f"{tokens}/{token['id']}", {"requests_per_minute": 1})).ok()
    assert await hooks(cast.vega, *FIRST) == [{}] * len(FIRST)
    (await cast.vega.get("/agent/inbox")).ok()
    (await cast.vega.get("/agent/inbox")).refused(429)


async def test_what_is_not_written_waits_and_what_is_too_much_is_counted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = session_reports.report

    async def away(*_: Any) -> Any:
        raise OSError

    monkeypatch.setattr(hook_queue, "EVERY", timedelta(hours=1))  # nothing is written but here
    monkeypatch.setattr(hook_queue, "report", away)
    await hook(cast.vega, event("UserPromptSubmit", prompt="A"))
    with pytest.raises(OSError):
        await hook_queue.write()
    monkeypatch.setattr(hook_queue, "MOST_OF_SESSION", 3)
    for number in range(5):
        await hook(cast.vega, called("PreToolUse", "Bash", str(number), command="ls"))
    monkeypatch.setattr(hook_queue, "report", real)
    await hook_queue.write()
    titles = [one.title for one in await Activity.all().order_by("seq")]
    assert titles == ["Began a turn", "Running ls", "Running ls", "3 events came faster than they are written"]
