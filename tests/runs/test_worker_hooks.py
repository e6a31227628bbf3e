"""Programs that `client.pyz work` runs: their events, notes and stops as they listen, and asks without a keyboard."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.approvals.models import Approval
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.permissions import requests as permissions
from mission_control.runs.programs import worker
from tests.cast import Cast
from tests.hooks import activities, called, event, hook, sessions, told
from tests.runs.test_permissions import decide, read, until

CLIENT = "work:codex"
GIVEN = {"command": "make deploy"}
REQUEST = event("PermissionRequest", tool_name="Bash", tool_input=GIVEN, tool_use_id="toolu_1")


async def send(cast: Cast, *sent: dict[str, Any]) -> list[Any]:
    answers = [await hook(cast.vega, one, client=CLIENT) for one in sent]
    await hook_queue.write()
    return answers


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks and listens for a moment each time."""
    monkeypatch.setattr(worker, "WAITS", timedelta(milliseconds=200))


async def test_its_events_are_its_timeline(cast: Cast) -> None:
    plan = [{"content": "Read", "status": "completed"}, {"content": "Write", "status": "in_progress"}, {"content": ""}]
    await send(
        cast,
        event("UserPromptSubmit", prompt="Do it"),
        event("Plan", plan=plan),
        called("PreToolUse", "Bash", "1", **GIVEN),
        called("PostToolUse", "Bash", "1", **GIVEN),
        called("PostToolUse", "Bash", "1", **GIVEN),
        event("Stop", last_assistant_message="Done."),
    )
    [session] = await sessions(cast)
    assert (session["client"], session["state"]) == ("codex", "idle")
    assert [(one["text"], one["state"]) for one in session["plan"]] == [("Read", "completed"), ("Write", "in_progress")]
    kinds = [kind for kind, _, _ in told(await activities(cast, session["id"]))]
    assert kinds == ["RUN_STARTED", "STATE_DELTA", "TOOL_CALL_START", "TOOL_CALL_END", "RUN_FINISHED"]
    assert "deploy" not in str(await activities(cast, session["id"]))


async def test_an_ask_waits_for_people_however_often_it_is_sent(cast: Cast, quick: None) -> None:
    await send(cast, event("UserPromptSubmit", prompt="Do it"))
    assert await send(cast, REQUEST, REQUEST) == [{}, {}]
    [approval] = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
    assert approval["expires_at"] is None and approval["payload"]["session_request"]["command"] == "make deploy"
    await permissions.take_over()
    await permissions.look()
    [need] = [one for one in (await cast.ada.get("/needs")).ok()["items"] if one["id"] == f"approval:{approval['id']}"]
    assert need["otherwise"]["text"].startswith("Vega waits for an answer.")
    (await decide(cast, approval, decision="rejected", note="Not today.")).ok()
    assert (await read(cast, approval))["answer_state"] == "waiting"
    await permissions.take_over()
    [answer] = await send(cast, REQUEST)
    assert answer["decision"] == "deny" and answer["words"].endswith(": Not today.")
    assert (await read(cast, approval))["answer_state"] == "sent"
    assert await send(cast, REQUEST) == [{}] and await Approval.all().count() == 2


async def test_a_rule_of_the_board_answers_first(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"call_rules": {"allow": ["Bash(make *)"], "ask": ["Bash(make deploy)"]}})).ok()
    await send(cast, event("UserPromptSubmit", prompt="Do it"))
    [answer] = await send(cast, {**REQUEST, "tool_input": {"command": "make test"}})
    assert answer["decision"] == "allow-once" and await Approval.all().count() == 0
    waiting = asyncio.create_task(hook(cast.vega, REQUEST, client=CLIENT))
    await until(lambda: Approval.get_or_none(status="pending"))
    waiting.cancel()


async def test_an_answer_comes_while_it_waits(cast: Cast) -> None:
    await send(cast, event("UserPromptSubmit", prompt="Do it"))
    waiting = asyncio.create_task(hook(cast.vega, REQUEST, client=CLIENT))

    async def pending() -> Any:
        found = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        return found[0] if found else None

    (await decide(cast, await until(pending), decision="approved")).ok()
    assert (await waiting)["decision"] == "allow-once"


@pytest.mark.parametrize("last", ["Stop", "StopFailure", "SessionEnd"])
async def test_what_its_turn_asked_ends_with_it(cast: Cast, quick: None, last: str) -> None:
    await send(cast, event("UserPromptSubmit", prompt="Do it"), REQUEST, event(last))
    [approval] = await Approval.all()
    assert (approval.status, approval.note) == ("rejected", permissions.OVER)


async def test_it_hears_notes_and_stops(cast: Cast, quick: None) -> None:
    await cast.add_task()
    task = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["task"]
    given = {"client": "codex", "external_id": REQUEST["session_id"]}
    (await cast.vega.post("/agent/reports", {"session": given, "task_id": task["id"]})).ok()
    assert await send(cast, event("Listen")) == [{}]
    waiting = asyncio.create_task(hook(cast.vega, event("Listen"), client=CLIENT))
    (await cast.ada.post(f"{cast.task(task)}/notes", {"text": "Mind the lock."})).ok()
    note = (await waiting) or (await send(cast, event("Listen")))[0]
    assert "> Mind the lock." in note["note"]
    (await cast.ada.post(f"{cast.task(task)}/stop", {"reason": "Enough."})).ok()
    [answer] = await send(cast, event("Listen"))
    assert answer["stop"].startswith("Stopped by Ada: Enough.")
    [session] = await sessions(cast)
    assert all("refused" not in title.lower() for _, title, _ in told(await activities(cast, session["id"])))


async def test_programs_that_it_does_not_run(cast: Cast) -> None:
    for client in ("work:", "work:vim", "work:work:codex"):
        assert "knows claude-code" in (await cast.vega.post(f"/connect/{client}/hooks", REQUEST)).refused(404)
