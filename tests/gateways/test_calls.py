"""Calls over one connection: answers, refusals, limits, and what happens when it ends."""

import asyncio
from typing import Any

import pytest

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.connections.open_connection import GatewayEvent
from mission_control.gateways.protocol.errors import (
    GatewayError,
    MissingScopes,
    NotSupported,
    Unreachable,
    from_values,
    to_values,
)
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import AT_A_TIME, WRITES, Pace
from tests.gateways.connecting import connected, target
from tests.gateways.fake import FakeGateway


class Clock:
    """A clock that stands until somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


def send(key: str, session: str = "agent:main:main", text: str = "hello") -> dict[str, Any]:
    """The params of a message."""
    return {"sessionKey": session, "message": text, "idempotencyKey": key}


async def failure(connection: Any, method: str, params: Any = None, **more: Any) -> GatewayError:
    """How a call fails."""
    with pytest.raises(GatewayError) as caught:
        await connection.call(method, params, **more)
    return caught.value


async def test_answers_find_their_calls_in_any_order(fake_gateway: FakeGateway) -> None:
    gate = fake_gateway.hold("config.get")
    async with connected(fake_gateway) as connection:
        first = asyncio.create_task(connection.call("config.get"))
        await asyncio.sleep(0)
        assert (await connection.call("health"))["ok"] is True
        assert not first.done()
        gate.set()
        assert (await first)["exists"] is True


async def test_events_come_in_order_and_unknown_ones_harm_nothing(fake_gateway: FakeGateway) -> None:
    events: list[GatewayEvent] = []

    def take(event: GatewayEvent) -> None:
        events.append(event)
        if event.name == "board.metadata":
            raise ValueError("whatever a handler does")

    connection = await connect(target(fake_gateway), Identity.new(), on_event=take)
    await fake_gateway.emit("board.metadata", {"of": "a newer gateway"})
    await connection.call("chat.send", send("one"))
    for _ in range(100):
        if any(one.payload.get("state") == "final" for one in events):
            break
        await asyncio.sleep(0.02)
    await connection.close()
    assert [one.name for one in events] == ["board.metadata", "chat", "agent", "chat"]
    assert [one.seq for one in events] == [1, 2, 3, 4]


async def test_the_same_key_sends_once(fake_gateway: FakeGateway) -> None:
    async with connected(fake_gateway) as connection:
        assert (await connection.call("chat.send", send("one")))["status"] == "started"
        assert (await connection.call("chat.send", send("one")))["status"] in ("in_flight", "ok")
    assert len(fake_gateway.state.sessions["agent:main:main"].messages) <= 2


async def test_code_details_and_time_to_wait_are_kept(fake_gateway: FakeGateway) -> None:
    details = {"type": "agent_file_conflict", "currentHash": "x"}
    fake_gateway.fail("config.get", "no", code="UNAVAILABLE", details=details, retryable=True, retryAfterMs=90_000)
    async with connected(fake_gateway) as connection:
        error = await failure(connection, "config.get")
    assert (error.code, error.message, error.details) == ("UNAVAILABLE", "no", details)
    assert error.is_retryable and error.retry_after == 90.0 and not error.was_sent
    again = from_values(to_values(error))
    assert type(again) is type(error) and to_values(again) == to_values(error)


async def test_unknown_method_and_unknown_params(fake_gateway: FakeGateway) -> None:
    async with connected(fake_gateway) as connection:
        assert isinstance(await failure(connection, "agents.files.delete", {"agentId": "main"}), NotSupported)
        error = await failure(connection, "agents.list", {"x": 1})
    assert error.message == "invalid agents.list params: at root: unexpected property 'x'"


@pytest.mark.parametrize("error", [
    {"code": "FORBIDDEN", "details": {"code": "MISSING_SCOPE", "missingScope": "operator.admin"}},
    {"code": "INVALID_REQUEST"},
])  # fmt: skip
async def test_missing_scope_of_a_call_in_both_ways_of_saying_it(
    fake_gateway: FakeGateway, error: dict[str, Any]
) -> None:
    fake_gateway.fail("agents.create", "missing scope: operator.admin", **error)
    async with connected(fake_gateway) as connection:
        refused = await failure(connection, "agents.create", {"name": "x"})
    assert isinstance(refused, MissingScopes) and refused.scopes == ("operator.admin",)


async def test_token_is_taken_out_of_what_a_gateway_says(fake_gateway: FakeGateway) -> None:
    fake_gateway.fail("health", f"wrong: {fake_gateway.token}")
    async with connected(fake_gateway) as connection:
        assert (await failure(connection, "health")).message == "wrong: [secret]"


async def test_every_call_has_a_deadline(fake_gateway: FakeGateway) -> None:
    fake_gateway.ignore("health")
    async with connected(fake_gateway) as connection:
        error = await failure(connection, "health", seconds=0.05)
        assert isinstance(error, Unreachable) and error.code == "TIMEOUT" and error.was_sent
        assert (await connection.call("health"))["ok"] is True


@pytest.mark.parametrize("code", [1012, 1013, 1006])
async def test_connection_that_ends_fails_what_waits(fake_gateway: FakeGateway, code: int) -> None:
    fake_gateway.break_off("config.patch", code=code)
    async with connected(fake_gateway) as connection:
        waiting = asyncio.create_task(failure(connection, "config.patch", {"raw": "{}"}))
        error = await waiting
        assert isinstance(error, Unreachable) and error.is_retryable and error.was_sent
        assert error.details["closeCode"] == code
        end = await connection.wait_closed()
        assert end.code == code and not connection.is_open
        later = await failure(connection, "health")
        assert isinstance(later, Unreachable) and not later.was_sent


async def test_restart_of_a_gateway(fake_gateway: FakeGateway) -> None:
    async with connected(fake_gateway) as connection:
        before = connection.hello.boot_id
        await fake_gateway.restart()
        assert (await connection.wait_closed()).code == 1012
    async with connected(fake_gateway) as connection:
        assert connection.hello.boot_id != before


async def test_gateway_without_ticks_counts_as_dead(fake_gateway: FakeGateway) -> None:
    fake_gateway.tick_ms = 20
    fake_gateway.ignore("health")
    async with connected(fake_gateway) as connection:
        error = await failure(connection, "health")
        assert isinstance(error, Unreachable) and error.is_retryable
        assert (await connection.wait_closed()).code == 4000


async def test_too_large_request_is_not_sent(fake_gateway: FakeGateway) -> None:
    fake_gateway.max_payload = 1000
    async with connected(fake_gateway) as connection:
        error = await failure(connection, "chat.send", send("one", text="x" * 1000))
    assert error.code == "TOO_LARGE" and not error.is_retryable and fake_gateway.calls == []


async def test_no_more_than_so_many_requests_at_a_time(fake_gateway: FakeGateway) -> None:
    gate = fake_gateway.hold("status", times=300)
    async with connected(fake_gateway) as connection:
        calls = [asyncio.create_task(connection.call("status")) for _ in range(300)]
        while fake_gateway.in_progress < AT_A_TIME:
            await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(*calls)
    assert fake_gateway.most_in_progress == AT_A_TIME and len(fake_gateway.sent("status")) == 300


async def test_paced_writes_wait_for_their_minute(fake_gateway: FakeGateway) -> None:
    clock = Clock()
    fake_gateway.now = clock
    pace = Pace(now=clock, sleep=clock.sleep)
    async with connected(fake_gateway, pace=pace) as connection:
        for _ in range(WRITES):
            await connection.call("config.patch", {"raw": "{}"})
        refused = await failure(connection, "config.patch", {"raw": "{}"}, seconds=5)
        assert refused.is_retryable and refused.retry_after is not None and refused.retry_after <= 61
        await connection.call("health")
        for _ in range(WRITES):
            await connection.call("config.patch", {"raw": "{}"}, seconds=120)
    assert len(fake_gateway.sent("config.patch")) == 2 * WRITES and clock.slept
    assert not [one for one in fake_gateway.calls if one.refused]


async def test_gateway_that_counts_otherwise_is_asked_again_when_it_says(fake_gateway: FakeGateway) -> None:
    clock = Clock()
    fake_gateway.now = clock
    fake_gateway.writes_per_minute = 2
    async with connected(fake_gateway, pace=Pace(now=clock, sleep=clock.sleep)) as connection:
        for _ in range(5):
            await connection.call("config.patch", {"raw": "{}"}, seconds=300)
    assert len(fake_gateway.sent("config.patch")) == 5 and sum(clock.slept) >= 120


async def test_answer_at_the_end_of_a_run(fake_gateway: FakeGateway) -> None:
    params = {"agentId": "main", "message": "hello", "idempotencyKey": "one", "sessionKey": "agent:main:main"}
    async with connected(fake_gateway) as connection:
        assert (await connection.call("agent", params))["status"] == "accepted"
        assert (await connection.call("agent", params | {"idempotencyKey": "two"}, final=True))["status"] == "ok"
        assert (await connection.call("health"))["ok"] is True
