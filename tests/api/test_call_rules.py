"""Rules of a board for the calls of programs: what runs without asking, what asks, and that nothing else passes."""

from typing import Any

import pytest

from mission_control.runs import hook_queue
from tests.api.test_permissions import asking, decide, decision_of, request, until
from tests.cast import Cast
from tests.hooks import activities, called, event, hook, hooks, sessions, told

STATUS = {"command": "git status --short", "description": "Look"}


async def rule(cast: Cast, **rules: list[str]) -> None:
    (await cast.ada.patch(cast.home, {"call_rules": rules})).ok()


async def test_a_rule_allows_a_call_and_is_named(cast: Cast) -> None:
    await rule(cast, allow=["Bash(git status *)"])
    [_, answer] = await hooks(cast.vega, event("UserPromptSubmit", prompt="Look."), request(given=STATUS))
    assert decision_of(answer) == {"behavior": "allow"}
    assert answer["systemMessage"] == f"Allowed by the rule Bash(git status *) of the board “{cast.board.name}”."
    [session] = await sessions(cast)
    assert session["state"] == "working"
    title = "Allowed by a rule of the board: Bash(git status *)"
    last = (await activities(cast, session["id"]))[-1]
    assert (last["title"], last["detail"]["rule"]) == (title, "Bash(git status *)")
    assert (await cast.ada.get(cast.approvals)).ok()["items"] == []


@pytest.mark.parametrize(
    ("rules", "command"),
    [
        ({"allow": ["Bash(git status *)"]}, "git status; rm notes"),
        ({"allow": ["Bash(git *)"], "ask": ["Bash(git push *)"]}, "git push"),
        ({"allow": ["Bash(git *)", "Bash(make)"], "ask": ["Bash(git push *)"]}, "git commit -m 'git push'"),
        ({"allow": ["Bash(git *)"]}, "git push --force origin main"),  # of high risk
        ({"allow": ["Bash(git *)"]}, f"git commit -m '{'x' * 20_001}'"),  # too long to be shown
        ({}, "git status"),
    ],
)
@pytest.mark.usefixtures("unasked")
async def test_what_no_rule_allows_is_left_to_people(cast: Cast, rules: dict[str, list[str]], command: str) -> None:
    await rule(cast, **rules)
    assert await hooks(cast.vega, request(given={"command": command})) == [{}]
    [session] = await sessions(cast)
    assert session["state"] == "waiting"


async def test_an_exact_rule_allows_what_looks_dangerous(cast: Cast) -> None:
    command = "git push --force origin pages"
    await rule(cast, allow=["Bash(git push *)", f"Bash({command})"])
    [answer] = await hooks(cast.vega, request(given={"command": command}))
    assert answer["systemMessage"].startswith(f"Allowed by the rule Bash({command})")


async def test_people_still_answer_what_a_rule_does_not_cover(cast: Cast) -> None:
    await rule(cast, allow=["Bash(git status *)"])
    async with asking(cast, request(given={"command": "git status && rm notes"})) as (approval, waiting):
        (await decide(cast, approval, decision="approved", substance=approval["substance"])).ok()
        assert decision_of(await waiting) == {"behavior": "allow"}


async def test_a_rule_has_claude_code_ask_before_the_call(cast: Cast) -> None:
    await rule(cast, ask=["Bash(git push *)", "mcp__shop__*"])
    quiet, pushed, ordered = await hooks(
        cast.vega,
        called("PreToolUse", "Bash", "1", command="git status"),
        called("PreToolUse", "Bash", "2", command="make && git push"),
        called("PreToolUse", "mcp__shop__order", "3", what="tea"),
    )
    assert quiet == {}
    said = f"The rule Bash(git push *) of the board “{cast.board.name}” has people asked before this."
    asks = {"hookEventName": "PreToolUse", "permissionDecision": "ask", "permissionDecisionReason": said}
    assert pushed["hookSpecificOutput"] == asks
    assert ordered["hookSpecificOutput"]["permissionDecision"] == "ask"


