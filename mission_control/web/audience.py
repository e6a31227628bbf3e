"""Audiences: open pages at one address, whose news are made once for all viewers with equal rights.

A viewer catches up with the log by itself and joins its audience, which writes the same bytes to everybody with equal
rights. A viewer whose connection does not take them at once leaves, and catches up again. Rights are looked up before
each message is made, and the message is made anew where they have changed before it is written.
"""

import asyncio
import contextlib
import logging
import random
import time
import zlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Iterable, Sequence, Set
from dataclasses import replace
from enum import Enum
from functools import cached_property
from uuid import UUID

from isal import isal_zlib

from mission_control.core.actor import Actor, AnyPerson, rights_of
from mission_control.events import broker, stream
from mission_control.events.broker import Broker, News, Subscription
from mission_control.events.models import Event
from mission_control.events.stream import Batch, Unavailable, message, ping
from mission_control.http import lookups
from mission_control.http.exchange import Exchange
from mission_control.http.lookups import Caller

TOGETHER_SECONDS = 0.02  # between two messages to an audience, and from a first signal to its message
REPLAY_LIMIT = 500  # events; a page that missed more is loaded again
WRITES_AT_ONCE = 250
PINGS_TOGETHER_SECONDS = 0.25
LEVEL = 2
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_BLOCK = b"\x03\x00"

_log = logging.getLogger(__name__)


class Message:
    """Bytes that many streams send, as they are and compressed.

    Compressed they are blocks that refer to nothing before them and end at a byte, so that they continue any gzip file.
    """

    def __init__(self, plain: bytes) -> None:
        self.plain = plain

    @cached_property
    def packed(self) -> bytes:
        packer = isal_zlib.compressobj(LEVEL, wbits=-isal_zlib.MAX_WBITS)
        packed: bytes = packer.compress(self.plain) + packer.flush(isal_zlib.Z_FULL_FLUSH)
        return packed


class Left(Enum):
    """Why a viewer is no longer written to."""

    BEHIND = "its connection takes no more for the moment"
    RESYNC = "it missed what cannot be repeated"
    SIGNED_OUT = "the page is no longer its own"
    OVER = "it has streamed for long enough, or the server stops"


LAST_WORDS = {
    Left.RESYNC: Message(message("", event="resync")),
    Left.SIGNED_OUT: Message(message("", event="signed-out")),
}


