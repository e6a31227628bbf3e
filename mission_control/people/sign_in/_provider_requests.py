"""Requests to the identity provider, by httpx2: how long they take, how much is read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from mission_control.core._requests import authorities
from mission_control.people.sign_in.errors import ProviderUnreachable

LONGEST_SECONDS = 5.0
MOST_BYTES = 1_048_576


def client_options() -> dict[str, Any]:
    """Return the options that limit an HTTP client's time and the size of what it reads."""
    return {
        "verify": authorities(of_environment=True),
        "timeout": LONGEST_SECONDS,
        "headers": {"Accept-Encoding": "identity"},
        "event_hooks": {"response": [_limit_size]},
    }


@asynccontextmanager
async def time_limit() -> AsyncIterator[None]:
    """Raise ProviderUnreachable when the requests inside fail or take longer than five seconds together."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            yield
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        raise ProviderUnreachable() from error


async def answered(method: str, url: str, headers: dict[str, str] | None) -> httpx2.Response:
    """Return the answer, whatever its status. Raises ProviderUnreachable when there is none in time."""
    async with time_limit(), httpx2.AsyncClient(**client_options()) as client:
        return await client.request(method, url, headers=headers)


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > MOST_BYTES:
                raise httpx2.ReadError(f"The answer is longer than {MOST_BYTES} bytes.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit_size(response: httpx2.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":  # a small answer could unpack to a huge one
        raise httpx2.DecodingError("The answer is compressed, although that was not asked for.")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _LimitedStream(response.stream)
