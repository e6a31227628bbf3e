"""What programs ask a permission for: people decide on the board, or who sits at the program; the first counts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mission_control.approvals.commands import save_request
from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.core.programs import PROGRAMS
from mission_control.events import wakeup_channels
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.permissions import requests as permissions
from mission_control.runs.programs import claude_code
from tests.cast import Caller, Cast, kinds
from tests.hooks import SESSION, activities, called, event, hook, hooks, sessions
from tests.mcp.clients import connected

pytestmark = pytest.mark.dialect

COMMAND = 'psql "$SHOP_DB" -c "CREATE INDEX page_price ON page (price)"'
GIVEN = {"command": COMMAND, "description": "It takes 2 ms then."}


def request(tool: str = "Bash", given: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    suggestions = [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]
    more = {"permission_suggestions": suggestions, **fields}
    return event("PermissionRequest", tool_name=tool, tool_input=given or GIVEN, **more)


async def until[T](found: Callable[[], Awaitable[T | None]]) -> T:
    for _ in range(400):
        if (one := await found()) is not None:
            return one
        await asyncio.sleep(0.01)
    raise AssertionError("It did not happen.")


@asynccontextmanager
async def asking(cast: Cast, *sent: dict[str, Any], agent: Caller | None = None) -> AsyncIterator[Any]:
    """Yield the approval and the request of a program that waits; with several, those of the last."""
    waiting = [asyncio.create_task(hook(agent or cast.vega, one)) for one in sent or (request(),)]

    async def pending() -> Any:
        found = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        return found[0] if found else None

    try:
        yield await until(pending), waiting[-1]
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def decide(cast: Cast, approval: dict[str, Any], **body: Any) -> Any:
    return await cast.cleo.post(f"{cast.approvals}/{approval['id']}/decisions", body)


async def read(cast: Cast, approval: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()
    return found


def decision_of(answer: Any) -> dict[str, Any]:
    said: dict[str, Any] = answer["hookSpecificOutput"]
    assert said["hookEventName"] == "PermissionRequest"
    decision: dict[str, Any] = said["decision"]
    return decision


async def test_a_program_waits_for_the_second_person_where_the_board_says_so(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    async with asking(cast) as (approval, waiting):
        assert approval["approvals_needed"] == 1
        (await cast.ben.post(f"{cast.approvals}/{approval['id']}/decisions", {"decision": "approved"})).ok()
        assert decision_of(await waiting)["behavior"] == "allow"
    (await cast.ada.patch(cast.home, {"programs_need_quorum": True})).ok()
    async with asking(cast, request(tool_use_id="2")) as (approval, waiting):
        path = f"{cast.approvals}/{approval['id']}/decisions"
        first = (await cast.ben.post(path, {"decision": "approved"})).ok()
        assert (first["status"], first["approvals_missing"], waiting.done()) == ("pending", 1, False)
        (await cast.cleo.post(path, {"decision": "approved"})).ok()
        assert decision_of(await waiting)["behavior"] == "allow"


async def test_a_request_is_allowed_from_the_board(cast: Cast) -> None:
    async with asking(cast) as (approval, waiting):
        [session] = await sessions(cast)
        asked = approval["payload"]["session_request"]
        assert (approval["action_type"], approval["session_id"]) == ("session.exec", session["id"])
        assert approval["agent_id"] == str(cast.vega.id) and approval["gateway_id"] is None
        assert (asked["command"], asked["cwd"], asked["risk"]) == (COMMAND, "/home/mara/shop", "medium")
        assert approval["payload"]["reason"] == "It takes 2 ms then." and session["state"] == "waiting"
        assert not waiting.done()
        (await decide(cast, approval, decision="approved", substance=approval["substance"])).ok()
        assert decision_of(await waiting) == {"behavior": "allow"}
        now = await read(cast, approval)
        assert (now["status"], now["answer_state"], now["resolved_by"]["name"]) == ("approved", "sent", "Cleo")


@pytest.mark.parametrize(("body", "expected"), [
    ({"decision": "rejected", "note": "Use a copy."}, {"message": ": Use a copy."}),
    ({"decision": "changes_requested", "note": "Use a copy."}, {"message": ": Use a copy."}),
    ({"decision": "rejected"}, {"message": "."}),
    ({"decision": "rejected", "stop": True}, {"message": ".", "interrupt": True}),
])  # fmt: skip
async def test_a_request_is_denied_with_words(cast: Cast, body: dict[str, Any], expected: dict[str, Any]) -> None:
    async with asking(cast) as (approval, waiting):
        (await decide(cast, approval, **body)).ok()
        said = f"Cleo denied this on the board “{cast.board.name}”{expected['message']}"
        assert decision_of(await waiting) == {"behavior": "deny", **expected, "message": said}
        assert (await read(cast, approval))["answer_state"] == "sent"


async def test_exactly_this_is_allowed_for_the_session(cast: Cast) -> None:
    given = {"command": "make test"}
    async with asking(cast, request(given=given)) as (approval, waiting):
        assert "allow-always" in approval["payload"]["session_request"]["allowed_decisions"]
        (await decide(cast, approval, decision="approved", always=True)).ok()
        [rules] = decision_of(await waiting)["updatedPermissions"]
        assert rules["rules"] == [{"toolName": "Bash", "ruleContent": "make test"}]
        assert (rules["type"], rules["destination"], rules["behavior"]) == ("addRules", "session", "allow")


@pytest.mark.parametrize("command", ["rm -rf ./uploads", "ls *.py", "make (x)", "a\nb", "git push --force"])
async def test_no_standing_yes_for_what_is_dangerous_or_a_pattern(cast: Cast, command: str) -> None:
    async with asking(cast, request(given={"command": command})) as (approval, waiting):
        assert "one time" in (await decide(cast, approval, decision="approved", always=True)).refused(422)
        assert not waiting.done()


async def test_the_keyboard_answers_first(cast: Cast) -> None:
    await hooks(cast.vega, event("UserPromptSubmit", prompt="Go"), called("PreToolUse", "Bash", "1", **GIVEN))
    async with asking(cast) as (approval, waiting):
        await hooks(cast.vega, called("PostToolUse", "Bash", "9", command="ls"))
        assert not waiting.done()
        await hooks(cast.vega, called("PostToolUse", "Bash", "1", **GIVEN))
        assert await waiting == {}
        now = await read(cast, approval)
        assert (now["status"], now["note"]) == ("approved", "Answered at the keyboard: allowed.")
        assert now["resolved_by_name"] == "Somebody at the keyboard" and now["answer_state"] is None
        why = (await decide(cast, approval, decision="rejected")).refused(409)
        assert "Somebody at the keyboard approved this" in why
        assert "approval.ended_at_program" in [kind for kind, _ in await kinds(cast, 0)]


@pytest.mark.parametrize(
    "sent",
    [event("UserPromptSubmit", prompt="No, wait", prompt_id="p2"), event("Stop"), event("SessionEnd", reason="other")],
)
async def test_a_turn_that_is_over_asks_nothing(cast: Cast, sent: dict[str, Any]) -> None:
    async with asking(cast) as (approval, waiting):
        told = event("UserPromptSubmit", prompt="<task-notification>done</task-notification>")
        await hooks(cast.vega, told, {**called("PostToolUse", "Bash", "1", **GIVEN), "agent_id": "a1"})
        assert not waiting.done()
        await hooks(cast.vega, sent)
        assert await waiting == {}
        assert (await read(cast, approval))["decision"] == "closed"
        why = (await decide(cast, approval, decision="approved")).refused(409)
        assert "Answered at the keyboard: decided." in why


async def test_nothing_is_allowed_by_waiting(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(claude_code.PROGRAM, waits=timedelta(milliseconds=300))
    monkeypatch.setitem(PROGRAMS, "claude-code", short)
    async with asking(cast) as (approval, waiting):
        assert await waiting == {}
        now = await read(cast, approval)
        assert (now["status"], now["decision"]) == ("rejected", "closed")
        assert now["note"] == "Nobody decided in time. It is asked at the keyboard."
        (await decide(cast, approval, decision="approved")).refused(409)


async def test_a_client_that_leaves_is_asked_at_its_keyboard(cast: Cast) -> None:
    async with asking(cast) as (approval, waiting):
        waiting.cancel()

        async def ended() -> Any:
            return now if (now := await read(cast, approval))["decision"] == "closed" else None

        assert "no longer waits for the board" in (await until(ended))["note"]


async def test_a_client_that_leaves_while_it_asks_leaves_nothing_open(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved, left = asyncio.Event(), asyncio.Event()

    async def save(*given: Any) -> None:
        await save_request(*given)
        saved.set()
        await left.wait()

    monkeypatch.setattr(permissions, "save_request", save)
    waiting = asyncio.create_task(hook(cast.vega, request()))
    await saved.wait()
    waiting.cancel()
    await asyncio.sleep(0)
    left.set()

    async def ended() -> Any:
        return await Approval.get_or_none(decision="closed")

    await until(ended)
    await asyncio.gather(waiting, return_exceptions=True)
    assert not await Approval.filter(status="pending").exists()


async def test_equal_requests_are_one(cast: Cast) -> None:
    async with asking(cast, request(), request()) as (approval, waiting):

        async def both_wait() -> Any:
            return True if wakeup_channels.channels_waiting(f"approval:{approval['id']}") == 2 else None

        await until(both_wait)
        assert await Approval.filter(status="pending").count() == 1
        (await decide(cast, approval, decision="approved")).ok()
        assert decision_of(await waiting) == {"behavior": "allow"}
        assert await Approval.all().count() == 1


async def test_the_board_keeps_less_of_what_is_over(cast: Cast) -> None:
    async with asking(cast) as (approval, waiting):
        [session] = await sessions(cast)
        assert COMMAND not in str(await activities(cast, session["id"]))
        (await decide(cast, approval, decision="approved")).ok()
        await waiting
        now = (await read(cast, approval))["payload"]
        left = now["session_request"]
        assert (left["command"], left["cwd"], left["client"]) == ("psql", "shop", "claude-code")
        assert COMMAND not in str(now) and "reason" not in now


async def test_an_edit_is_asked_with_its_diff(cast: Cast) -> None:
    given = {"file_path": "/home/mara/shop/a.py", "old_string": "a = 1\n", "new_string": "a = 2\u202e\n"}
    async with asking(cast, request("Edit", given)) as (approval, _):
        needs = (await cast.ada.get("/needs")).ok()["items"]
        [need] = [one for one in needs if one["id"] == f"approval:{approval['id']}"]
        assert need["title"] == "Vega asks to change /home/mara/shop/a.py"
        assert "-a = 1" in need["exact"] and "+a = 2\\u202e" in need["exact"] and need["high_risk"]
        assert [one["label"] for one in need["answers"]] == ["Allow once", "Deny", "Deny and stop"]


async def test_home_says_what_each_answer_does(cast: Cast) -> None:
    async with asking(cast, request(given={"command": "make test"})) as (approval, waiting):
        need_id = f"approval:{approval['id']}"
        [need] = [one for one in (await cast.ada.get("/needs")).ok()["items"] if one["id"] == need_id]
        assert (need["title"], need["exact"]) == ("Vega asks to run a command", "make test")
        assert [(one["id"], one["key"]) for one in need["answers"]] == [
            ("approve", "A"), ("always", "1"), ("reject", "R"), ("stop", None),
        ]  # fmt: skip
        assert "Nothing is ever allowed by waiting." in need["otherwise"]["text"]
        given = {"answer": "stop", "note": "Not now.", "substance": need["substance"]}
        (await cast.cleo.post(f"/needs/{need_id}/answers", given)).ok()
        decision = decision_of(await waiting)
        assert decision["interrupt"] and decision["message"].endswith(": Not now.")


async def test_what_cannot_be_shown_whole_is_asked_at_the_keyboard(cast: Cast) -> None:
    assert await hooks(cast.vega, request(given={"command": "echo " + "x" * 30_000})) == [{}]
    assert await Approval.all().count() == 0
    [session] = await sessions(cast)
    [told] = [one["title"] for one in await activities(cast, session["id"])]
    assert told == "Asks to use Bash: echo. It is too long to be shown on the board: only its keyboard asks"


async def test_requests_that_a_crash_left_are_ended(cast: Cast) -> None:
    async with asking(cast) as (approval, _):
        with times.travelled(timedelta(minutes=12)):
            await permissions.look()
        assert (await read(cast, approval))["note"] == "Nobody decided in time. It is asked at the keyboard."


async def test_agents_do_not_write_requests_of_programs(cast: Cast) -> None:
    asked = {"kind": "exec", "client": "claude-code", "command": "ls", "allowed_decisions": ["stop"]}
    approval = await cast.ask(payload={"reason": "Please.", "session_request": asked})
    assert (await cast.cleo.post(f"{cast.approvals}/{approval['id']}/decisions", {"decision": "approved"})).ok()


async def test_codex_asks_its_person_later(cast: Cast) -> None:
    sent = {key: value for key, value in request().items() if key not in ("prompt_id", "permission_suggestions")}
    waiting = asyncio.create_task(hook(cast.vega, sent, client="codex"))

    async def pending() -> Any:
        found = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
        return found[0] if found else None

    approval = await until(pending)
    asked = approval["payload"]["session_request"]
    assert (asked["client"], asked["command"]) == ("codex", COMMAND)
    assert asked["allowed_decisions"] == ["allow-once", "deny", "stop"] and not asked["asks_there_too"]
    (await decide(cast, approval, decision="rejected", note="Use a copy.")).ok()
    decision = decision_of(await waiting)
    assert decision["behavior"] == "deny" and decision["message"].endswith(": Use a copy.")


async def test_a_session_is_asked_for_by_its_program(cast: Cast) -> None:
    async with asking(cast) as (_, _waiting):
        [session] = await sessions(cast)
        assert session["external_id"] == SESSION and session["doing"].startswith("Asks to use Bash")


async def test_a_person_denies_and_stops_by_a_tool(cast: Cast) -> None:
    async with asking(cast) as (approval, waiting), connected(cast.cleo) as cleo:
        [request] = (await cleo.ok("list_requests"))["requests"]
        assert request["allows_stop"] is True
        await cleo.ok("decide_approval", approval_id=approval["id"], decision="rejected", stop=True)
        assert decision_of(await waiting)["interrupt"] is True


async def test_codex_is_stopped_at_its_next_call(cast: Cast) -> None:
    """It has no answer that ends its turn."""
    sent = {key: value for key, value in request().items() if key != "permission_suggestions"}
    waiting = asyncio.create_task(hook(cast.vega, sent, client="codex"))

    async def pending() -> Any:
        return ((await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"] or [None])[0]

    approval = await until(pending)
    (await decide(cast, approval, decision="rejected", stop=True, note="Enough.")).ok()
    assert decision_of(await waiting)["behavior"] == "deny"
    call = called("PreToolUse", "Bash", "2", command="ls")
    said = (await hook(cast.vega, call, client="codex"))["hookSpecificOutput"]
    assert said["permissionDecision"] == "deny" and "Cleo denied this" in said["permissionDecisionReason"]
    await hook(cast.vega, event("UserPromptSubmit", turn_id="t2", prompt="Go on."), client="codex")
    await hook_queue.write()
    assert await hook(cast.vega, call, client="codex") == {}
