"""What agents do on gateways is stored as activities of their sessions, bounded and without secrets."""

from typing import Any
from uuid import UUID

import pytest
from quart import Quart

from mission_control.agents.models import Agent, UsageEntry
from mission_control.boards.models import Run
from mission_control.gateway_agents.sessions import feed as session_feed
from mission_control.gateway_agents.sessions import following
from mission_control.gateway_agents.sessions import usage as session_usage
from mission_control.gateways.models import Gateway
from mission_control.runs.models import Activity, AgentSession
from mission_control.runs.sessions.queries import line_of
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, state_of, until
from tests.gateways.notices import reconnect_quickly

KEY = "agent:mc-vega:main"


@pytest.fixture(autouse=True)
async def quick(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    await reconnect_quickly(monkeypatch)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway that Vega is on."""
    found = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
    for known in (session_feed._waiting, following._ended, following._followed):
        known.clear()
    return found


async def tell(fake: FakeGateway, stream: str, key: str = KEY, run: str = "r1", **data: Any) -> None:
    about = {"runId": run, "sessionKey": key, "seq": 1, "ts": 1}
    await fake.emit("agent", {**about, "stream": stream, "data": data})


async def stored(count: int) -> list[Activity]:
    """The activities, once there are so many."""

    async def look() -> list[Activity] | None:
        await session_feed.store_all()
        found = await Activity.all().order_by("seq")
        return found if len(found) >= count else None

    found: list[Activity] = await until(look)
    return found


async def test_turn_becomes_activities_of_the_run(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await tell(fake_gateway, "lifecycle", phase="start")
    await tell(fake_gateway, "assistant", text="I look first.", itemId="i1")
    call = {"name": "exec", "toolCallId": "c1"}
    secret = f"curl -H {fake_gateway.token} /sky"
    await tell(fake_gateway, "tool", phase="start", args={"command": secret, "timeout": 3}, **call)
    await tell(fake_gateway, "tool", phase="update", partialResult="…", **call)
    assert [one.title for one in await stored(3)] == [
        "Began a turn", "I look first.", "Running curl -H •••• /sky",
    ]  # fmt: skip
    there = (await line_of([UUID(task["id"])]))[UUID(task["id"])]
    assert (there.doing, there.is_doing_over, there.state) == ("Running curl -H •••• /sky", False, "working")
    await tell(fake_gateway, "tool", phase="result", result={"content": "no sky"}, isError=True, **call)
    await tell(fake_gateway, "lifecycle", phase="end")
    *_, call_end, end = await stored(5)
    assert (call_end.kind, call_end.state, call_end.ref, call_end.detail["error"]) == (
        "TOOL_CALL_END", "failed", "c1", "no sky",
    )  # fmt: skip
    assert fake_gateway.token not in str([one.detail for one in await Activity.all()])
    session = await AgentSession.get()
    assert (session.client, session.external_id, session.state, session.failures) == ("openclaw", KEY, "idle", 1)
    run = await Run.get(task_id=task["id"])
    assert (end.kind, end.run_id, str(session.task_id)) == ("RUN_FINISHED", run.id, task["id"])


async def test_failed_turn_and_events_told_twice(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    for _ in range(2):
        await tell(fake_gateway, "item", kind="tool", phase="start", name="read", toolCallId="c1", meta="sky.md")
        await tell(fake_gateway, "item", kind="tool", phase="end", name="read", toolCallId="c1", status="completed")
    for _ in range(2):
        await tell(fake_gateway, "lifecycle", phase="error", error="The model is away.")
    assert [one.title for one in await stored(4)] == [
        "Began a turn", "Reading sky.md", "Read sky.md", "Stopped with an error",
    ]  # fmt: skip
    assert (await AgentSession.get()).failing == "Stopped with an error: The model is away."


async def test_turn_that_ended_while_its_gateway_was_away_is_over(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    for number in (1, 2):
        await tell(fake_gateway, "lifecycle", key=f"agent:mc-vega:{number}", run=f"r{number}", phase="start")
    await stored(2)
    fake_gateway.state.session("agent:mc-vega:1")
    fake_gateway.running["agent:mc-vega:1"] = ["r1"]
    await fake_gateway.drop()
    [*_, end] = await stored(3)
    states = {one.external_id: one.state for one in await AgentSession.all()}
    assert states == {"agent:mc-vega:1": "working", "agent:mc-vega:2": "idle"}
    assert (end.kind, end.title) == ("RUN_FINISHED", "The turn ended while the gateway was not connected")
    await state_of(gateway.id, "connected")
    await tell(fake_gateway, "lifecycle", key="agent:mc-vega:1", run="r1", phase="end")
    assert [one.title for one in await stored(4)].count("Began a turn") == 2
    assert {one.state for one in await AgentSession.all()} == {"idle"}


async def test_strangers_of_a_gateway_are_not_stored(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    await tell(fake_gateway, "lifecycle", key="agent:a-stranger:main", phase="start")
    await tell(fake_gateway, "lifecycle", key="global", phase="start", run="r2")
    await tell(fake_gateway, "lifecycle", phase="start", run="r3")
    await stored(1)
    assert [one.external_id for one in await AgentSession.all()] == [KEY]


async def test_what_waits_is_bounded(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_feed, "MOST_SESSIONS", 2)
    for number in range(4):
        await tell(fake_gateway, "lifecycle", key=f"agent:mc-vega:{number}", run=f"r{number}", phase="start")
    await stored(2)
    assert await AgentSession.all().count() == 2


async def test_measured_usage_belongs_to_the_run(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await tell(fake_gateway, "lifecycle", phase="start")
    await stored(1)
    session = fake_gateway.state.session(KEY)
    session.input_tokens, session.output_tokens, session.cost_usd = 100, 12, 0.01
    await session_usage.measure(gateway.id)
    run, kept, entry = await Run.get(task_id=task["id"]), await AgentSession.get(), await UsageEntry.get()
    assert (entry.source, entry.run_id, entry.session_id, entry.task_id) == (
        "gateway", run.id, kept.id, run.task_id,
    )  # fmt: skip
    for one in (run, kept):
        assert (one.input_tokens, one.output_tokens, one.cost_micros) == (100, 12, 10_000)
    handed = {"fence": 1, "summary": "Done.", "input_tokens": 100, "output_tokens": 12, "cost_usd": "0.01"}
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", handed)).ok()
    assert (await Run.get(id=run.id)).input_tokens == 100, "what was measured is not counted again"
