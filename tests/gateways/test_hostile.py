"""Gateways that mean no good: they cost only themselves, and nothing of what they say is kept without a limit."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mission_control.core.values import new_id
from mission_control.events.leases import Leases
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import runner
from mission_control.gateway_agents.sessions import following
from mission_control.gateways.connections import connector, events, link, open_connection
from mission_control.gateways.connections.events import GatewayRef, Inlet
from mission_control.gateways.connections.open_connection import Closed, GatewayEvent
from mission_control.gateways.protocol.errors import (
    LONGEST_TEXT,
    LONGEST_WAIT_SECONDS,
    PairingRequired,
    Unreachable,
    closed,
    refusal,
    to_values,
)
from mission_control.gateways.protocol.handshake import MOST_TEXTS, read_hello
from mission_control.gateways.protocol.payload import Payload
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until

REF = GatewayRef(new_id(), new_id())


def hello(**said: Any) -> dict[str, Any]:
    """What a gateway says of itself."""
    return {"type": "hello-ok", "protocol": 4, **said}


@pytest.mark.parametrize("protocol", [2**63, -1, 4.0, "4", None])
def test_protocol_that_is_no_number_of_a_protocol_is_refused(protocol: Any) -> None:
    with pytest.raises(Unreachable):
        read_hello(hello(protocol=protocol))


def test_what_a_gateway_says_of_itself_is_kept_within_limits() -> None:
    names = [f"{number}\0{'x' * 1000}" for number in range(MOST_TEXTS * 2)]
    found = read_hello(hello(server={"version": "v\0" * 500}, features={"methods": names}))
    assert len(found.methods) == MOST_TEXTS and max(map(len, found.methods)) == LONGEST_TEXT
    assert found.version == ("v" * 500)[:LONGEST_TEXT] and not any("\0" in one for one in found.methods)


@pytest.mark.parametrize("wait", [1e300, 10**9])
def test_pause_that_a_gateway_asks_for_has_an_end(wait: float) -> None:
    assert refusal({"code": "UNAVAILABLE", "retryAfterMs": wait}).retry_after == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("details", [{"reason": "a\0b"}, {"reason": "x" * 100_000}, ["reason"], "reason"])
def test_details_that_cannot_be_stored_are_left_out(details: Any) -> None:
    said = {"code": "A\0B" * 100, "message": "m\0" * 9_000, "details": details}
    values = to_values(refusal(said))
    assert values["details"] == {} and len(values["code"]) == 100 and "\0" not in values["code"] + values["message"]


def test_words_of_a_refusal_are_short_and_clean() -> None:
    error = PairingRequired("NOT_PAIRED", "", details={"deviceId": "\0" + "d" * 9_000, "reason": "r" * 9_000})
    assert error.device_id == "d" * 200 and len(error.reason) == 200
    assert str(refusal({"message": "refused: AUTH_TOKEN=mca_0123456789abcdef!"})) == "refused: AUTH_TOKEN=mca_…!"
    assert "\0" not in str(closed(1012, "bye\0", was_sent=False))


async def test_frames_that_are_nested_too_deep_are_passed_over(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    deep = "[" * 600 + "]" * 600
    for client in fake_gateway.clients:
        await client.socket.send(f'{{"type": "event", "event": "chat", "payload": {{"message": {deep}}}}}')
    assert await connector.call(gateway.id, "health")


async def test_events_that_wait_are_limited_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def connected(gateway: GatewayRef) -> None:
        seen.append("connected")

    async def note(gateway: GatewayRef, payload: Any) -> None:
        seen.append(payload["n"])

    monkeypatch.setattr(events, "MOST_BYTES", 1_000)
    monkeypatch.setattr(events.when_connected, "functions", [connected])
    monkeypatch.setitem(events.HANDLERS, "test.event", [note])
    taken = Inlet(REF)
    taken.hold()
    for number in range(10):  # before and after the connection is known
        taken.put(GatewayEvent("test.event", Payload(n=f"early {number}"), None, 400))
    taken.connected()
    for number in range(5):
        taken.put(GatewayEvent("test.event", Payload(n=f"late {number}"), None, 400))
    running = asyncio.create_task(taken.run())
    await until(lambda: seen[-1:] == ["late 4"])
    running.cancel()
    assert seen[0] == "connected" and len(seen) <= 3  # what was lost is read again after `connected`


async def test_runs_of_a_session_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_followed", {})
    for number in range(following.MOST_RUNS * 2):
        event = Payload(runId=f"run {number}", sessionKey="agent:a:main", stream="command_output")
        event["data"] = {"toolCallId": "1", "phase": "end", "output": "o" * 500_000}
        await following.on_agent(REF, event)
    await following.on_agent(REF, Payload({**event, "runId": "r" * 10_000, "data": {}}))
    [session] = following._followed.values()
    assert len(session.runs) == following.MOST_RUNS and f"run {number}" in session.runs
    assert max(sys.getsizeof(part.result) for run in session.runs.values() for part in run.parts) < 50_000


async def test_gateway_with_many_sessions_makes_only_its_own_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_followed", {})
    monkeypatch.setattr(following, "MOST_SESSIONS", 10)
    other = GatewayRef(new_id(), new_id())
    await following.on_chat(other, Payload(runId="quiet", sessionKey="agent:a:main", state="status"))
    for number in range(50):
        await following.on_chat(REF, Payload(runId=f"r{number}", sessionKey=f"agent:{number}:main", state="status"))
    kept = [one.gateway.id for one in following._followed.values()]
    assert other.id in kept and len(kept) <= 11


class Silent(link.Link):
    """A link without tasks of its own."""

    def __init__(self) -> None:
        self._short_connections = self._failures = 0
        self._connected_at = None

    async def _report(self, report: Any) -> None:
        pass


async def test_gateway_that_ends_each_connection_is_asked_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(link, "monotonic", lambda: now)
    broken, pauses = Silent(), []
    for _ in range(10):
        broken._connected_at, broken._failures = now, 0
        pauses.append(await broken._ended(Closed(1000, "")))
    assert pauses[0] < 1 and pauses[-1] >= 0.8 * link.LONGEST_PAUSE_SECONDS
    now += link.SHORTEST_CONNECTION_SECONDS
    assert await broken._ended(Closed(1012, "")) < 1


async def test_silent_gateway_leaves_places_for_jobs_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    silent, other = new_id(), new_id()
    asked: list[tuple[list[Any], int]] = []

    class Asking(Leases[ProvisioningJob]):
        async def take(self, which: str, values: Any, most: int, **_: Any) -> list[Any]:
            asked.append((values, most))
            return []

        async def seconds_until_due(self, *_: Any) -> float:
            return 0.0

    async def nothing(*_: Any) -> None:
        pass

    monkeypatch.setattr(runner, "LEASES", Asking(ProvisioningJob, "running", timedelta(seconds=10)))
    monkeypatch.setattr(runner, "rows", nothing)
    monkeypatch.setattr(connector, "held_here", lambda: frozenset({silent, other}))
    wait: Callable[[], Any] = asyncio.Event().wait
    running = {asyncio.create_task(wait(), name=str(silent)) for _ in range(runner.AT_ONCE_ON_ONE)}
    monkeypatch.setattr(runner.RUNNER, "tasks", running)
    await runner.look()
    for one in running:
        one.cancel()
    assert asked == [([other], runner.AT_ONCE_ON_ONE)]


async def test_flood_of_events_is_read_slowly_and_completely(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    async def note(gateway: GatewayRef, payload: Any) -> None:
        seen.append(payload["n"])

    monkeypatch.setattr(open_connection, "MOST_FRAMES_A_SECOND", 20)
    monkeypatch.setitem(events.HANDLERS, "test.event", [note])
    await connected_gateway(cast, fake_gateway)
    for number in range(100):
        await fake_gateway.emit("test.event", {"n": number})
    await asyncio.sleep(0.3)
    assert len(seen) <= 40
    monkeypatch.setattr(open_connection, "MOST_FRAMES_A_SECOND", 1_000)
    await until(lambda: seen == list(range(100)))
