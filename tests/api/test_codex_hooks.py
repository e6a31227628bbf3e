"""Codex's hooks, forwarded by a command over HTTP, or by the tool `hook` over MCP, which no model sees."""

import json
from typing import Any

import pytest
from mcp_types import TextContent

from mission_control.agents.models import UsageEntry
from mission_control.boards.models import Board
from mission_control.runs import hook_queue
from tests.cast import Cast
from tests.hooks import activities, hook, recorded, sessions, told
from tests.mcp.clients import Tools, connected

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


async def answer(agent: Tools, given: dict[str, Any]) -> Any:
    """What the only text of an answer says, which is what the program reads."""
    result = await agent.call("hook", client="codex", **given)
    [part] = result.content
    assert isinstance(part, TextContent) and not result.is_error
    return json.loads(part.text)


@pytest.mark.parametrize("is_text", [False, True])
async def test_the_tool_hook_takes_events_and_is_listed_for_nobody(cast: Cast, is_text: bool) -> None:
    await Board.filter(id=cast.board.id).update(session_detail="commands")
    async with connected(cast.vega) as vega:
        assert "hook" not in await vega.names()
        for one in FIRST[:-1]:
            given = {**one, "missing": ""}
            if is_text:
                given |= {name: json.dumps(value) for name, value in one.items() if isinstance(value, dict)}
            assert await answer(vega, given) == {}
        await hook_queue.write()
        (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, "agent_id": str(cast.vega.id)})).ok()
        (await cast.vega.post("/agent/usage", {"input_tokens": 200})).ok()
        said = await answer(vega, {**HOOKS["PreToolUse:Bash"], "tool_use_id": "c2"})
        assert said["hookSpecificOutput"]["permissionDecision"] == "deny"
        assert (await vega.call("hook", client="nothing")).is_error
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
