"""Codex's hooks, which a command forwards."""

from typing import Any

import pytest

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Board
from mission_control.runs.hooks import queue as hook_queue
from tests.cast import Cast
from tests.hooks import activities, hook, recorded, sessions, told

pytestmark = pytest.mark.usefixtures("unasked")  # what programs ask: test_permissions.py

HOOKS = recorded("codex-hooks")
FIRST = list(HOOKS.values())[:-1]
ASKING = HOOKS["PermissionRequest:Bash"]
SESSION = FIRST[0]["session_id"]
AT_NAMES = [
    ("ACTIVITY", "Opened the program", None),
    ("RUN_STARTED", "Began a turn", None),
    ("TOOL_CALL_START", "Running touch", None),
    ("TOOL_CALL_END", "Ran touch", None),
    ("RUN_FINISHED", "Finished a turn", None),
]


async def test_a_recorded_session_is_on_the_board_once(cast: Cast) -> None:
    for _ in range(2):
        for one in FIRST[:-1]:
            assert await hook(cast.vega, one, client="codex") == {}
        await hook_queue.write()
    assert await hook(cast.vega, FIRST[-1], client="codex") == {}
    await hook_queue.write()
    [session] = await sessions(cast)
    assert told(await activities(cast, session["id"])) == AT_NAMES
    assert (session["client"], session["external_id"], session["model"], session["mode"], session["state"]) == (
        "codex", SESSION, "fake", "bypassPermissions", "ended",
    )  # fmt: skip
    assert (session["input_tokens"], session["cached_tokens"], session["output_tokens"]) == (1200, 200, 50)
    assert [one.key async for one in UsageEntry.all()] == ["cx:resp_1795887781706180228"]


@pytest.mark.parametrize(("status", "output", "state"), [
    ("completed", "read-only file system", "ok"),
    ("failed", "", "failed"),
    ("declined", "", "refused"),
    ("", "touch: cannot touch '/opt/x': Read-only file system", "failed"),
    ("", "error building bubblewrap command", "failed"),
    ("", "done", None),
    (["completed"], "done", None),
])  # fmt: skip
async def test_how_a_call_ended(cast: Cast, status: object, output: str, state: str | None) -> None:
    call = HOOKS["PostToolUse:Bash"]
    await hook(cast.vega, {"call_status": status, **call, "tool_response": output}, client="codex")
    await hook_queue.write()
    [session] = await sessions(cast)
    title = "Ran touch" if state in ("ok", None) else f"Ran touch, {state}"
    assert told(await activities(cast, session["id"])) == [("TOOL_CALL_END", title, state)]


async def test_steered_text_and_interruptions(cast: Cast) -> None:
    prompt = HOOKS["UserPromptSubmit"]
    for one in (prompt, {**prompt, "prompt": "Faster."}, {**ASKING, "session_id": SESSION}):
        await hook(cast.vega, one, client="codex")
    await hook_queue.write()
    assert [one["state"] for one in await sessions(cast)] == ["waiting"]
    await hook(cast.vega, {**prompt, "hook_event_name": "Interrupt"}, client="codex")
    await hook_queue.write()
    [session] = await sessions(cast)
    assert session["state"] == "idle"
    assert [one["title"] for one in await activities(cast, session["id"])] == [
        "Began a turn", "Began a turn", "Asks to use Bash: touch", "Its person interrupted it",
    ]  # fmt: skip


async def test_a_budget_that_is_used_up_refuses_the_next_call(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(session_detail="commands")
    for one in FIRST[:-1]:
        assert await hook(cast.vega, one, client="codex") == {}
    await hook_queue.write()
    (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, "agent_id": str(cast.vega.id)})).ok()
    (await cast.vega.post("/agent/usage", {"input_tokens": 200})).ok()
    said = await hook(cast.vega, {**HOOKS["PreToolUse:Bash"], "tool_use_id": "c2"}, client="codex")
    assert said["hookSpecificOutput"]["permissionDecision"] == "deny"
    await hook_queue.write()
    [session] = await sessions(cast)
    titles = [one["title"] for one in await activities(cast, session["id"])]
    assert titles[3:5] == ["Ran touch made.txt && ls -1", "Finished a turn"] and session["input_tokens"] == 1200


async def test_a_request_that_failed_is_an_error(cast: Cast) -> None:
    failed: dict[str, Any] = {**HOOKS["PostModelRequest"], "error": "zq9 overloaded", "token_usage": None}
    await hook(cast.vega, failed, client="codex")
    await hook_queue.write()
    [session] = await sessions(cast)
    [error] = await activities(cast, session["id"])
    assert (error["kind"], error["state"], error["title"]) == ("RUN_ERROR", "failed", "Stopped with an error")
    assert "zq9" not in str(error) and "zq9" not in str(session)
