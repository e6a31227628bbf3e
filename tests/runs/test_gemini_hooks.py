"""Gemini CLI's hooks, forwarded by a command, and its telemetry: recorded sessions on the board, told once."""

import base64
import json
from typing import Any

import pytest

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Board
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.sessions.queries import ActivityRead
from mission_control.runs.sessions.view import acts_of
from tests.cast import Cast
from tests.hooks import activities, hook, recorded, sessions, told
from tests.visitor import visitor

HOOKS = recorded("gemini-hooks")
OTLP = recorded("gemini-otlp")
SESSION = HOOKS["SessionStart"]["session_id"]
COMMAND = HOOKS["BeforeTool:run_shell_command"], HOOKS["AfterTool:run_shell_command"]
NAMES = [
    ("ACTIVITY", "Opened the program", None),
    ("RUN_STARTED", "Began a turn", None),
    ("ACTIVITY", "Took up another topic", None),
    ("TOOL_CALL_START", "Running touch", None),
    ("ACTIVITY", "Waits for an answer at the keyboard: touch", None),
    ("TOOL_CALL_END", "Ran touch", "ok"),
    ("TOOL_CALL_START", "Running false", None),
    ("TOOL_CALL_END", "Ran false, failed", "failed"),
    ("TOOL_CALL_START", "Writing note.txt", None),
    ("ACTIVITY", "Waits for an answer at the keyboard: note.txt", None),
    ("TOOL_CALL_END", "Wrote note.txt", "ok"),
    ("TOOL_CALL_START", "Reading nothere.txt", None),
    ("TOOL_CALL_END", "Read nothere.txt, failed", "failed"),
    ("RUN_FINISHED", "Finished a turn", None),
]


async def send(cast: Cast, *events: dict[str, Any]) -> list[Any]:
    answers = [await hook(cast.vega, one, client="gemini") for one in events]
    await hook_queue.write()
    return answers


def exported(*records: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": OTLP["resource"], "scopeLogs": [{"logRecords": list(records)}]}]}


async def test_a_recorded_session_is_on_the_board_once(cast: Cast) -> None:
    *events, ended = HOOKS.values()
    for _ in range(2):
        assert await send(cast, *events) == [{}] * len(events)
    assert await send(cast, ended, {**ended, "timestamp": "2026-11-28T17:39:34.000Z"}) == [{}, {}]
    [session] = await sessions(cast)
    assert told(await activities(cast, session["id"])) == NAMES
    assert (session["client"], session["external_id"], session["state"]) == ("gemini", SESSION, "ended")


async def test_the_end_of_a_session_that_did_nothing_is_none(cast: Cast) -> None:
    """As a client of ACP it ends the session of its process, which is not the one that it had."""
    (await cast.vega.post("/connect/otlp/v1/logs", exported(OTLP["logs"]["gemini_cli.config"]))).ok()
    await send(cast, HOOKS["SessionEnd"])
    assert await sessions(cast) == []
    await send(cast, HOOKS["SessionStart"])
    assert [(one["mode"], one["state"]) for one in await sessions(cast)] == [("yolo", "idle")]


@pytest.mark.parametrize("name", ["Notification:exec", "Notification:edit"])
async def test_it_waits_at_its_keyboard(cast: Cast, name: str) -> None:
    await send(cast, COMMAND[0], HOOKS[name])
    [session] = await sessions(cast)
    assert session["state"] == "waiting"
    ada, path = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/sessions/{session['id']}"
    (await ada.get(path)).has("run it by “work” to answer them here")
    await send(cast, COMMAND[1])
    (await ada.get(path)).lacks("run it by “work”")
    assert [one["state"] for one in await sessions(cast)] == ["working"]


async def test_the_same_call_twice_is_two_calls(cast: Cast) -> None:
    before, after = COMMAND
    for second in range(3):
        await send(cast, *({**one, "timestamp": f"2026-11-28T17:40:0{second}Z"} for one in (before, after)))
    [session] = await sessions(cast)
    read = [ActivityRead.model_validate(one) for one in await activities(cast, session["id"])]
    assert ["".join(part.text for part in one.title) for one in acts_of(read)] == ["Ran touch"] * 3


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("Output: (empty)\nSignal: 9\nProcess Group PGID: 7\n</untrusted_context>", "failed"),
        (f"Output: {'x' * 9_000}\nExit Code: 1\nProcess Group PGID: 7\n</untrusted_context>", "failed"),
        (f"Output: Exit Code: 1\nExit Code: 1\n{'x\n' * 9}Process Group PGID: 7\n</untrusted_context>", "ok"),
    ],
    ids=["by a signal", "after much output", "in its output alone"],
)
async def test_how_a_command_ended_stands_below_its_output(cast: Cast, said: str, state: str) -> None:
    await send(cast, {**COMMAND[1], "tool_response": {"llmContent": said}})
    [session] = await sessions(cast)
    assert [one["state"] for one in await activities(cast, session["id"])] == [state]