async def test_codex_is_allowed_by_rules_and_cannot_be_made_to_ask(cast: Cast) -> None:
    await rule(cast, allow=["Bash(git status *)"], ask=["Bash(git push *)"])
    common = {"session_id": "c1", "turn_id": "t1", "cwd": "/home/mara/shop", "model": "gpt", "tool_name": "Bash"}
    asked = {**common, "hook_event_name": "PermissionRequest", "tool_input": STATUS}
    answer = await hook(cast.vega, asked, client="codex")
    assert decision_of(answer) == {"behavior": "allow"}
    before = {**common, "hook_event_name": "PreToolUse", "tool_input": {"command": "git push"}, "tool_use_id": "u1"}
    assert await hook(cast.vega, before, client="codex") == {}
    await hook_queue.write()
    [session] = await sessions(cast)
    assert ("ACTIVITY", "Allowed by a rule of the board: Bash(git status *)", None) in told(
        await activities(cast, session["id"])
    )


@pytest.mark.parametrize("seconds", [0, 1])
async def test_codex_waits_as_long_as_the_board_says(cast: Cast, seconds: int) -> None:
    (await cast.ada.patch(cast.home, {"codex_wait_seconds": seconds})).ok()
    common = {"session_id": "c1", "turn_id": "t1", "cwd": "/home/mara/shop", "model": "gpt", "tool_name": "Bash"}
    asked = {**common, "hook_event_name": "PermissionRequest", "tool_input": {"command": "make deploy"}}
    assert await hook(cast.vega, asked, client="codex") == {}
    found = (await cast.ada.get(cast.approvals)).ok()["items"]
    assert [one["status"] for one in found] == ["rejected"] * seconds


async def test_rules_are_the_peoples_and_have_a_history(cast: Cast) -> None:
    rules = {"allow": ["Bash(git status *)", " WebFetch", "WebFetch"], "ask": []}
    board = (await cast.ada.patch(cast.home, {"call_rules": rules})).ok()
    assert board["call_rules"] == {"allow": ["Bash(git status *)", "WebFetch"], "ask": []}
    for agent in (cast.vega, cast.atlas):
        (await agent.patch(cast.home, {"call_rules": None})).refused(401)
    (await cast.eve.patch(cast.home, {"call_rules": None})).refused(404)
    assert (await cast.ada.patch(cast.home, {"call_rules": {"allow": [], "ask": []}})).ok()["call_rules"] is None


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        ({"allow": ["Bash(*)"]}, ["allow", 0]),
        ({"ask": ["Edit(src/**)"]}, ["ask", 0]),
        ({"allow": ["WebFetch"] * 101}, ["allow"]),
        ({"deny": []}, ["deny"]),
    ],
)
async def test_rules_that_cannot_be_read_are_refused(cast: Cast, rules: dict[str, Any], where: list[Any]) -> None:
    refused = (await cast.ada.patch(cast.home, {"call_rules": rules})).refused(422)
    assert refused[0]["loc"] == ["body", "call_rules", *where]


async def test_a_file_of_a_board_has_no_rules(cast: Cast) -> None:
    await rule(cast, allow=["WebFetch"])
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert "call_rules" not in file["board"] and file["board"]["codex_wait_seconds"] == 45


async def test_a_request_finds_the_rules_of_its_moment(cast: Cast) -> None:
    """A rule that is made while people are asked does not answer for them; the next call is allowed by it."""
    async with asking(cast, request(given=STATUS)) as (_, waiting):
        await rule(cast, allow=["Bash(git status *)"])
        assert not waiting.done()

    async def gone() -> bool | None:
        found = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        return None if found else True

    await until(gone)
    [answer] = await hooks(cast.vega, request(given=STATUS))
    assert decision_of(answer) == {"behavior": "allow"}
