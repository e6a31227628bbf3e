"""Reading a stream in a test, message by message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.cast import API, Caller
from tests.moments import loose_moments

PATIENCE = 60.0


@dataclass(slots=True)
class Message:
    event: str
    id: int | None
    data: Any


@dataclass(slots=True)
class Stream:
    connection: Any
    comments: list[str] = field(default_factory=list)
    seen: list[Message] = field(default_factory=list)
    _buffer: bytes = b""

    @property
    def headers(self) -> Any:
        return self.connection.headers

    async def begun(self) -> "Stream":
        """Wait for the first bytes, a comment, which says that nothing later can be missed."""
        while not self.comments:
            await self._read()
        return self

    async def next(self) -> Message:
        """The next message; a stream that stays silent for a minute fails the test."""
        while True:
            block, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                await self._read()
                continue
            self._buffer = rest
            self.seen.append(_parsed(block.decode()))
            return self.seen[-1]

    async def take(self, count: int) -> list[Message]:
        return [await self.next() for _ in range(count)]

    async def ended(self) -> None:
        """Wait until the server ends the stream, without any further message."""
        await asyncio.wait_for(asyncio.shield(self.connection._task), PATIENCE)
        while not self.connection._receive_queue.empty():
            self._feed(await self.connection.receive())
        assert self._buffer == b""

    async def silent(self) -> None:
        """Nothing has come that was not taken."""
        while not self.connection._receive_queue.empty():
            self._feed(await self.connection.receive())
        assert self._buffer == b""

    async def _read(self) -> None:
        self._feed(await asyncio.wait_for(self.connection.receive(), PATIENCE))

    def _feed(self, chunk: bytes) -> None:
        self._buffer += chunk
        while self._buffer.startswith(b":") and b"\r\n\r\n" in self._buffer:
            comment, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self.comments.append(comment.decode())


def _parsed(block: str) -> Message:
    lines = [line.partition(": ") for line in block.split("\r\n")]
    assert all(name in ("event", "id", "data") for name, _, _ in lines), block
    assert [name for name, _, _ in lines].count("data") == 1
    values = {name: value for name, _, value in lines}
    data = orjson.loads(values["data"])
    assert loose_moments(data) == []
    return Message(values["event"], int(values["id"]) if "id" in values else None, data)


@asynccontextmanager
async def reading(caller: Caller, path: str, **headers: str) -> AsyncIterator[Stream]:
    """Open a stream, wait until it has begun, and hang up at the end."""
    client = caller.app.test_client(use_cookies=False)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    path, _, query = path.partition("?")
    where = f"{API}{path}" + (f"?{query}" if query else "")
    request: Any = client.request(where, headers={**caller.headers, **names})
    async with request as connection:
        await connection.send_complete()
        stream = Stream(connection)
        await stream.begun()
        assert connection.status_code == 200
        yield stream
        await connection.disconnect()
