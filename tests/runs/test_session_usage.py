"""What the requests of a program used: once, in its session, and for the attempts at tasks that they were for."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.times import travelled
from mission_control.runs.hooks import queue as hook_queue
from tests.cast import Cast
from tests.hooks import SESSION, Event, activities, event, hook, sessions

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("unasked")]

CLIENTS = ("claude-code", "codex", "opencode")
PROMPTS = dict.fromkeys(CLIENTS, "UserPromptSubmit") | {"opencode": "chat.message"}
ENDS = dict.fromkeys(CLIENTS, "SessionEnd") | {"opencode": "session.ended"}


@contextmanager
def after(seconds: float) -> Iterator[None]:
    with travelled(timedelta(seconds=seconds)):
        yield


async def prompted(cast: Cast, client: str, number: int = 1) -> None:
    await told(cast, client, event(PROMPTS[client], prompt="Go.", prompt_id=f"p{number}", turn_id=f"t{number}"))


async def requested(cast: Cast, client: str, name: str, tokens: int, *, usd: float = 0, at: float = 0) -> None:
    """Let a program tell of a request to its model that ended now, or that many seconds later."""
    if client == "claude-code":
        ended = f"{times.clock_now() + timedelta(seconds=at):%Y-%m-%dT%H:%M:%S.%f}Z"
        said = {"session.id": SESSION, "request_id": name, "input_tokens": tokens, "cost_usd": usd, "model": "m1"}
        texts = {**said, "event.timestamp": ended}
        typed = [{"key": key, "value": {"stringValue": str(one)}} for key, one in texts.items()]
        record = {"body": {"stringValue": "claude_code.api_request"}, "attributes": typed}
        logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
        (await cast.vega.post("/connect/otlp/v1/logs", logs)).ok()
        await hook_queue.write()
    elif client == "codex":
        used = {"input_tokens": tokens, "output_tokens": 0}
        await told(cast, client, event("PostModelRequest", response_id=name, token_usage=used, model="m1"))
    else:
        counted = {"message_id": name, "tokens": {"input": tokens, "output": 0}, "cost": usd, "model": "m1"}
        await told(cast, client, event("message.updated", **counted))


async def told(cast: Cast, client: str, *sent: Event) -> None:
    for one in sent:
        await hook(cast.vega, one, client=client)
    await hook_queue.write()


async def claimed(cast: Cast) -> dict[str, Any]:
    """A task that Vega takes up now."""
    await cast.add_task()
    found: dict[str, Any] = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()
    return {"task_id": found["task"]["id"], "fence": found["lease"]["fence"]}


async def finished(cast: Cast, held: dict[str, Any], **more: Any) -> None:
    body = {"fence": held["fence"], "summary": "Done.", **more}
    (await cast.vega.post(f"/agent{cast.home}/tasks/{held['task_id']}/completions", body)).ok()


async def of_runs(*helds: dict[str, Any]) -> list[int]:
    return [(await Run.get(task_id=held["task_id"])).input_tokens for held in helds]


@pytest.mark.parametrize("client", CLIENTS)
async def test_conversation_is_one_session_whatever_its_model_says(cast: Cast, client: str) -> None:
    await prompted(cast, client)
    held = await claimed(cast)
    guess = {"input_tokens": 1600, "cost_usd": 1.2}
    said = (await cast.vega.post("/agent/reports", {"items": [{"title": "Ran the tests"}], "usage": guess})).ok()
    (await cast.vega.post("/agent/usage", {**held, **guess})).ok()
    await requested(cast, client, "r1", 5000, usd=0.03)
    (await cast.vega.post("/agent/reports", {**held, "plan": [{"text": "Mend it"}], "usage": guess})).ok()
    await requested(cast, client, "r2", 4000, usd=0.009)
    await finished(cast, held, **guess)
    await told(cast, client, event(ENDS[client], reason="other"))
    [session] = await sessions(cast)
    usd = 0 if client == "codex" else 0.039
    assert (session["id"], session["client"], session["state"]) == (said["session_id"], client, "ended")
    assert (session["input_tokens"], session["cost_usd"]) == (9000, usd)
    assert session["usage_sources"] == {"program": 9000, "agent": 6400}
    assert "Ran the tests" in [one["title"] for one in await activities(cast, session["id"])]
    run = await Run.get(task_id=held["task_id"])
    assert (run.input_tokens, run.cost_micros) == (9000, usd * 10**6)
    assert (await cast.ada.get("/usage")).ok()["sums"]["tokens"] == 9000


@pytest.mark.parametrize("client", CLIENTS)
async def test_request_is_for_the_task_of_its_turn(cast: Cast, client: str) -> None:
    with after(0):
        await prompted(cast, client)
    with after(1):
        await requested(cast, client, "claims", 1)
    with after(2):
        first = await claimed(cast)
        await told(cast, client, event(PROMPTS[client], prompt_id="p1", turn_id="t1", prompt="Go."))
    with after(3):
        await requested(cast, client, "works", 10)
    with after(4):
        await finished(cast, first)
    with after(5):
        await requested(cast, client, "claims again", 100)
    with after(6):
        second = await claimed(cast)
    with after(7):
        await requested(cast, client, "works again", 1000)
    with after(8):
        await finished(cast, second)
    with after(9):
        await requested(cast, client, "says so", 10_000)
    with after(10):
        await prompted(cast, client, 2)
    with after(11):
        await requested(cast, client, "chats", 100_000)
    assert await of_runs(first, second) == [111, 11_000]
    [session] = await sessions(cast)
    assert session["input_tokens"] == 111_111


@pytest.mark.parametrize("client", CLIENTS)
async def test_request_before_a_person_put_the_session_to_a_task_is_for_it(cast: Cast, client: str) -> None:
    task = await cast.add_task()
    with after(0):
        await prompted(cast, client)
        [session] = await sessions(cast)
    with after(1):
        await requested(cast, client, "looks", 1)
    with after(2):
        (await cast.ada.call("PUT", f"{cast.home}/sessions/{session['id']}/task", {"task_id": task["id"]})).ok()
    with after(3):
        await requested(cast, client, "works", 10)
    assert await of_runs({"task_id": task["id"]}) == [11]


async def test_requests_that_are_exported_later_are_for_the_task_of_their_time(cast: Cast) -> None:
    with after(0):
        await prompted(cast, "claude-code")
    with after(2):
        first = await claimed(cast)
    with after(4):
        await finished(cast, first)
    with after(6):
        second = await claimed(cast)
    with after(8):
        await finished(cast, second)
    with after(20):
        for at, tokens in ((-19, 1), (-17, 10), (-15, 100), (-13, 1000), (-11, 10_000)):
            await requested(cast, "claude-code", f"r{at}", tokens, at=at)
    assert await of_runs(first, second) == [111, 11_000]


async def test_program_that_nobody_counts_is_counted_as_its_agent_says(cast: Cast) -> None:
    own = {"session": {"external_id": "own", "client": "harness"}}
    held = await claimed(cast)
    (await cast.vega.post("/agent/reports", own)).ok()
    (await cast.vega.post("/agent/reports", {"usage": {"input_tokens": 5}})).ok()
    await finished(cast, held, input_tokens=7)
    [session] = await sessions(cast)
    assert (session["external_id"], session["input_tokens"], session["usage_sources"]) == ("own", 12, {"agent": 12})
    assert await of_runs(held) == [12]


async def test_program_that_is_closed_or_somebody_elses_takes_no_words(cast: Cast) -> None:
    await prompted(cast, "claude-code")
    await told(cast, "claude-code", event("SessionEnd", reason="other"))
    await claimed(cast)
    (await cast.vega.post("/agent/reports", {"items": [{"title": "On my own"}]})).ok()
    assert {(one["client"], one["state"]) for one in await sessions(cast)} == {
        ("claude-code", "ended"), ("api", "working"),
    }  # fmt: skip
