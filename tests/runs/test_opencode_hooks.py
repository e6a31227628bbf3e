"""opencode's plugin: a recorded session on the board, its money, helpers, notes, stops, and what it asks people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.programs import PROGRAMS
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.models import AgentSession
from mission_control.runs.permissions import requests as permissions
from mission_control.runs.programs import opencode
from tests.cast import Cast
from tests.hooks import activities, hook, recorded, sessions, told
from tests.runs.test_permissions import decide, read, until

HOOKS = recorded("opencode-hooks")
SENT = [one for one in HOOKS.values() if one["hook_event_name"] != "permission.asked"]
ASKED = {one["tool_input"].get("command", one["tool_name"]): one for one in HOOKS.values() if one not in SENT}
SESSION = SENT[0]["session_id"]
HELPER = next(one["session_id"] for one in SENT if "parent" in one)
AT_NAMES = [
    ("ACTIVITY", "Opened a session", None),
    ("RUN_STARTED", "Began a turn", None),
    ("STATE_DELTA", "Changed its plan", None),
    ("TOOL_CALL_START", "Writing note.txt", None),
    ("TOOL_CALL_END", "Wrote note.txt, 1 s", "ok"),
    ("TOOL_CALL_START", "Changing note.txt", None),
    ("TOOL_CALL_END", "Changed note.txt, 1 s", "ok"),
    ("TOOL_CALL_START", "Running touch", None),
    ("TOOL_CALL_END", "Ran touch, 1 s", "ok"),
    ("TOOL_CALL_START", "Running false", None),
    ("TOOL_CALL_END", "Ran false, failed", "failed"),
    ("TOOL_CALL_START", "Running echo", None),
    ("TOOL_CALL_END", "Ran echo, refused", "refused"),
    ("TOOL_CALL_START", "Running echo", None),
    ("TOOL_CALL_END", "Ran echo, failed", "failed"),
    ("TOOL_CALL_START", "Reading hostname", None),
    ("TOOL_CALL_END", "Read hostname", "ok"),
    ("TOOL_CALL_START", "Reading none.txt", None),
    ("TOOL_CALL_END", "Read none.txt, failed", "failed"),
    ("TOOL_CALL_START", "Calling task", None),
    ("TOOL_CALL_END", "Called task, 2 s", "ok"),
    ("RUN_FINISHED", "Finished a turn", None),
]


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"hook_event_name": name, "session_id": SESSION, "cwd": "/home/mara/shop", **fields}


async def send(cast: Cast, *events: dict[str, Any]) -> list[Any]:
    answers = [await hook(cast.vega, one, client="opencode") for one in events]
    await hook_queue.write()
    return answers


async def test_a_recorded_session_is_on_the_board_once(cast: Cast) -> None:
    for _ in range(2):
        assert await send(cast, *SENT) == [{}] * len(SENT)
    helper, session = sorted(await sessions(cast), key=lambda one: one["external_id"] == SESSION)
    assert told(await activities(cast, session["id"])) == AT_NAMES
    assert (session["client"], session["client_version"], session["model"], session["mode"], session["state"]) == (
        "opencode", "1.18.33", "fake-1", "build", "idle",
    )  # fmt: skip
    assert [(one["text"], one["state"]) for one in session["plan"]] == [
        ("Write the note", "in_progress"), ("Look", "pending"),
    ]  # fmt: skip
    assert (helper["external_id"], helper["parent_id"], helper["state"]) == (HELPER, session["id"], "ended")
    titles = [title for _, title, _ in told(await activities(cast, helper["id"]))]
    assert titles == ["Started by another session", "Began a turn", "Running echo", "Ran echo", "Finished a turn"]
    assert len(titles) == helper["activity_count"]


@pytest.mark.parametrize(("code", "state"), [({"exit_code": None}, "failed"), ({"exit_code": 0}, "ok"), ({}, "ok")])
async def test_command_without_a_code_was_cut_off(cast: Cast, code: dict[str, Any], state: str) -> None:
    await send(cast, event("tool.execute.after", tool_name="bash", tool_use_id="c1", tool_input={}, **code))
    [session] = await sessions(cast)
    assert [one["state"] for one in await activities(cast, session["id"])] == [state]


async def test_each_request_counts_once_with_its_cache_and_its_price(cast: Cast) -> None:
    first = next(one for one in SENT if one["hook_event_name"] == "message.updated")
    free = {**first, "message_id": "msg_free", "model": "unknown-1", "cost": 0}
    await send(cast, first, first, free, {**first, "message_id": "msg_odd", "tokens": {"input": "x"}, "cost": True})
    [session] = await sessions(cast)
    assert (session["input_tokens"], session["cached_tokens"], session["output_tokens"]) == (2400, 400, 100)
    found = {one.key: (one.cost_micros, one.unpriced_tokens) async for one in UsageEntry.all()}
    assert found == {f"oc:{first['message_id']}": (1520, 0), "oc:msg_free": (0, 1250)}


async def test_notes_ride_on_its_turns_and_calls_and_a_stop_refuses_the_next(cast: Cast) -> None:
    first, prompt, *_ = SENT
    await send(cast, first)
    [session] = await sessions(cast)

    async def note(text: str) -> None:
        (await cast.ada.post(f"{cast.home}/sessions/{session['id']}/notes", {"text": text})).ok()

    await note("Mind the paint.")
    [answer] = await send(cast, prompt)
    assert "> Mind the paint." in answer["note"]
    call = {"tool_name": "bash", "tool_use_id": "c9", "tool_input": {"command": "make"}}
    await note("And the dog.")
    begun, ended = await send(cast, event("tool.execute.before", **call), event("tool.execute.after", **call))
    assert begun == {} and "> And the dog." in ended["note"]
    state = {"state": "stopped", "reason": "Rain"}
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", state)).ok()
    [refused] = await send(cast, event("tool.execute.before", **call | {"tool_use_id": "c10"}))
    assert "is stopped: Rain." in refused["deny"]


@pytest.mark.parametrize(("sent", "title"), [
    (event("session.error", error="MessageAbortedError", event_id="e"), "Its person interrupted it"),
    (event("session.error", error="APIError", event_id="e"), "Stopped with an error"),
    (event("session.compacted", event_id="e"), "Shortened its conversation"),
    (event("question.asked", event_id="e"), "Asks its person a question"),
    (event("lsp.updated"), "lsp.updated"),
])  # fmt: skip
async def test_other_events_are_told_in_words(cast: Cast, sent: dict[str, Any], title: str) -> None:
    await send(cast, sent)
    [session] = await sessions(cast)
    assert [one["title"] for one in await activities(cast, session["id"])] == [title]


async def test_an_end_has_its_reason(cast: Cast) -> None:
    for session, more in (("a", {}), ("b", {"reason": "deleted"}), ("c", {"reason": "helper"})):
        await send(cast, {**SENT[0], "session_id": session}, {**event("session.ended", **more), "session_id": session})
    reasons = {one["external_id"]: one["end_reason"] for one in await sessions(cast)}
    assert reasons["a"] == "The program was closed." and "deleted" in reasons["b"] and "started it" in reasons["c"]


@asynccontextmanager
async def asking(cast: Cast, sent: dict[str, Any]) -> AsyncIterator[Any]:
    """Yield the approval and the request of the plugin that waits."""
    waiting = asyncio.create_task(hook(cast.vega, sent, client="opencode"))

    async def pending() -> Any:
        found = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        return found[0] if found else None

    try:
        yield await until(pending), waiting
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize(("body", "reply"), [
    ({"decision": "approved"}, {"reply": "once"}),
    ({"decision": "rejected", "note": "Use a copy."}, {"reply": "reject", "message": "Use a copy."}),
    ({"decision": "rejected", "stop": True}, {"reply": "reject"}),
])  # fmt: skip
async def test_people_answer_what_it_asks(cast: Cast, body: dict[str, Any], reply: dict[str, Any]) -> None:
    async with asking(cast, ASKED["touch made.txt; ls -1"]) as (approval, waiting):
        request = approval["payload"]["session_request"]
        assert (request["command"], request["cwd"], approval["expires_at"]) == (
            "touch made.txt; ls -1", "/home/mara/shop", None,
        )  # fmt: skip
        assert approval["payload"]["reason"] == "List the files" and "allow-always" not in request["allowed_decisions"]
        (await decide(cast, approval, **body)).ok()
        answer = await waiting
    assert answer["reply"] == reply["reply"] and ("message" in answer) is ("message" in reply)
    assert answer.get("message", "").endswith(reply.get("message", ""))
    assert (await read(cast, approval))["answer_state"] == "sent"


async def test_an_edit_is_shown_as_its_diff_and_the_terminal_asks_as_well(cast: Cast) -> None:
    async with asking(cast, ASKED["edit"]) as (approval, _):
        [need] = (await cast.ada.get("/needs")).ok()["items"]
        assert "-Oil the lock.\n+Wax the lock." in need["exact"]
        assert need["otherwise"]["text"].startswith("The terminal asks as well")
        assert approval["payload"]["session_request"]["path"] == "/home/mara/shop/note.txt"


@pytest.mark.parametrize(("reply", "is_allowed"), [("once", True), ("always", True), ("reject", False)])
async def test_the_keyboard_answers_first(cast: Cast, reply: str, is_allowed: bool) -> None:
    asked = ASKED["touch made.txt; ls -1"]
    async with asking(cast, asked) as (approval, waiting):
        await send(cast, event("permission.replied", permission_id="per_other", reply=reply))
        assert (await read(cast, approval))["status"] == "pending"
        await send(cast, event("permission.replied", permission_id=asked["permission_id"], reply=reply))
        assert await waiting == {}
        now = await read(cast, approval)
        assert (now["status"] == "approved") is is_allowed and "Answered at the keyboard" in now["note"]


async def test_it_asks_again_until_it_is_answered_or_gone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(opencode.PROGRAM, waits=timedelta(milliseconds=50))
    monkeypatch.setitem(PROGRAMS, "opencode", short)
    asked = ASKED["touch made.txt; ls -1"]
    assert await send(cast, asked, asked) == [{}, {}]
    [approval] = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
    await permissions.take_over()
    await permissions.look()
    assert (await read(cast, approval))["status"] == "pending"
    silent = times.clock_now() - permissions.SILENT - timedelta(minutes=1)
    await AgentSession.filter(external_id=SESSION).update(last_seen_at=silent)
    await permissions.look()
    now = await read(cast, approval)
    assert now["status"] != "pending" and permissions.GONE in now["note"]


async def test_rules_of_the_board_know_its_tools(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"call_rules": {"allow": ["Bash(echo *)", "Read"]}})).ok()
    [answer] = await send(cast, ASKED["echo helper"])
    assert answer["reply"] == "once" and "Bash(echo *)" in answer["systemMessage"]
    async with asking(cast, ASKED["read"]) as (approval, _):  # of another folder than its own
        assert "external_directory" in str(approval["payload"])


async def test_the_end_of_its_turn_ends_what_it_asked(cast: Cast) -> None:
    async with asking(cast, ASKED["touch made.txt; ls -1"]) as (approval, waiting):
        await send(cast, event("chat.message", prompt="And more", prompt_id="m2"))
        assert (await read(cast, approval))["status"] == "pending"
        await send(cast, event("session.idle", prompt_id="m1"))
        assert await waiting == {} and (await read(cast, approval))["status"] != "pending"


async def test_words_are_kept_at_the_level_of_all(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(session_detail="all")
    await send(cast, *SENT[:8], SENT[-1])
    [session] = await sessions(cast)
    kept = str(await activities(cast, session["id"]))
    assert "Write the note." in kept and "Everything is done." in kept and "Oil the lock" in kept
