"""What our connections do beyond uvicorn's protocol, on a real socket in front of a small application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from mission_control.server import connections, http2
from mission_control.server.connections import MOST_HEAD_BYTES, Server
from tests.tiny_app import settings_with

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
WAITING = b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE = 30


class Echo:
    """An application that answers with the body it got; at `/early` before it has arrived. At `/waits` it waits for its
    client to hang up."""

    def __init__(self) -> None:
        self.waiting = 0
        self.hung_up = 0
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body, message = b"", {"more_body": scope["path"] != "/early"}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        if scope["path"] == "/waits":
            self.waiting += 1
            assert await receive() == {"type": "http.disconnect"}
            self.hung_up += 1
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"got " + body, "more_body": True})
        await send({"type": "http.response.body", "body": b"."})


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readuntil(b"0\r\n\r\n")

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.transport.abort()


class Running:
    def __init__(self, app: Echo, server: Server, port: int) -> None:
        self.app, self.server, self.port = app, server, port
        self._clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def asked(self, *pieces: bytes) -> bytes:
        """Return what the server answers to bytes sent in pieces, until it closes."""
        client = await self.client()
        for piece in pieces:
            await client.send(piece)
            await asyncio.sleep(0.01)
        return await client.rest()

    def close(self) -> None:
        for client in self._clients:
            client.close()


async def becomes(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(**settings: str) -> AsyncIterator[Running]:
    app = Echo()
    server = Server(app, settings_with(**settings))
    listening = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    running = Running(app, server, listening.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        running.close()
        listening.close()
        await server.end(PATIENCE)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with serving() as one:
        yield one


async def test_body_behind_the_offer_of_another_protocol_is_read(running: Running) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 4\r\n"
    client = await running.client()
    for end in (b"\r\nbody", b"\r\nbo"):  # whole, and in two pieces
        await client.send(head + end)
        await client.send(b"" if end.endswith(b"body") else b"dy")
        assert b"got body" in await client.answer()
    await client.send(GET)
    assert b" 200 " in (await client.answer())[:20]
    assert dict(running.app.scopes[0]["headers"])[b"upgrade"] == b"h2c"  # what is behind the offer is ours to refuse


async def test_answers_to_http_1_0_have_no_chunks(running: Running) -> None:
    answer = await running.asked(b"POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"got body." and b"chunked" not in head and b"connection: close" in head


@pytest.mark.parametrize("request_", [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"rubbish\r\n\r\n",
])  # fmt: skip
async def test_what_is_no_request_is_refused_and_closed(running: Running, request_: bytes) -> None:
    assert (await running.asked(request_ + GET)).startswith(b"HTTP/1.1 400 ")
    assert running.app.scopes == []


async def test_whole_addresses_are_read(running: Running) -> None:
    for address, path in ((b"http://x/a%20b?c=1", "/a b"), (b"http://x", "/")):
        client = await running.client()
        await client.send(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % address)
        await client.answer()
        assert running.app.scopes[-1]["path"] == path
    assert running.app.scopes[0]["query_string"] == b"c=1"


async def test_request_that_breaks_off_in_its_body_ends(running: Running) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await running.asked(head, b"4\r\nbody\r\n", b"no length\r\n")).startswith(b"HTTP/1.1 400 ")
    answer = await running.asked(GET + head, b"4\r\nbody\r\n", b"no length\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b"0\r\n\r\nHTTP/1.1 400 " in answer
    await becomes(lambda: not running.server.state.tasks)


async def test_head_of_any_size_is_refused(running: Running) -> None:
    pieces = [b"x" * 10_000] * (MOST_HEAD_BYTES // 10_000 + 2)
    assert (await running.asked(GET[:-2] + b"Large: ", *pieces)).startswith(b"HTTP/1.1 431 ")


async def test_what_is_no_part_of_a_request_has_an_end(running: Running) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for begin, piece in (
        (b"", b"\r\n" * 5000),  # lines before a request
        (chunked + b"0\r\n", b"X-Of-Many: trailers\r\n" * 500),
        (chunked + b"0\r\nX-Large: ", b"x" * 10_000),
        (chunked + b"4;", b"x" * 10_000),  # an extension of a chunk
        (chunked + b"4\r\nbody\r\n5;", b"x" * 10_000),
    ):
        pieces = [piece] * (MOST_HEAD_BYTES // 10_000 + 2)
        assert (await running.asked(begin, *pieces)).startswith(b"HTTP/1.1 431 "), begin
    await becomes(lambda: not running.server.state.tasks)


async def test_long_body_in_pieces_is_read(running: Running) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 160000\r\n\r\n"
    assert (await running.asked(head, *[b"x" * 8000] * 20)).count(b"x") >= 160_000


async def test_trailers_are_no_headers(running: Running) -> None:
    client = await running.client()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await client.send(head + b"4\r\nbody\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
    assert b"got body" in await client.answer()
    assert [name for name, _ in running.app.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


async def test_body_that_breaks_off_after_its_answer_is_refused(running: Running) -> None:
    client = await running.client()
    await client.send(b"GET /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert b" 200 " in (await client.answer())[:20]
    await client.send(b"no length\r\n")
    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_waiting_for_a_request_has_an_end(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    monkeypatch.setattr(running.server.config, "timeout_keep_alive", 0.3)
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.3)
    silent, slow, idle, busy = [await running.client() for _ in range(4)]
    await idle.send(GET)
    await busy.send(WAITING)
    await becomes(lambda: running.app.waiting == 1)

    async def trickle() -> None:
        for byte in GET * 10:
            await slow.send(bytes([byte]))
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    try:
        assert await silent.rest() == b"" and await slow.rest() == b""
    finally:
        trickling.cancel()
    assert (await idle.rest()).endswith(b"0\r\n\r\n")
    assert running.app.hung_up == 0 and len(running.server.state.connections) == 1
    busy.close()
    await becomes(lambda: running.app.hung_up == 1 and not running.server.state.connections)


async def test_requests_behind_each_other_are_answered_in_order(running: Running) -> None:
    client = await running.client()
    posts = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(5)]
    await client.send(b"".join(posts))
    assert [(await client.answer()).count(b"got %d" % number) for number in range(5)] == [1] * 5


async def test_waiting_request_with_another_behind_it_ends_with_its_client(running: Running) -> None:
    client = await running.client()
    await client.send(WAITING + GET)
    await becomes(lambda: running.app.waiting == 1)
    client.close()
    await becomes(lambda: running.app.hung_up == 1 and not running.server.state.tasks)
    assert len(running.app.scopes) == 1


async def test_answer_comes_before_the_refusal_of_what_follows(running: Running) -> None:
    answer = await running.asked(GET + b"rubbish\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"0\r\n\r\n")


async def test_stop_closes_idle_connections_and_waits_for_the_others(running: Running) -> None:
    idle, busy = await running.client(), await running.client()
    await idle.send(GET)
    await idle.answer()
    await busy.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
    await becomes(lambda: len(running.app.scopes) == 2)
    ending = asyncio.create_task(running.server.end(PATIENCE))
    assert await idle.rest() == b"" and not ending.done()
    await busy.send(b"body")
    assert b"got body" in await busy.rest()
    await ending


async def test_stop_ends_what_does_not_end_by_itself(running: Running) -> None:
    client = await running.client()
    await client.send(WAITING)
    await becomes(lambda: running.app.waiting == 1)
    await running.server.end(0.1)
    await becomes(lambda: running.app.hung_up == 1)


async def test_http2_is_served_where_it_is_enabled() -> None:
    async with serving(HTTP2="true") as running:
        url = f"http://127.0.0.1:{running.port}"
        async with httpx.AsyncClient(http1=False, http2=True, base_url=url, timeout=PATIENCE) as client:
            answers = await asyncio.gather(*(client.post("/", content=b"x" * 200_000) for _ in range(5)))
            assert {(one.http_version, len(one.content)) for one in answers} == {("HTTP/2", 200_005)}
            assert len(running.server.state.connections) == 1
            waiting = asyncio.create_task(client.get("/waits"))
            await becomes(lambda: running.app.waiting == 1)
            waiting.cancel()
        await becomes(lambda: running.app.hung_up == 1 and not running.server.state.connections)
        posted = await running.asked(b"P", b"OST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody")
        assert posted.endswith(b"got body.")  # its beginning could have been one of HTTP/2


async def test_idle_connections_of_http2_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "KEEP_ALIVE_SECONDS", 0.3)
    async with serving(HTTP2="true") as running:
        async with httpx.AsyncClient(http1=False, http2=True, timeout=PATIENCE) as client:
            await client.get(f"http://127.0.0.1:{running.port}")
            await becomes(lambda: not running.server.state.connections)
