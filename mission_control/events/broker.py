"""The broker: reads the log once per process and delivers new events to subscribers.

On PostgreSQL one direct connection LISTENs (`listener.py`), so that changes by other processes, on any machine, are
noticed. On SQLite the process is alone but for the command line, whose writes a check of `PRAGMA data_version` notices.
A sweep repairs whatever was missed.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import orjson

from mission_control.core import times
from mission_control.database.sql import rows
from mission_control.events import wakeup_channels
from mission_control.events.listener import Listener
from mission_control.events.models import Event
from mission_control.events.wakeup_channels import PROCESS

KEPT_SECONDS = 120.0
MOST = 500  # of one organization
APART_SECONDS = 2.0  # how far the clocks of two machines may differ

DIGITS = 18

Signal = dict[str, Any]
News = Event | Signal


# Signals of the last moments, for pages that were read before their stream was open. Events are in the log, where a
# stream finds what it missed. Signals are stored nowhere: what was sent after a page was read and before its stream was
# open is kept here for a while. A moment is a text: milliseconds since the epoch, and the process that took them.
def moment_of(seconds: float) -> str:
    return f"{int(seconds * 1000)}-{PROCESS}"


def _read(moment: str) -> float | None:
    """Return the seconds since the epoch of a moment; None when it is none."""
    digits, _, process = moment.partition("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS):
        return None
    return int(digits) / 1000 - (0.0 if process == PROCESS else APART_SECONDS)


class RecentSignals:
    """The newest signals of each organization that this process got."""

    def __init__(self) -> None:
        self._complete_since: float | None = None
        self._kept: dict[UUID, deque[tuple[float, Signal]]] = {}
        self._dropped: dict[UUID, float] = {}

    def begin(self) -> None:
        self._complete_since = times.epoch_seconds()

    def interrupt(self) -> None:
        self._complete_since = None

    def add(self, organization_id: UUID, signals: list[Signal]) -> None:
        if not signals:
            return
        recent, now = self._kept.setdefault(organization_id, deque()), times.epoch_seconds()
        recent.extend((now, signal) for signal in signals)
        while len(recent) > MOST:
            self._dropped[organization_id] = recent.popleft()[0]

    def since(self, organization_id: UUID, moment: str) -> list[Signal] | None:
        """Return the signals since a moment, None when there may have been others; none for what is no moment."""
        since, now = _read(moment), times.epoch_seconds()
        if since is None:
            return []
        if self._complete_since is None or since < max(self._complete_since, now - KEPT_SECONDS):
            return None
        if since <= self._dropped.get(organization_id, 0.0):
            return None
        return [signal for sent, signal in self._kept.get(organization_id, ()) if sent >= since]

    def forget_old(self) -> None:
        oldest = times.epoch_seconds() - KEPT_SECONDS
        for organization_id, recent in list(self._kept.items()):
            while recent and recent[0][0] < oldest:
                recent.popleft()
            if not recent:
                del self._kept[organization_id]
                self._dropped.pop(organization_id, None)


QUEUE_SIZE = 256


class Subscription:
    """One reader's bounded queue of events and signals.

    `overflowed` says that it fell behind, `missed_signals` that signals may have been sent which never came here.
    """

    def __init__(self) -> None:
        self.queue: deque[News] = deque()
        self.overflowed = False
        self.missed_signals = False
        self.closed = False
        self._waits: asyncio.Future[None] | None = None

    def put(self, item: News) -> None:
        """Add an item, or mark the reader as fallen behind."""
        if len(self.queue) >= QUEUE_SIZE:
            self.overflowed = True
        else:
            self.queue.append(item)
        self._wake()

    def miss_signals(self) -> None:
        self.missed_signals = True
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    async def take(self, timeout: float | None = None) -> list[News]:
        """Return everything that has arrived; waits for the first item, up to `timeout` seconds."""
        if not (self.queue or self.closed or self.overflowed or self.missed_signals):
            loop = asyncio.get_running_loop()
            self._waits = loop.create_future()
            timer = None if timeout is None else loop.call_later(timeout, self._wake)
            try:
                await self._waits
            finally:
                if timer is not None:
                    timer.cancel()
        return self.take_now()

    def take_now(self) -> list[News]:
        taken = list(self.queue)
        self.queue.clear()
        return taken

    def _wake(self) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)


PAGE = 500
SWEEP_SECONDS = 15.0
SQLITE_CHECK_SECONDS = 0.25
# Events written within this time after a read go out together: one read, and one message to each reader.
DEBOUNCE_SECONDS = 0.02

_log = logging.getLogger(__name__)
_current: "Broker | None" = None


def current() -> "Broker | None":
    return _current


def is_read() -> bool:
    return _current is not None and not _current.closing and _current.reader_count > 0


def known_head(organization_id: UUID) -> int | None:
    """Return the newest event number delivered here, by which streams share reads."""
    return _current.head(organization_id) if _current is not None else None


def known_state(organization_id: UUID, seen: int = 0) -> tuple[UUID, int, int]:
    """Return the newest number and signal delivered here, by which streams share reads.

    `seen` is the newest event that the reader has: a replay reads the log ahead of what was delivered, and must not get
    what was read before it.
    """
    signals = _current.signal_count(organization_id) if _current is not None else 0
    return organization_id, max(known_head(organization_id) or 0, seen), signals


class Broker:
    def __init__(self, postgres_dsn: str | None, debounce: float = DEBOUNCE_SECONDS) -> None:
        self._debounce = debounce
        self._readers: dict[UUID, set[Subscription]] = {}
        self._heads: dict[UUID, int] = {}
        self._stale: set[UUID] = set()
        self._signals: dict[UUID, list[Signal]] = {}
        self._signal_counts: dict[UUID, int] = {}
        self.recent = RecentSignals()
        self.listener: Listener | None = None
        if postgres_dsn is not None:
            self.listener = Listener(postgres_dsn, self._hear, self._begin_to_listen, self.recent.interrupt)
        self._reading: UUID | None = None
        self._new = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.closing = False

    @property
    def uses_database(self) -> bool:
        """Whether signals travel through the database, to all processes."""
        return self.listener is not None

    def healthy(self) -> str | None:
        """Return None when all is well, else the reason in a few words."""
        if self.closing:
            return "stopping"
        if any(task.done() for task in self._tasks):
            return "stopped unexpectedly"
        return None if self.listener is None else self.listener.fault

    async def start(self) -> None:
        """Begin reading; becomes the broker of this process.

        On PostgreSQL it waits for the first attempt to listen, which waits until no newer version migrates.
        """
        global _current
        watch = self._watch_file() if self.listener is None else self.listener.run()
        self._tasks = [asyncio.create_task(loop) for loop in (self._pump(), self._sweep(), watch)]
        _current = self
        if self.listener is None:
            self.recent.begin()
        else:
            await self.listener.has_tried.wait()

    def close(self) -> None:
        """End every stream; no new ones begin."""
        self.closing = True
        wakeup_channels.channels_notify_all()
        for readers in self._readers.values():
            for reader in readers:
                reader.close()

    async def stop(self) -> None:
        """End every stream and stop reading."""
        global _current
        self.close()
        if _current is self:
            _current = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.listener is not None:
            self.listener.close()

    @contextlib.asynccontextmanager
    async def subscribe(self, organization_id: UUID) -> AsyncIterator[Subscription]:
        """Receive everything that is recorded from now on."""
        reader = Subscription()
        readers = self._readers.setdefault(organization_id, set())
        readers.add(reader)
        try:
            if organization_id not in self._heads:
                head = await head_of(organization_id)
                self._heads.setdefault(organization_id, head)
            if self.closing:
                reader.close()
            yield reader
        finally:
            readers.discard(reader)
            if not readers and self._readers.get(organization_id) is readers:
                del self._readers[organization_id]
                self._heads.pop(organization_id, None)
                self._signals.pop(organization_id, None)

    @property
    def reader_count(self) -> int:
        return sum(map(len, self._readers.values()))

    def head(self, organization_id: UUID) -> int | None:
        return self._heads.get(organization_id)

    def signal_count(self, organization_id: UUID) -> int:
        """Return how many signals were delivered while anybody subscribed to the organization."""
        return self._signal_counts.get(organization_id, 0)

    def wake(self, organization_id: UUID) -> None:
        """Let the broker read the log of an organization, which may have new events."""
        if organization_id in self._readers:
            self._stale.add(organization_id)
            self._new.set()

    def signal(self, organization_id: UUID, signal: Signal) -> None:
        """Send a signal to all readers of the organization, behind the events that they have not got yet."""
        if organization_id in self._stale or organization_id == self._reading:
            self._signals.setdefault(organization_id, []).append(signal)
            return
        self._put(organization_id, [signal])

    def signal_everybody(self, signal: Signal) -> None:
        for organization_id in list(self._readers):
            self.signal(organization_id, signal)

    def _put(self, organization_id: UUID, items: Sequence[News]) -> None:
        signals = [item for item in items if isinstance(item, dict)]
        self._signal_counts[organization_id] = self.signal_count(organization_id) + len(signals)
        self.recent.add(organization_id, signals)
        for reader in self._readers.get(organization_id, ()):
            for item in items:
                reader.put(item)

    def _wake_all(self) -> None:
        for organization_id in self._readers:
            self.wake(organization_id)

    def _say_that_signals_were_missed(self) -> None:
        for organization_id, readers in self._readers.items():
            self._signal_counts[organization_id] = self.signal_count(organization_id) + 1  # what was read is in doubt
            for reader in readers:
                reader.miss_signals()

    async def _pump(self) -> None:
        while True:
            await self._new.wait()
            self._new.clear()
            for organization_id in list(self._stale):
                await self._catch_up(organization_id)
            await asyncio.sleep(self._debounce)

    async def _catch_up(self, organization_id: UUID) -> None:
        """Deliver new events, then the signals that came after them."""
        self._stale.discard(organization_id)
        signals = self._signals.pop(organization_id, [])
        self._reading = organization_id
        try:
            await self._deliver_events(organization_id)
        except Exception:
            _log.exception("reading new events failed")
            self._signals[organization_id] = signals + self._signals.get(organization_id, [])
            self._stale.add(organization_id)
            asyncio.get_running_loop().call_later(0.5, self._new.set)
            return
        finally:
            self._reading = None
        self._put(organization_id, signals)
        if self._signals.get(organization_id):
            self.wake(organization_id)

    async def _deliver_events(self, organization_id: UUID) -> None:
        while (head := self._heads.get(organization_id)) is not None:
            events = await events_after(organization_id, head)
            if not events:
                return
            if self._heads.get(organization_id) != head:
                continue
            self._heads[organization_id] = events[-1].seq
            self._put(organization_id, events)
            if len(events) < PAGE:
                return

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._wake_all()
            self.recent.forget_old()

    async def _watch_file(self) -> None:
        """Notice what the command line writes: at once where somebody reads a stream, else with every sweep."""
        seen: int | None = None
        looked_at = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(SQLITE_CHECK_SECONDS)
            if not self._readers and asyncio.get_running_loop().time() - looked_at < SWEEP_SECONDS:
                continue
            looked_at = asyncio.get_running_loop().time()
            try:
                [row] = await rows("PRAGMA data_version")
            except Exception:
                _log.exception("looking for changes of the file failed")
                continue
            if row["data_version"] != seen:  # on the first poll too: nobody was notified of earlier changes
                wakeup_channels.run_all_callbacks()
                self._wake_all()
            seen = row["data_version"]

    def _begin_to_listen(self) -> None:
        self.recent.begin()
        self._wake_all()
        self._say_that_signals_were_missed()
        wakeup_channels.channels_notify_all()

    def _hear(self, payload: str) -> None:
        if payload.startswith("{"):
            message = orjson.loads(payload)
            if "channels" not in message:
                self.signal(UUID(message["organization"]), message["signal"])
            elif message["from"] != wakeup_channels.PROCESS:
                wakeup_channels.channels_notify(message["channels"])
            else:  # this process notifies its own waiters, but maybe only after a notification of the next commit
                wakeup_channels.run_callbacks(message["channels"])
        else:
            self.wake(UUID(payload.partition(":")[0]))


async def head_of(organization_id: UUID) -> int:
    """Return the number of the organization's newest event, 0 without one."""
    heads = await rows("SELECT log_seq FROM organizations WHERE id = ?", organization_id)
    return int(heads[0]["log_seq"]) if heads else 0


async def events_after(organization_id: UUID, seq: int, limit: int = PAGE) -> list[Event]:
    query = Event.filter(organization_id=organization_id, seq__gt=seq).order_by("seq")
    return await query.limit(limit)
