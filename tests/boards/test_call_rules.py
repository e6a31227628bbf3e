"""Rules of a board for the calls of programs: what runs without asking, what asks, and that nothing else passes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Connection
from mission_control.core import times
from mission_control.people.models import Token
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.permissions import requests as permissions
from tests.cast import Caller, Cast
from tests.hooks import Event, activities, called, event, hook, hooks, sessions, told
from tests.runs.test_permissions import asking, decide, decision_of, request, until

pytestmark = pytest.mark.dialect

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


@pytest.mark.parametrize(("rules", "command"), [
    ({"allow": ["Bash(git status *)"]}, "git status; rm notes"),
    ({"allow": ["Bash(git *)"], "ask": ["Bash(git push *)"]}, "git push"),
    ({"allow": ["Bash(git *)", "Bash(make)"], "ask": ["Bash(git push *)"]}, "git -C . push"),
    ({"allow": ["Bash(git push origin)"], "ask": ["Bash(git push *)"]}, "git push origin"),
    ({"allow": ["Bash(git *)"]}, "git push --force origin main"),  # of high risk
    ({"allow": ["Bash(git *)"]}, f"git commit -m '{'x' * 20_001}'"),  # too long to be shown
    ({}, "git status"),
])  # fmt: skip
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
    assert board["call_rules"] == {"allow": ["Bash(git status *)", "WebFetch"], "ask": [], "must": []}
    for agent in (cast.vega, cast.atlas):
        (await agent.patch(cast.home, {"call_rules": None})).refused(401)
    # A rule answers for everybody: whoever only works on the board makes none, nor takes one away.
    for change in (None, {"allow": ["Bash(curl *)"]}):
        assert "Only owners and admins" in str((await cast.cleo.patch(cast.home, {"call_rules": change})).refused(403))
    assert (await cast.ada.patch(cast.home, {"call_rules": {"allow": [], "ask": []}})).ok()["call_rules"] is None


@pytest.mark.parametrize(("rules", "where"), [
    ({"allow": ["Bash(*)"]}, ["allow", 0]),
    ({"ask": ["Edit(src/**)"]}, ["ask", 0]),
    ({"allow": ["WebFetch"] * 101}, ["allow"]),
    ({"deny": []}, ["deny"]),
])  # fmt: skip
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


PUSH = {"command": "git push origin main", "description": "Publish"}
MUST = "Bash(git push *)"


async def holding(agent: Caller, sent: Event, client: str = "claude-code") -> Any:
    """The answer to a call that a program holds."""
    return (await agent.post(f"/connect/{client}/hooks", sent, headers={"X-Holds": "yes"})).ok()


def decided(answer: Any) -> tuple[str, str]:
    said = answer["hookSpecificOutput"]
    assert said["hookEventName"] == "PreToolUse"
    return said["permissionDecision"], said["permissionDecisionReason"]


@pytest.mark.parametrize(("body", "decision", "words"), [
    ({"decision": "approved"}, "allow", "Cleo allowed this on the board"),
    ({"decision": "rejected", "note": "On Monday."}, "deny", ": On Monday."),
])  # fmt: skip
@pytest.mark.parametrize("client", ["claude-code", "codex"])
async def test_a_held_call_waits_for_a_person(
    cast: Cast, client: str, body: dict[str, str], decision: str, words: str
) -> None:
    await rule(cast, allow=["Bash(git *)"], must=[MUST])
    held = asyncio.create_task(holding(cast.vega, called("PreToolUse", "Bash", "1", **PUSH), client))

    async def pending() -> Any:
        return ((await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"] or [None])[0]

    approval = await until(pending)
    asked = approval["payload"]["session_request"]
    assert (asked["command"], asked["is_held"], asked["allowed_decisions"]) == (
        PUSH["command"],
        True,
        ["allow-once", "deny"],
    )
    [session] = await sessions(cast)
    assert session["state"] == "waiting"
    assert "Needs a yes on the board" in [one["title"] for one in await activities(cast, session["id"])]
    needs = (await cast.ada.get("/needs")).ok()["items"]
    [need] = [one for one in needs if one["id"].endswith(approval["id"])]
    assert need["otherwise"]["text"].startswith("Without a yes it is refused.")
    (await decide(cast, approval, substance=approval["substance"], **body)).ok()
    said = decided(await held)
    assert said[0] == decision and words in said[1]
    await hook_queue.write()
    [session] = await sessions(cast)
    last = (await activities(cast, session["id"]))[-1]["title"]
    shown = {"allow": "Allowed by Cleo, running", "deny": "Denied by Cleo"}
    assert (session["state"], last) == ("working", shown[decision])


@pytest.mark.parametrize(("ends", "is_over"), [("PostToolUse", False), ("Stop", True)])
async def test_what_its_program_tells_answers_no_held_call(cast: Cast, ends: str, *, is_over: bool) -> None:
    await rule(cast, must=[MUST])
    held = asyncio.create_task(holding(cast.vega, called("PreToolUse", "Bash", "1", **PUSH)))

    async def pending() -> Any:
        return ((await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"] or [None])[0]

    approval = await until(pending)
    await hook(cast.vega, called("PostToolUse", "Bash", "1", **PUSH) if ends == "PostToolUse" else event(ends))
    now = (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()
    if is_over:
        assert (now["status"], now["note"]) == ("rejected", "The turn that asked this is over. It was refused.")
    else:
        assert now["status"] == "pending"
        (await decide(cast, approval, decision="rejected", substance=approval["substance"])).ok()
    assert decided(await held)[0] == "deny"


async def test_a_held_call_without_a_yes_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "HELD", timedelta(milliseconds=200))
    decision, words = decided(await holding(cast.vega, called("PreToolUse", "Bash", "1", **PUSH)))
    assert decision == "deny" and "nobody gave one" in words
    [one] = (await cast.ada.get(cast.approvals)).ok()["items"]
    assert (one["status"], one["note"]) == ("rejected", "Nobody decided in time. It was refused.")


@pytest.mark.parametrize("sent", [
    {"session_id": "s"},
    {**called("PreToolUse", "Bash", "1", **PUSH), "session_id": ""},
    event("Stop"),
    called("PreToolUse", "Bash", "1", command="x" * 20_001),
])  # fmt: skip
async def test_what_cannot_be_held_is_never_let_go(cast: Cast, sent: Event) -> None:
    answer = await cast.vega.post("/connect/claude-code/hooks", sent, headers={"X-Holds": "yes"})
    assert answer.status == 404 or decided(answer.ok())[0] == "deny"


async def test_a_call_that_needs_a_yes_is_not_let_go_by_a_program_that_does_not_hold_it(cast: Cast) -> None:
    await rule(cast, allow=["Bash(git *)"], must=[MUST])
    before = called("PreToolUse", "Bash", "1", command="cd shop && git push")
    assert decided((await hooks(cast.vega, before))[0])[0] == "ask"
    codex = {**before, "turn_id": "t1", "model": "gpt"}
    decision, words = decided(await hook(cast.vega, codex, client="codex"))
    assert decision == "deny" and f"By the rule {MUST}" in words
    async with asking(cast, request(given={"command": "git push"})) as (approval, _):
        assert approval["payload"]["session_request"]["is_held"] is False


async def test_a_call_that_is_held_is_left_to_that(cast: Cast) -> None:
    await rule(cast, must=[MUST])
    await Token.filter(agent_id=cast.vega.id).update(connection_id=(made := await connection(cast)).id)
    await made.update_from_dict({"must": [MUST]}).save()
    assert await hook(cast.vega, called("PreToolUse", "Bash", "1", **PUSH)) == {}
    await rule(cast, must=[MUST, "Bash(rm *)"])
    assert decided(await hook(cast.vega, called("PreToolUse", "Bash", "2", command="rm x")))[0] == "ask"


async def connection(cast: Cast, client: str = "claude-code") -> Connection:
    made: Connection = await Connection.create(
        organization_id=cast.organization.id,
        board_id=cast.board.id,
        agent_id=cast.vega.id,
        user_id=cast.ada.id,
        client=client,
    )
    return made


@pytest.mark.parametrize("client", ["opencode", "gemini"])
async def test_a_yes_is_not_demanded_of_programs_that_cannot_be_held(cast: Cast, client: str) -> None:
    made = await connection(cast, client)
    later = times.clock_now() + timedelta(days=1)
    await Token.filter(agent_id=cast.vega.id).update(connection_id=made.id, expires_at=later)
    refused = (await cast.ada.patch(cast.home, {"call_rules": {"must": [MUST]}})).refused(422)
    assert "cannot be held" in str(refused)
    await rule(cast, ask=[MUST])
    await made.update_from_dict({"ended_at": times.clock_now()}).save()
    await rule(cast, must=[MUST])
