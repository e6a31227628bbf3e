"""Resumable streams over the log: JSON messages for programs, page fragments for people."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from quart import Response, request

from mission_control.core import times
from mission_control.core.errors import DomainError
from mission_control.core.request_facts import answered
from mission_control.core.values import to_json
from mission_control.database.sql import rows
from mission_control.events import broker
from mission_control.events.broker import News, Signal, Subscription
from mission_control.events.event_log import SLACK
from mission_control.events.models import Event

PING_SECONDS = 15.0
LIFE_SECONDS = 30 * 60.0
HELD_BACK_SECONDS = 0.4  # after the answer to the reader's own request was sent
ANSWERED_WITHIN = timedelta(seconds=10)  # an older event is replayed; its request was answered long ago
DIGITS = 18  # no event has a longer number

PIECE = 2**16

Alive = Callable[[], Awaitable[bool]]
type Payload[T] = Callable[[T], Awaitable[Any | None]]


class Unavailable(DomainError, status=503):
    """The server is stopping."""


@dataclass(slots=True)
class Batch:
    """What happened since the last batch; empty ones are heartbeats.

    With `missed_signals` there may have been signals that are not in it.
    """

    events: list[Event] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    must_resync: bool = False
    missed_signals: bool = False

    @classmethod
    def of(cls, items: Sequence[News], after: int, reader: Subscription) -> "Batch":
        """Return what a reader took from its subscription, without the events up to a number."""
        events = [item for item in items if isinstance(item, Event) and item.seq > after]
        signals = [item for item in items if isinstance(item, dict)]
        batch = cls(events, signals, must_resync=reader.overflowed, missed_signals=reader.missed_signals)
        reader.missed_signals = False
        return batch


class LastByte:
    """When a stream last sent something: clients and proxies close one that is silent for long."""

    def __init__(self) -> None:
        self.sent()

    def sent(self) -> None:
        self._at = asyncio.get_running_loop().time()

    @property
    def seconds_left(self) -> float:
        """How long the stream may still be silent."""
        return max(0.0, self._at + PING_SECONDS - asyncio.get_running_loop().time())


async def requested_cursor(organization_id: UUID) -> int:
    """Return the number after which the client wants events: `Last-Event-ID`, `after`, `since`, else now."""
    head = await broker.head_of(organization_id)
    for text in (request.headers.get("Last-Event-ID"), request.args.get("after")):
        if text and text.strip().isascii() and text.strip().isdigit():
            return min(int(text.strip()[:DIGITS]), head)
    since = times.parse_since(request.args.get("since"))
    return head if since is None else await number_before(organization_id, since, head)


async def number_before(organization_id: UUID, since: datetime, head: int) -> int:
    """Return the number after which the events since a moment are; the head when there are none."""
    [row] = await rows(
        "WITH first AS (SELECT f.seq FROM events f WHERE f.organization_id = ? AND f.created_at >= ?"
        f" ORDER BY f.created_at LIMIT 1) SELECT MIN(e.seq) AS first FROM first CROSS JOIN events e"
        f" WHERE e.organization_id = ? AND e.seq BETWEEN first.seq - {SLACK} AND first.seq AND e.created_at >= ?",
        *(organization_id, since, organization_id, since),
    )
    return head if row["first"] is None else int(row["first"]) - 1


async def subscribe(organization_id: UUID, cursor: int, last_byte: LastByte) -> AsyncGenerator[Batch]:
    """Yield batches of everything after `cursor`, first from the log, then as it happens; ends when it must.

    An empty batch is due when nothing was sent for `PING_SECONDS`, however much happened that was not sent.
    """
    running = broker.current()
    if running is None:
        raise Unavailable("The server is stopping.")
    async with running.subscribe(organization_id) as reader:
        async for batch in _replayed(organization_id, cursor):
            cursor = batch.events[-1].seq
            yield batch
        ends_at = asyncio.get_running_loop().time() + LIFE_SECONDS * random.uniform(0.9, 1.1)
        while asyncio.get_running_loop().time() < ends_at:
            items = await reader.take(last_byte.seconds_left)
            if reader.closed:
                return
            batch = Batch.of(items, cursor, reader)
            cursor = batch.events[-1].seq if batch.events else cursor
            yield batch
            if batch.must_resync:
                return


async def _replayed(organization_id: UUID, cursor: int) -> AsyncIterator[Batch]:
    while events := await broker.events_after(organization_id, cursor):
        cursor = events[-1].seq
        yield Batch(events)
        if len(events) < broker.PAGE:
            return


def message(data: str, *, event: str | None = None, seq: int | None = None) -> bytes:
    lines = [f"event: {event}"] if event else []
    if seq is not None:
        lines.append(f"id: {seq}")
    lines += [f"data: {line}" for line in data.splitlines()] or ["data: "]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def json_message(data: object, event: str, seq: int | None) -> bytes:
    """Return one message with JSON, which may be bytes that many streams share."""
    head = f"event: {event}\r\n" if seq is None else f"event: {event}\r\nid: {seq}\r\n"
    return b"".join((head.encode(), b"data: ", data if isinstance(data, bytes) else to_json(data), b"\r\n\r\n"))


def ping() -> bytes:
    return f": ping - {datetime.now(UTC)}\r\n\r\n".encode()


def respond(source: AsyncIterator[bytes]) -> Response:
    response = Response(source, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    response.timeout = None
    return response


async def json_stream(
    organization_id: UUID,
    name: str,
    payload: Payload[Event],
    alive: Alive,
    signal_payload: Payload[Signal] | None = None,
    may_overtake: Callable[[Event], bool] = lambda event: False,
) -> Response:
    """Stream one message per event for which `payload` gives something; closes when `alive` says no.

    An event that `may_overtake` the answer to the reader's own request is held back, and what follows it too.
    """
    cursor = await requested_cursor(organization_id)

    async def source() -> AsyncIterator[bytes]:
        yield ping()
        last_byte = LastByte()
        stream = subscribe(organization_id, cursor, last_byte)
        async with aclosing(stream) as batches:
            async for batch in batches:
                if not await alive():
                    return
                is_first = True
                async for piece in _pieces(batch, name, payload, signal_payload, may_overtake):
                    # A slow reader takes long for a batch, and its rights may end before it is done.
                    if not is_first and not await alive():
                        return
                    is_first = False
                    yield piece
                    last_byte.sent()
                if not last_byte.seconds_left:
                    yield ping()
                    last_byte.sent()
                if batch.must_resync:
                    return

    return respond(source())


async def _pieces(
    batch: Batch,
    name: str,
    payload: Payload[Event],
    signal_payload: Payload[Signal] | None,
    may_overtake: Callable[[Event], bool] = lambda event: False,
) -> AsyncGenerator[bytes]:
    """Yield messages in pieces of about `PIECE` bytes: sending a piece costs more than making a message."""
    waiting = bytearray()
    early = _early(batch, may_overtake)
    items: tuple[News, ...] = (*batch.events, *batch.signals)
    for item in items:
        if early and item is early[0]:
            if waiting:
                yield bytes(waiting)
                waiting.clear()
            await answered([event.request_id for event in early], ANSWERED_WITHIN.total_seconds())
            await _let_answer_arrive()
        if isinstance(item, Event):
            waiting += _message(await payload(item), name, item.seq)
        elif signal_payload:
            waiting += _message(await signal_payload(item), name)
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _early(batch: Batch, may_overtake: Callable[[Event], bool]) -> list[Event]:
    since = times.clock_now() - ANSWERED_WITHIN
    return [event for event in batch.events if event.created_at > since and may_overtake(event)]


def _message(data: object, name: str, seq: int | None = None) -> bytes:
    return b"" if data is None else json_message(data, name, seq)


async def _let_answer_arrive() -> None:
    await asyncio.sleep(HELD_BACK_SECONDS)
