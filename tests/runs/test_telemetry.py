"""What requests to a model cost, as programs export it by OTLP."""

from typing import Any

import pytest

from mission_control.agents.models import UsageEntry
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.hooks.api import dropped
from tests.cast import Cast
from tests.hooks import SESSION, event, hook, hooks, recorded, sessions

pytestmark = pytest.mark.usefixtures("unasked")  # what programs ask: test_permissions.py

OTLP = recorded("claude-code-otlp")
LOGS = "/connect/otlp/v1/logs"


def export(*records: Any) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": OTLP["resource"], "scopeLogs": [{"logRecords": list(records)}]}]}


def request_of(**attributes: Any) -> dict[str, Any]:
    """A log record of a request."""
    values = {"session.id": SESSION, "prompt.id": "p1", "model": "claude-opus-5-5", **attributes}
    typed = [{"key": name, "value": {"stringValue": str(one)}} for name, one in values.items()]
    return {"body": {"stringValue": "claude_code.api_request"}, "attributes": typed}


async def sent(cast: Cast, *records: Any) -> Any:
    answer = (await cast.vega.post(LOGS, export(*records))).ok()
    await hook_queue.write()
    return answer


async def test_recorded_requests_count_once(cast: Cast) -> None:
    await hook(cast.vega, event("UserPromptSubmit", prompt="A"))
    for _ in range(2):
        assert await sent(cast, *OTLP["logs"].values()) == {}
    [session] = await sessions(cast)
    assert (session["external_id"], session["client"], session["client_version"]) == (SESSION, "claude-code", "2.1.332")
    assert (session["input_tokens"], session["output_tokens"], session["cost_usd"]) == (1000, 50, 0.005)
    assert session["model"] == "claude-opus-5-5" and await UsageEntry.all().count() == 1


async def test_what_came_from_the_cache_is_part_of_the_input(cast: Cast) -> None:
    tokens = {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 200, "cache_creation_tokens": 30}
    one = request_of(request_id="req_1", cost_usd_micros=1250, **tokens)
    await sent(cast, one, request_of(request_id="req_2", cost_usd="0.002", **tokens), one)
    [session] = await sessions(cast)
    assert (session["input_tokens"], session["cached_tokens"], session["output_tokens"]) == (480, 400, 10)
    assert (session["written_tokens"], session["usage_sources"]) == (60, {"program": 490})
    assert session["cost_usd"] == 0.00325
    assert sorted([str(one.key) async for one in UsageEntry.all()]) == ["cc:req_1", "cc:req_2"]


async def test_usage_after_the_end_leaves_a_session_ended(cast: Cast) -> None:
    await hooks(cast.vega, event("UserPromptSubmit", prompt="A"), event("SessionEnd", reason="other"))
    await sent(cast, request_of(request_id="r", input_tokens=7))
    [session] = await sessions(cast)
    assert (session["state"], session["input_tokens"]) == ("ended", 7) and session["digest"]


async def test_usage_says_nothing_of_the_state(cast: Cast) -> None:
    await hooks(cast.vega, event("UserPromptSubmit", prompt="A"), event("Stop"))
    await sent(cast, request_of(request_id="r", input_tokens=7))
    assert [one["state"] for one in await sessions(cast)] == ["idle"]


async def test_usage_stops_at_the_budget(cast: Cast) -> None:
    (await cast.ada.post("/budgets", {"unit": "cost", "limit": "0.01", "agent_id": str(cast.vega.id)})).ok()
    await sent(cast, request_of(request_id="r", input_tokens=7, cost_usd="0.02"))
    call = event("PreToolUse", tool_name="Bash", tool_input={"command": "ls"}, tool_use_id="t")
    [answer] = await hooks(cast.vega, call)
    assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"


async def test_odd_exports_are_taken_and_dropped(cast: Cast) -> None:
    before = dict(dropped)
    for signal in ("metrics", "traces"):
        assert (await cast.vega.post(f"/connect/otlp/v1/{signal}", {"resourceMetrics": []})).ok() == {}
    assert {name: dropped[name] - before.get(name, 0) for name in ("metrics", "traces")} == {"metrics": 1, "traces": 1}
    broken: list[Any] = [[], {}, {"resourceLogs": 5}, {"resourceLogs": [5]}, export(5), export({"attributes": 5})]
    for odd in broken:
        assert (await cast.vega.post(LOGS, odd)).ok() == {}
    headers = {"Content-Type": "application/x-protobuf"}
    answer = (await cast.vega.call("POST", LOGS, data=b"\x0a\x00", headers=headers)).ok()
    assert "http/json" in answer["partialSuccess"]["errorMessage"]
    for text in ("-5", "x", "1e400", "nan", ""):
        await sent(cast, request_of(request_id=f"r{text}", input_tokens=text, output_tokens=1, cost_usd=text))
    (await cast.vega.post("/connect/otlp/v1/unheard-of", {})).refused(404)