class Viewer:
    """An open page: who has it open, the newest event that it shows, and its connection."""

    def __init__(self, actor: Actor, exchange: Exchange, cursor: int, moment: str | None, *, packs: bool) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self.actor, self.cursor, self.moment = actor, cursor, moment
        self.rights: Hashable = None
        self.ends_at = loop.time() + stream.LIFE_SECONDS * random.uniform(0.9, 1.1)
        self.left: asyncio.Future[Left] = loop.create_future()
        self._exchange, self._packs = exchange, packs
        self._caller: Caller | None = None
        self._sending: asyncio.Task[None] | None = None
        self._checksum = self._size = 0

    def look_up(self, caller: Caller | None) -> bool:
        """Take over what a look-up found; return whether the viewer still belongs to the organization."""
        current = lookups.present(self.actor, caller)
        if current is None or self.actor.organization_id not in current.memberships:
            return False
        if caller is not self._caller:
            self._caller = caller
            self.actor = replace(current, organization_id=self.actor.organization_id, surface="page")
            self.rights = rights_of(self.actor)
        return True

    def leave(self, why: Left) -> None:
        if not self.left.done():
            self.left.set_result(why)

    def write(self, sent: Message) -> None:
        """Send a message; leave when the connection does not take it at once."""
        data = {"type": "http.response.body", "body": self.encoded(sent), "more_body": True}
        sending = asyncio.Task(self._exchange.send(data), loop=self._loop, eager_start=True)
        if not sending.done():
            self._sending = sending
            self.leave(Left.BEHIND)
        elif sending.exception() is not None:
            self.leave(Left.OVER)

    async def written(self) -> None:
        if self._sending is not None:
            await self._sending
            self._sending = None

    def come_back(self) -> None:
        """Let the viewer be written to again, once its connection has taken what was sent."""
        self.left = self._loop.create_future()

    def stop(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    def encoded(self, sent: Message) -> bytes:
        if not self._packs:
            return sent.plain
        head = b"" if self._size else GZIP_HEAD
        self._checksum = zlib.crc32(sent.plain, self._checksum)
        self._size += len(sent.plain)
        return head + sent.packed

    def end(self) -> bytes:
        if not self._packs:
            return b""
        return LAST_BLOCK + self._checksum.to_bytes(4, "little") + (self._size % 2**32).to_bytes(4, "little")


class Silences:
    """When each viewer was last sent something, the longest silent first: one timer for the pings to all of them."""

    def __init__(self) -> None:
        self._since: OrderedDict[Viewer, float] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def note_sent(self, viewers: Sequence[Viewer]) -> None:
        now = asyncio.get_running_loop().time()
        for viewer in viewers:
            self._since[viewer] = now
            self._since.move_to_end(viewer)
        if self._task is None and self._since:
            self._task = asyncio.create_task(self._ping())

    def forget(self, viewer: Viewer) -> None:
        self._since.pop(viewer, None)
        if not self._since and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _ping(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(max(0.0, next(iter(self._since.values())) + stream.PING_SECONDS - now()))
            await asyncio.sleep(PINGS_TOGETHER_SECONDS)
            due: list[Viewer] = []
            for viewer, since in self._since.items():
                if since + stream.PING_SECONDS > now() or len(due) == WRITES_AT_ONCE:
                    break
                due.append(viewer)
            self.note_sent(due)
            try:
                await self._ping_all([viewer for viewer in due if not viewer.left.done()])
            except Exception:  # they connect again
                _log.exception("pinging open pages failed")
                for viewer in due:
                    viewer.leave(Left.OVER)

    async def _ping_all(self, viewers: list[Viewer]) -> None:
        callers, sent = await lookups.callers([viewer.actor for viewer in viewers]), Message(ping())
        for viewer, caller in zip(viewers, callers, strict=True):
            if not viewer.look_up(caller):
                viewer.leave(Left.SIGNED_OUT)
            elif asyncio.get_running_loop().time() >= viewer.ends_at:
                viewer.leave(Left.OVER)
            elif not viewer.left.done():
                viewer.write(sent)


class Page[P]:
    """What an audience needs of its page. A batch is rendered as of the event `seen`; None is a page of somebody else.

    `shared` renders for anybody with certain rights: texts, and parts that depend on who looks, which `filled` renders.
    """

    async def news(self, actor: Actor, batch: Batch, seen: int) -> str | None:
        raise NotImplementedError

    async def shared(self, anybody: AnyPerson, batch: Batch, seen: int) -> list[str | P] | None:
        raise NotImplementedError

    async def filled(self, actor: Actor, batch: Batch, seen: int, parts: list[str | P]) -> str | None:
        raise NotImplementedError

    def take_back(self) -> None:
        """What was rendered last is not sent: what a page remembers of it does not hold."""


# What goes to viewers, by their rights, or by a viewer with its rights. A list lacks what depends on who looks.
type Made[P] = dict[Hashable, Message | Left | list[str | P] | None]


class Audience[P]:
    """The viewers of a page. They have every event up to the one that was taken from the broker last."""

    def __init__(self, organization_id: UUID, page: Page[P], silences: Silences, *, is_shared: bool) -> None:
        self.viewers = 0  # with those that catch up
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._organization_id, self._page, self._silences, self._is_shared = organization_id, page, silences, is_shared
        # A page of one viewer may remember what it has sent: it renders one thing at a time, and sends that.
        self._turn = contextlib.nullcontext() if is_shared else asyncio.Lock()
        self._members: dict[Viewer, None] = {}
        self._taken = self._deliveries = 0
        self._is_over = False

    async def watch(self, viewer: Viewer, running: Broker) -> AsyncGenerator[Message]:
        """Yield what a viewer missed, and let it be written to, until its stream is to end."""
        try:
            while True:
                async for sent in self._missed(viewer):
                    yield sent
                why = await self._attend(viewer, running)
                await viewer.written()
                if why is not Left.BEHIND:
                    break
                viewer.come_back()
            if why in LAST_WORDS:
                yield LAST_WORDS[why]
        finally:
            viewer.stop()

    async def _missed(self, viewer: Viewer) -> AsyncIterator[Message]:
        """Yield the events that the audience has had and the viewer has not."""
        is_far = self._taken - viewer.cursor > REPLAY_LIMIT
        while viewer.cursor < (upto := self._taken) and not viewer.left.done():
            events = [] if is_far else await broker.events_after(self._organization_id, viewer.cursor)
            html = await self._own(viewer, Batch(events))
            if html is None or is_far:
                viewer.leave(Left.SIGNED_OUT if html is None else Left.RESYNC)
                return
            viewer.cursor = events[-1].seq if events else upto
            if html:
                yield Message(message(html, seq=viewer.cursor))

    async def _attend(self, viewer: Viewer, running: Broker) -> Left:
        """Let a viewer that has every event be written to, and return why that ended."""
        missed = [] if viewer.moment is None else running.recent.since(self._organization_id, viewer.moment)
        self._members[viewer] = None
        self._silences.note_sent([viewer])
        has_all = not missed and missed is not None
        try:
            if self._is_over:
                viewer.leave(Left.OVER)
            if not has_all:
                async with self._turn:
                    has_all = await self._repeat(viewer, Batch(signals=missed or [], missed_signals=missed is None))
            return await viewer.left
        finally:
            if has_all:  # else what it missed is looked for again, when its connection takes more
                viewer.moment = broker.moment_of(time.time())
            del self._members[viewer]
            self._silences.forget(viewer)
            viewer.cursor = max(viewer.cursor, self._taken)

    async def _repeat(self, viewer: Viewer, signals: Batch) -> bool:
        """Send what signals changed; again when newer news overtook that. Return False if the viewer left before."""
        while not viewer.left.done():
            deliveries = self._deliveries
            html = await self._own(viewer, signals)
            if html is None:
                viewer.leave(Left.SIGNED_OUT)
            elif deliveries == self._deliveries:
                if html and not viewer.left.done():
                    viewer.write(Message(message(html, seq=self._taken)))
                    return True
                return not html
        return False

    async def _own(self, viewer: Viewer, batch: Batch) -> str | None:
        """Return what a batch changes for one viewer, None when the page is no longer its own."""
        while True:
            [caller] = await lookups.callers([viewer.actor])
            changes = lookups.changes()
            if not viewer.look_up(caller):
                return None
            seen = batch.events[-1].seq if batch.events else viewer.cursor
            html = await self._page.news(viewer.actor, batch, max(self._taken, seen))
            if changes == lookups.changes():
                return html
            self._page.take_back()

    async def run(self, running: Broker) -> None:
        """Send news to the viewers as they happen."""
        try:
            async with running.subscribe(self._organization_id) as reader:
                self._begin(running, reader)
                self.begun.set_result(None)
                while True:
                    items = await reader.take()
                    if any(isinstance(item, dict) for item in items):  # of a few signals each may be half of the news
                        await asyncio.sleep(TOGETHER_SECONDS)
                        items += reader.take_now()
                    if reader.closed:
                        return
                    async with self._turn:
                        await self._take(items, running, reader)
                    await asyncio.sleep(TOGETHER_SECONDS)
        except Exception as error:
            if self.begun.done():
                _log.exception("sending news to open pages failed")
            else:
                self.begun.set_exception(error)
        finally:
            self._is_over = True
            self._leave_all(Left.OVER)

    def _begin(self, running: Broker, reader: Subscription) -> None:
        first = next((item.seq for item in reader.queue if isinstance(item, Event)), None)
        self._taken = (running.head(self._organization_id) or 0) if first is None else first - 1

    def _leave_all(self, why: Left) -> None:
        for viewer in self._members:
            viewer.leave(why)

    async def _take(self, items: Sequence[News], running: Broker, reader: Subscription) -> None:
        if reader.overflowed:
            reader.queue.clear()
            reader.overflowed = False
            self._begin(running, reader)
            self._leave_all(Left.RESYNC)
            return
        batch = Batch.of(items, self._taken, reader)
        self._taken = batch.events[-1].seq if batch.events else self._taken
        try:
            await self._deliver(batch)
        except Exception:  # they connect again, and get what they missed
            _log.exception("sending news to open pages failed")
            self._leave_all(Left.OVER)

    async def _deliver(self, batch: Batch) -> None:
        made: Made[P] = {}
        authors, members = {event.actor_id for event in batch.events}, list(self._members)
        self._deliveries += 1
        for start in range(0, len(members), WRITES_AT_ONCE):
            await self._deliver_to(members[start : start + WRITES_AT_ONCE], authors, batch, made)
            await asyncio.sleep(0)

    async def _deliver_to(
        self, members: Sequence[Viewer], authors: Set[UUID | None], batch: Batch, made: Made[P]
    ) -> None:
        """Send a batch to each of some members by the rights that it has when that is written."""
        while members := [viewer for viewer in members if viewer in self._members and not viewer.left.done()]:
            callers = await lookups.callers([viewer.actor for viewer in members])
            changes = lookups.changes()
            groups = self._by_rights(zip(members, callers, strict=True), authors)
            for key, some in groups.items():
                await self._make(key, some, batch, made)
            if changes == lookups.changes():
                for key, some in groups.items():
                    self._write(some, key, made)
                return
            self._page.take_back()

    def _by_rights(
        self, looked_up: Iterable[tuple[Viewer, Caller | None]], authors: Set[UUID | None]
    ) -> dict[Hashable, list[Viewer]]:
        groups: dict[Hashable, list[Viewer]] = {}
        for viewer, caller in looked_up:
            if viewer.look_up(caller):
                is_alone = not self._is_shared or viewer.actor.id in authors
                groups.setdefault((viewer, viewer.rights) if is_alone else viewer.rights, []).append(viewer)
            else:
                viewer.leave(Left.SIGNED_OUT)
        return groups

    async def _make(self, key: Hashable, viewers: list[Viewer], batch: Batch, made: Made[P]) -> None:
        """Render a batch for viewers with equal rights, once but for the parts that depend on who looks."""
        page, seen = self._page, self._taken
        if key != viewers[0].rights:
            made[key] = self._sent(await page.news(viewers[0].actor, batch, seen))
            return
        if key not in made:
            parts = await page.shared(AnyPerson.like(viewers[0].actor), batch, seen)
            is_whole = parts is None or all(isinstance(part, str) for part in parts)
            made[key] = self._sent(None if parts is None else "".join(map(str, parts))) if is_whole else parts
        if isinstance(pieces := made[key], list):
            for viewer in viewers:
                made[viewer, key] = self._sent(await page.filled(viewer.actor, batch, seen, pieces))

    def _sent(self, html: str | None) -> Message | Left | None:
        if html is None:
            return Left.SIGNED_OUT
        return Message(message(html, seq=self._taken)) if html else None

    def _write(self, viewers: list[Viewer], key: Hashable, made: Made[P]) -> None:
        written = []
        for viewer in viewers:
            sent = made.get((viewer, key), made[key])
            if isinstance(sent, Left):
                viewer.leave(sent)
            elif isinstance(sent, Message) and not viewer.left.done():
                viewer.write(sent)
                written.append(viewer)
        self._silences.note_sent([viewer for viewer in written if not viewer.left.done()])


class Audiences[P]:
    """The audiences of this process, by what their pages depend on."""

    def __init__(self) -> None:
        self._open: dict[Hashable, tuple[Audience[P], asyncio.Task[None]]] = {}
        self._silences = Silences()

    @contextlib.asynccontextmanager
    async def joined(
        self, key: Hashable, organization_id: UUID, page: Page[P], *, is_shared: bool
    ) -> AsyncIterator[tuple[Audience[P], Broker]]:
        """Return the audience of a page; the last one who leaves ends it."""
        running = broker.current()
        if running is None:
            raise Unavailable("The server is stopping.")
        if key not in self._open:
            made = Audience(organization_id, page, self._silences, is_shared=is_shared)
            self._open[key] = made, asyncio.create_task(made.run(running))
        audience, task = self._open[key]
        audience.viewers += 1
        try:
            await asyncio.shield(audience.begun)
            yield audience, running
        finally:
            audience.viewers -= 1
            if not audience.viewers:
                del self._open[key]
                task.cancel()