async def test_notes_and_stops(cast: Cast) -> None:
    await send(cast, HOOKS["BeforeAgent"])
    [session] = await sessions(cast)
    for name in ("AfterTool:run_shell_command", "AfterAgent"):
        (await cast.ada.post(f"{cast.home}/sessions/{session['id']}/notes", {"text": "Mind the paint."})).ok()
        [answer] = await send(cast, HOOKS[name])
        if name == "AfterAgent":
            assert answer["decision"] == "block" and "> Mind the paint." in answer["reason"]
        else:
            said = answer["hookSpecificOutput"]
            assert said["hookEventName"] == "AfterTool" and "> Mind the paint." in said["additionalContext"]
    (await cast.ada.post(f"{cast.home}/sessions/{session['id']}/notes", {"text": "Wait."})).ok()
    again = {**HOOKS["AfterAgent"], "stop_hook_active": True, "timestamp": "2026-11-28T17:40:00Z"}
    assert await send(cast, again) == [{}]
    stop = {"state": "stopped", "reason": "Rain"}
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", json=stop)).ok()
    for second in range(2):
        [answer] = await send(cast, {**COMMAND[0], "timestamp": f"2026-11-28T17:41:0{second}Z"})
        assert answer["decision"] == "deny" and "is stopped: Rain." in answer["reason"]
    items = told(await activities(cast, session["id"]))
    assert items.count(("TOOL_CALL_END", "Ran touch, refused", "refused")) == 2


async def test_requests_to_its_models_count_once(cast: Cast) -> None:
    await send(cast, HOOKS["SessionStart"])
    for _ in range(2):
        (await cast.vega.post("/connect/otlp/v1/logs", exported(*OTLP["logs"].values()))).ok()
        await hook_queue.write()
    [session] = await sessions(cast)
    assert (session["input_tokens"], session["cached_tokens"], session["output_tokens"]) == (2400, 400, 114)
    assert (session["model"], session["mode"], session["client_version"]) == ("fake", "yolo", None)
    assert {str(one.key)[:3] async for one in UsageEntry.all()} == {"gm:"}


async def test_the_token_may_be_in_the_address_of_telemetry_alone(cast: Cast) -> None:
    async def sent(path: str, password: str) -> int:
        given = base64.b64encode(f"agent:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {given}", "Content-Type": "application/json"}
        body = json.dumps(exported(OTLP["logs"]["gemini_cli.api_response"]))
        client = cast.app.test_client()
        return (await client.post(f"/api/v1{path}", headers=headers, data=body)).status_code

    token = cast.vega.secret
    assert await sent("/connect/otlp/v1/logs", token) == 200
    await hook_queue.write()
    assert [one["input_tokens"] for one in await sessions(cast)] == [1200]
    assert await sent("/connect/otlp/v1/logs", f"{token}x") == 401
    assert await sent("/connect/gemini/hooks", token) == 401
    assert await sent("/agent/heartbeat", token) == 401


async def test_what_is_kept_by_level(cast: Cast) -> None:
    for level in ("commands", "all"):
        await Board.filter(id=cast.board.id).update(session_detail=level)
        await send(cast, *({**one, "session_id": level} for one in HOOKS.values()))
    by_level = {one["external_id"]: await activities(cast, one["id"]) for one in await sessions(cast)}
    commands = [title for _, title, _ in told(by_level["commands"])]
    seen = {"Researching", "Ran touch made-noted.txt", "Waits for an answer at the keyboard: note.txt"}
    assert seen <= set(commands)
    assert "Everything is done." not in str(by_level["commands"]) and "Write the note." not in str(by_level["commands"])
    everything = str(by_level["all"])
    assert "Write the note." in everything and "Everything is done." in everything and "Exit Code: 1" in everything
    assert "This is the Gemini CLI" not in everything  # the conversation, which BeforeModel has
