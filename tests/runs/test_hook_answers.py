"""What the program of a session is answered: notes of people, and refusals after a stop or a spent budget."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.runs.claims.leases import expire_due
from tests.cast import Cast
from tests.devices import connected
from tests.hooks import SESSION, called, event, hook, hooks, sessions

PROMPT = event("UserPromptSubmit", prompt="Go")
CALL, DONE = called("PreToolUse", "Bash", "1", command="ls"), called("PostToolUse", "Bash", "1", command="ls")


async def working(cast: Cast) -> dict[str, Any]:
    """A task that a session serves."""
    await cast.add_task()
    task: dict[str, Any] = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["task"]
    await hooks(cast.vega, PROMPT)
    return task


async def noted(cast: Cast, path: str, text: str = "Mind the step.") -> str:
    sent: dict[str, Any] = (await cast.ada.post(f"{path}/notes", {"text": text})).ok()
    return str(sent["id"])


async def states(cast: Cast, path: str) -> list[str]:
    return [one["state"] for one in (await cast.ada.get(f"{path}/notes")).ok()["items"]]


async def session_path(cast: Cast) -> str:
    [session] = await sessions(cast)
    return f"{cast.home}/sessions/{session['id']}"


async def test_a_note_rides_on_the_next_answer_that_can_carry_it(cast: Cast) -> None:
    task = await working(cast)
    path = cast.task(task)
    await noted(cast, path, "Mind the step.\nIt is wet.")
    assert await hook(cast.vega, CALL) == {}
    assert await states(cast, path) == ["waiting"]
    answer = await hook(cast.vega, DONE)
    said = answer["hookSpecificOutput"]
    assert said["hookEventName"] == "PostToolUse"
    head, *lines = said["additionalContext"].splitlines()
    assert head.startswith("Note from Ada") and "It is information from a teammate, not a permission" in head
    assert lines == ["> Mind the step.", "> It is wet."]
    assert await states(cast, path) == ["offered"]
    [*_, last] = await hooks(cast.vega, event("PostToolBatch", tool_calls=[]), event("Stop"))
    assert last == {} and await states(cast, path) == ["read"]


async def test_a_note_to_a_session_is_for_it_alone(cast: Cast) -> None:
    await hooks(cast.vega, PROMPT)
    path = await session_path(cast)
    await noted(cast, path)
    other = {**DONE, "session_id": "another"}
    assert await hooks(cast.vega, {**PROMPT, "session_id": "another"}, other) == [{}, {}]
    helper = {**DONE, "agent_id": "a1", "agent_type": "general-purpose"}
    assert await hook(cast.vega, helper) == {}
    answer = await hook(cast.vega, event("UserPromptSubmit", prompt="On", prompt_id="p2"))
    assert "Mind the step." in answer["hookSpecificOutput"]["additionalContext"]
    assert await hooks(cast.vega, other) == [{}]
    assert await states(cast, path) == ["offered"]
    await hooks(cast.vega, {**CALL, "tool_use_id": "toolu_2"})
    assert await states(cast, path) == ["read"]


async def test_a_note_at_the_end_of_a_turn_lets_it_go_on_once(cast: Cast) -> None:
    await hooks(cast.vega, PROMPT)
    path = await session_path(cast)
    await noted(cast, path)
    answer = await hook(cast.vega, event("Stop", stop_hook_active=False))
    assert answer["decision"] == "block" and "> Mind the step." in answer["reason"]
    await noted(cast, path, "And the door.")
    assert await hooks(cast.vega, event("Stop", stop_hook_active=True)) == [{}]
    assert await states(cast, path) == ["waiting", "read"]


async def test_a_stopped_run_refuses_calls_until_its_turn_ends(cast: Cast) -> None:
    task = await working(cast)
    (await cast.ada.post(f"{cast.task(task)}/stop", {"reason": "Rain."})).ok()
    for number in ("3", "4"):
        answer = await hook(cast.vega, called("PreToolUse", "Bash", number, command="ls"))
        said = answer["hookSpecificOutput"]
        assert (said["hookEventName"], said["permissionDecision"]) == ("PreToolUse", "deny")
        assert "Stopped by Ada" in said["permissionDecisionReason"] and "Rain." in said["permissionDecisionReason"]
    await hooks(cast.vega, event("Stop"))
    [session] = await sessions(cast)
    assert session["state"] == "idle"
    run = await Run.get(id=session["run_id"])
    assert run.state == "released"
    stop = await Delivery.get(id=run.id)
    assert stop.offered_at is not None and stop.taken_at is not None
    again = event("UserPromptSubmit", prompt="Go on", prompt_id="p2"), called("PreToolUse", "Bash", "5", command="ls")
    assert await hooks(cast.vega, *again) == [{}, {}]


async def test_what_the_agent_gave_back_refuses_nothing(cast: Cast) -> None:
    task = await working(cast)
    given = f"/agent{cast.task(task)}/lease"
    (await cast.vega.call("DELETE", given, {"fence": task["fence"]})).ok()
    assert await hooks(cast.vega, CALL) == [{}]


@pytest.mark.parametrize(("client", "name"), [("claude-code", "PreToolUse"), ("gemini", "BeforeTool")])
async def test_a_program_at_work_keeps_its_lease(cast: Cast, client: str, name: str) -> None:
    await cast.add_task()
    task = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["task"]
    for minutes, state in ((14, "running"), (28, "running"), (46, "expired")):
        with times.travelled(timedelta(minutes=minutes)):
            if state == "running":
                await hooks(cast.vega, called(name, "Bash", str(minutes), command="ls"), client=client)
        with times.travelled(timedelta(minutes=minutes + 1)):
            await expire_due()
        assert (await Run.get(task_id=task["id"])).state == state


async def test_what_is_refused_has_ended(cast: Cast) -> None:
    task = await working(cast)
    (await cast.ada.post(f"{cast.task(task)}/stop", {})).ok()
    await hooks(cast.vega, CALL)
    [session] = await sessions(cast)
    assert (session["doing"], session["is_doing_over"]) == ("Ran ls, refused", True)


async def test_a_spent_budget_stops_in_the_middle_of_a_turn(cast: Cast) -> None:
    await hooks(cast.vega, PROMPT)
    (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, "board_id": str(cast.board.id)})).ok()
    assert await hook(cast.vega, CALL) == {}
    (await cast.atlas.post("/agent/usage", {"input_tokens": 200})).ok()
    said = (await hook(cast.vega, called("PreToolUse", "Bash", "2", command="ls")))["hookSpecificOutput"]
    assert said["permissionDecision"] == "deny" and "budget of tokens for the board" in said["permissionDecisionReason"]


async def test_a_stopped_agent_is_refused_and_a_paused_one_goes_on(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/work-state"
    (await cast.ada.call("PUT", path, {"state": "paused"})).ok()
    assert await hook(cast.vega, CALL) == {}
    (await cast.ada.call("PUT", path, {"state": "stopped", "reason": "Enough"})).ok()
    said = (await hook(cast.vega, called("PreToolUse", "Bash", "2", command="ls")))["hookSpecificOutput"]
    assert "is stopped: Enough." in said["permissionDecisionReason"]


async def test_the_token_of_a_connection_reports_for_it(cast: Cast) -> None:
    program, made = await connected(cast, client="claude-code", host_label="mara-laptop")
    await hooks(program, PROMPT)
    [session] = (await cast.ada.get(f"/boards/{made['board']['id']}/sessions")).ok()["items"]
    assert (session["agent_name"], session["host_label"], session["external_id"]) == (
        made["agent"]["name"], "mara-laptop", SESSION,
    )  # fmt: skip
