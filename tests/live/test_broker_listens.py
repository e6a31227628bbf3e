"""The one connection on which a process hears of the others' changes: whatever befalls it, another one is made."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from mission_control.core.values import new_id
from mission_control.database import fit
from mission_control.events import broker
from mission_control.events.broker import Subscription, moment_of
from mission_control.events.listener import Listener

PATIENCE = 60
CALLBACKS: list[Any] = []


def listener_of(ours: broker.Broker) -> Listener:
    """The listener of a broker on PostgreSQL."""
    assert ours.listener is not None
    return ours.listener


@pytest.fixture(autouse=True)
def notifications_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is notified reaches whoever listened last."""

    async def notify(message: str) -> None:
        CALLBACKS[-1](None, 0, fit.CHANNEL, message)

    monkeypatch.setattr(fit, "notify", notify)


class Line:
    """A connection to the database, as far as listening needs it."""

    def __init__(self) -> None:
        self.is_heard = asyncio.Event()

    def add_termination_listener(self, callback: Any) -> None:
        """Never terminated."""

    async def add_listener(self, channel: str, callback: Any) -> None:
        self.is_heard.set()
        CALLBACKS.append(callback)


class CutLine(Line):
    """A connection that was cut right after it was made: asyncpg's own error, which is none of PostgreSQL's."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False

    async def add_listener(self, channel: str, callback: Any) -> None:
        raise asyncpg.InterfaceError("cannot call Connection.add_listener(): connection is closed")

    def terminate(self) -> None:
        self.is_closed = True


async def test_listener_reconnects_after_an_immediate_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cut, good = CutLine(), Line()
    lines: list[Line] = [good, cut]

    async def connect(*_: Any, **__: Any) -> Line:
        return lines.pop()

    monkeypatch.setattr(asyncpg, "connect", connect)
    listening = asyncio.create_task(listener_of(broker.Broker("postgresql://nowhere")).run())
    try:
        await asyncio.wait_for(good.is_heard.wait(), PATIENCE)
        assert cut.is_closed and not listening.done()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_readers_hear_that_signals_were_missed_while_nobody_listened(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(*_: Any, **__: Any) -> Line:
        return Line()

    monkeypatch.setattr(asyncpg, "connect", connect)
    ours, reader = broker.Broker("postgresql://nowhere"), Subscription()
    ours._readers[new_id()] = {reader}
    assert ours.recent.since(new_id(), moment_of(time.time() + PATIENCE)) is None
    listening = asyncio.create_task(listener_of(ours).run())
    try:
        await reader.take(PATIENCE)
        assert reader.missed_signals
        assert ours.recent.since(new_id(), moment_of(time.time() + PATIENCE)) == []
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
