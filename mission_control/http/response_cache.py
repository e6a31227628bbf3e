"""Answers of reads, kept as bytes as long as the numbers of the log say that they are true.

An operation that declares `cached` says what its answer depends on: `state` reads, in one small statement, a value that
changes with every change of what is shown; `viewer` is what it depends on of the caller and the query. Both are read
before the answer is made, so that a change in between makes the kept answer younger than its state, never older.
Whether the caller may read it at all is checked before, on every request.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mission_control.core.actor import Actor
from mission_control.events.position import Position, position_of_organization

OVERHEAD = 500  # bytes of an entry beside its body
MEGABYTE = 2**20
MOST_PARTS = 4000  # under one key


@dataclass(frozen=True, slots=True)
class Cached:
    """What the answer of a read depends on, as functions of the caller, of what it is about, and of its query.

    A `viewer` of None says that the answer is not kept: it depends on the time. `render` makes the answer for a state
    from what is kept of it (`Parts`), in place of the operation's function.
    """

    state: Callable[[Actor, Any, Any], Awaitable[object]]
    viewer: Callable[[Actor, Any], Hashable | None]
    render: Callable[[Actor, Any, Any, Any], Awaitable[object]] | None = None


def exactly(data: bytes) -> bytes:
    """Return bytes in no more memory than they need; orjson leaves ten times as much behind short ones."""
    return bytes(memoryview(data))


class Kept:
    """What the cache holds; `charged` are the bytes that it was counted with, 0 when it is not held."""

    charged = 0

    @property
    def size(self) -> int:
        raise NotImplementedError


@dataclass
class Answer(Kept):
    """The bytes of an answer, in pieces where it is large, with its tag; gzipped as soon as somebody takes it so."""

    pieces: Sequence[bytes]
    tag: str
    packed: bytes | None = None

    @property
    def size(self) -> int:
        return OVERHEAD + sum(map(len, self.pieces)) + len(self.packed or b"")


class Parts(Kept):
    """Rendered parts of answers by the id of what they show, such as one task of a board, as of a state; and lists of
    such ids by what they list.

    A caller that reads one stores it only while the `generation` is the one of before: else something may have changed.
    """

    def __init__(self, state: Any) -> None:
        self.state = state
        self.generation = 0
        self.ids_of: dict[Hashable, tuple[list[str], int]] = {}  # with the number of all
        self._bytes_of: dict[tuple[str, str], bytes] = {}  # by kind of part and id
        self._size = 0

    def get(self, what: str, part_id: str) -> bytes | None:
        return self._bytes_of.get((what, part_id))

    def store(self, what: str, made: Mapping[str, bytes]) -> None:
        """Store parts of a kind, by id; of more than `MOST_PARTS` the oldest are dropped."""
        for part_id, part in made.items():
            self.drop((what, part_id))
            self._bytes_of[what, part_id] = part
            self._size += OVERHEAD + len(part)
        while len(self._bytes_of) > MOST_PARTS:
            self.drop(next(iter(self._bytes_of)))

    def drop(self, key: tuple[str, str]) -> None:
        if (part := self._bytes_of.pop(key, None)) is not None:
            self._size -= OVERHEAD + len(part)

    def clear(self) -> None:
        self._bytes_of.clear()
        self._size = 0

    @property
    def size(self) -> int:
        return OVERHEAD + OVERHEAD // 4 * sum(len(ids) for ids, _ in self.ids_of.values()) + self._size


@dataclass
class ResponseCache:
    """Answers and parts of them within a limit of bytes; what was used least recently goes first."""

    limit: int = 64 * MEGABYTE
    size: int = 0
    _kept: OrderedDict[Hashable, tuple[object, Kept]] = field(default_factory=OrderedDict)
    _making: dict[Hashable, tuple[object, "asyncio.Future[Answer]"]] = field(default_factory=dict)

    async def answer(self, key: Hashable, state: object, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer for a key in this state. It is made once for everybody who asks during that."""
        if isinstance(entry := self.kept(key, state), Answer):
            return entry
        making = self._making.get(key)
        if making is not None and making[0] == state:
            return await asyncio.shield(making[1])
        future = asyncio.ensure_future(make())
        self._making[key] = state, future
        try:
            answer = await asyncio.shield(future)
        finally:
            if self._making.get(key) == (state, future):
                del self._making[key]
        answer.pieces = [exactly(piece) for piece in answer.pieces]
        self.keep(key, state, answer)
        return answer

    def kept(self, key: Hashable, state: object) -> Kept | None:
        entry = self._kept.get(key)
        if entry is None or entry[0] != state:
            return None
        self._kept.move_to_end(key)
        return entry[1]

    def parts(self, key: Hashable, state: Any) -> Parts:
        entry = self._kept.get(key)
        if entry is not None and isinstance(entry[1], Parts):
            self._kept.move_to_end(key)
            return entry[1]
        self.keep(key, None, parts := Parts(state))
        return parts

    def keep(self, key: Hashable, state: object, entry: Kept) -> None:
        """Keep something in the place of what is kept under its key."""
        if (before := self._kept.pop(key, None)) is not None:
            self._forget(before[1])
        self._kept[key] = state, entry
        entry.charged = entry.size
        self.size += entry.charged
        self._trim()

    def recount(self, entry: Kept) -> None:
        if entry.charged:
            size = entry.size
            self.size += size - entry.charged
            entry.charged = size
            self._trim()

    def clear(self) -> None:
        while self._kept:
            self._forget(self._kept.popitem()[1][1])

    def _trim(self) -> None:
        while self.size > self.limit:
            self._forget(self._kept.popitem(last=False)[1][1])

    def _forget(self, entry: Kept) -> None:
        self.size -= entry.charged
        entry.charged = 0


cache = ResponseCache()


async def state_of_organization(actor: Actor, thing: object, query: object) -> Position:
    """Return the position of the log of the caller's organization: any event in it may change the answer."""
    return await position_of_organization(actor.organization_id)


def who_reads_the_same(actor: Actor, query: object) -> Hashable:
    """Say that everybody who reads the same boards of the organization gets the same answer, and every agent its own.

    Boards that are read one by one count only within an organization of which not all are read.
    """
    whole, single = actor.readable_boards()
    if actor.is_agent:
        return actor.id
    reads_all = actor.organization_id in whole
    return actor.organization_id, None if reads_all else frozenset(single)


OF_ORGANIZATION = Cached(state_of_organization, who_reads_the_same)
