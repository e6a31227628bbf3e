"""Answers of a provider that are refused: too long, compressed, no object, too slow."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mission_control.people.sign_in import _provider_requests
from mission_control.people.sign_in.errors import ProviderUnreachable
from mission_control.people.sign_in.identity_provider import read_object

type Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[str]:
    """Yield the address of a server that answers every request in its own way."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await answer(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def document(body: bytes, *headers: str) -> Answer:
    """Return an answer with a JSON body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return answer


async def test_object_is_read() -> None:
    async with listening(document(b'{"issuer": "x"}')) as address:
        assert await read_object(address) == {"issuer": "x"}


@pytest.mark.parametrize(
    "answer",
    [
        document(b'{"x": "' + b"x" * _provider_requests.MOST_BYTES + b'"}'),
        document(gzip.compress(b"{}"), "Content-Encoding: gzip"),
        document(b"[]"),
        document(b"[" * 100_000),
        document(b"not JSON"),
    ],
    ids=["too long", "compressed", "a list", "nested", "text"],
)
async def test_answer_that_is_no_usable_object_is_refused(answer: Answer) -> None:
    async with listening(answer) as address:
        with pytest.raises(ProviderUnreachable):
            await read_object(address)


async def test_endless_answer_ends_at_the_limit() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    async with listening(endless) as address:
        with pytest.raises(ProviderUnreachable, match="does not answer") as caught:
            await read_object(address)
    assert "longer than" in str(caught.value.__cause__)


async def test_silent_provider_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = asyncio.Event()

    async def silence(writer: asyncio.StreamWriter) -> None:
        await given_up.wait()

    monkeypatch.setattr(_provider_requests, "LONGEST_SECONDS", 0.2)
    async with listening(silence) as address:
        with pytest.raises(ProviderUnreachable):
            await read_object(address)
        given_up.set()  # the server ends when its connections have
