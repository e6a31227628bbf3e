"""What our connections change in Hypercorn: writes of an answer, and the end of idle connections."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.protocol.events import Body, EndBody, Response

from mission_control.connections import Connection, Http1, IdleConnections

REQUEST = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"


class Protocol(Http1):
    """HTTP/1.1 that has read a request, and collects what it writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        super().__init__(*cast(Any, (None, Config(), WorkerContext(None), None, None, False, None, None, self.collect)))
        self.connection.receive_data(REQUEST)
        self.connection.next_event()

    async def collect(self, event: Event) -> None:
        """Take what would be written to the client."""
        assert isinstance(event, RawData)
        self.written.append(event.data)


async def test_head_and_body_of_an_answer_are_one_write() -> None:
    protocol = Protocol()
    await protocol.stream_send(Response(stream_id=1, status_code=200, headers=[(b"content-length", b"4")]))
    assert protocol.written == []
    await protocol.stream_send(Body(stream_id=1, data=b"done"))
    await protocol.stream_send(EndBody(stream_id=1))
    [written] = protocol.written
    assert written.startswith(b"HTTP/1.1 200") and written.endswith(b"\r\n\r\ndone")


async def test_answer_without_a_body_is_written_at_its_end() -> None:
    protocol = Protocol()
    await protocol.stream_send(Response(stream_id=1, status_code=204, headers=[]))
    await protocol.stream_send(EndBody(stream_id=1))
    [written] = protocol.written
    assert written.startswith(b"HTTP/1.1 204") and written.endswith(b"\r\n\r\n")


async def test_each_piece_of_a_stream_is_written_at_once() -> None:
    protocol = Protocol()
    await protocol.stream_send(Response(stream_id=1, status_code=200, headers=[]))
    await protocol.stream_send(Body(stream_id=1, data=b"one"))
    assert len(protocol.written) == 1 and b"one" in protocol.written[0]
    await protocol.stream_send(Body(stream_id=1, data=b"two"))
    assert len(protocol.written) == 2 and b"two" in protocol.written[1]


class Clock:
    """The loop of idle connections, whose time the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Any, tuple[Any, ...]]] = []
        self.create_task = asyncio.get_running_loop().create_task

    def time(self) -> float:
        """The time that the test has set."""
        return self.now

    def call_at(self, when: float, callback: Any, *arguments: Any) -> str:
        """Remember a timer."""
        self.timers.append((when, callback, arguments))
        return "timer"

    def call_later(self, seconds: float, callback: Any, *arguments: Any) -> str:
        """Remember a timer."""
        return self.call_at(self.now + seconds, callback, *arguments)

    def advance(self, to: float) -> None:
        """Let time pass; timers that are due run."""
        self.now = to
        due = [one for one in self.timers if one[0] <= to]
        self.timers = [one for one in self.timers if one[0] > to]
        for _, callback, arguments in due:
            callback(*arguments)


class Idle:
    """A connection that may become idle."""

    def __init__(self, loop: Clock, context: WorkerContext) -> None:
        self.loop, self.context, self.config = loop, context, Config()
        self.config.keep_alive_timeout = 75
        self.is_closed = False

    def close_idle(self) -> None:
        """Close the connection."""
        self.is_closed = True


@pytest.fixture
async def made() -> tuple[IdleConnections, Clock, WorkerContext, list[Idle]]:
    loop, context = Clock(), WorkerContext(None)
    return IdleConnections(), loop, context, [Idle(loop, context) for _ in range(3)]


def closed(connections: list[Idle]) -> Iterator[bool]:
    return (one.is_closed for one in connections)


async def test_connections_close_when_their_keep_alive_time_is_over(
    made: tuple[IdleConnections, Clock, WorkerContext, list[Idle]],
) -> None:
    idle, loop, context, connections = made
    for number, one in enumerate(connections):
        loop.advance(number * 30.0)
        idle.add(cast(Connection, one))
    loop.advance(70.0)
    idle.discard(cast(Connection, connections[1]))  # it has a request
    loop.advance(76.0)
    assert list(closed(connections)) == [True, False, False]
    idle.add(cast(Connection, connections[1]))  # its time counts from now on
    loop.advance(136.0)
    assert list(closed(connections)) == [True, False, True]
    loop.advance(152.0)
    assert list(closed(connections)) == [True, True, True]
    assert loop.timers == []
    await context.terminated.set()


async def test_idle_connections_close_when_the_server_stops(
    made: tuple[IdleConnections, Clock, WorkerContext, list[Idle]],
) -> None:
    idle, _, context, connections = made
    for one in connections[:2]:
        idle.add(cast(Connection, one))
    await asyncio.sleep(0)
    await context.terminated.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert list(closed(connections)) == [True, True, False]
