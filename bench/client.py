"""A cheap keep-alive HTTP client, so that the server dominates the measurement."""

import asyncio
from typing import Any

import orjson


class Connection:
    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self.tag = ""  # of the last answer
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request. Return status and body."""
        await self._send(method, path, body, headers)
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        self.tag = head.lower().partition(b"\r\netag:")[2].partition(b"\r\n")[0].strip().decode()
        if (status := int(head[9:12])) == 304:
            return status, b""
        body = await (self._reader.readexactly(int(length)) if length else self._chunks())
        if b"connection: close" in head.lower():  # some servers end a connection after a thousand requests
            self.close()
            self._reader = self._writer = None
        return status, body

    async def _chunks(self) -> bytes:
        """Return a body that is sent in pieces."""
        assert self._reader is not None
        found = bytearray()
        while length := int(await self._reader.readline(), 16):
            found += (await self._reader.readexactly(length + 2))[:-2]
        await self._reader.readline()
        return bytes(found)

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed. Return its JSON."""
        status, text = await self.call(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path} answers {status}: {text[:300]!r}")
        return orjson.loads(text)

    async def stream(self, path: str, headers: dict[str, str] | None = None) -> asyncio.StreamReader:
        """Open an event stream. Yield its lines, with the chunk marks between them."""
        await self._send("GET", path, None, headers)
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} answers {head[:60]!r}")
        await self._reader.readline()
        return self._reader

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> None:
        if self._writer is None:
            await self.open()
        assert self._writer is not None
        text = b"" if body is None else orjson.dumps(body)
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if body is not None else ""
        kind += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{self._head}{kind}\r\n".encode() + text)
        await self._writer.drain()
