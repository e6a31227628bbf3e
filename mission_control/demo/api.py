"""A client of the public HTTP API for simulated agents and people; it waits while the server is away."""

import asyncio
import logging
import random
from typing import Any

import httpx2

LONGEST_PAUSE = 15.0
AWAY = (502, 503, 504)

_log = logging.getLogger(__name__)


class Refused(Exception):
    """The server refused the request with `status`."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Gone(Exception):
    """The token is invalid: the demo data was removed."""


class Api:
    """One caller with one token."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    async def get(self, path: str, **query: Any) -> Any:
        """Send GET."""
        return await self.call("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> Any:
        """Send POST."""
        return await self.call("POST", path, json=body)

    async def patch(self, path: str, **body: Any) -> Any:
        """Send PATCH."""
        return await self.call("PATCH", path, json=body)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and read its JSON; waits while the server is away. Raises Refused or Gone."""
        pause = 0.5
        while True:
            try:
                answer = await self._client.request(method, path, **options)
            except httpx2.TransportError as error:
                _log.info("demo.away", extra={"reason": type(error).__name__})
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code == 401:
                    raise Gone
                if answer.status_code not in (*AWAY, 429):
                    raise Refused(answer.status_code, answer.text[:300])
                pause = max(pause, float(answer.headers.get("Retry-After", 0)))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def follow(self, path: str, changed: asyncio.Event) -> None:
        """Set `changed` on every message of the stream and after each reconnection, forever."""
        pause, last = 0.5, ""
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                async with self._client.stream("GET", path, headers=headers, timeout=40) as stream:
                    changed.set()
                    async for line in stream.aiter_lines():
                        pause = 0.5
                        if line.startswith("id:"):
                            last = line.removeprefix("id:").strip()
                        elif line.startswith("data:"):
                            changed.set()
            except httpx2.TransportError as error:
                _log.info("demo.stream.cut", extra={"reason": type(error).__name__})
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
