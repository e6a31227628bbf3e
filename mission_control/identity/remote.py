"""Asking the provider over HTTP: never for longer than five seconds, never following it elsewhere."""

import asyncio
from typing import Any

import httpx

from mission_control.core.errors import DomainError

LONGEST_SECONDS = 5.0


class ProviderUnreachable(DomainError):
    """The identity provider gave no usable answer in time; the caller may try again."""

    status = 503

    def __init__(self, detail: str = "The identity provider does not answer. Try again in a moment.") -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = "5"


async def ask(method: str, url: str, **options: Any) -> httpx.Response:
    """The answer, whatever its status; ProviderUnreachable when there is none in time."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS), httpx.AsyncClient(timeout=LONGEST_SECONDS) as client:
            return await client.request(method, url, **options)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise ProviderUnreachable() from error


async def read_object(url: str, **options: Any) -> dict[str, Any]:
    """A JSON object; ProviderUnreachable for anything else."""
    response = await ask("GET", url, **options)
    found = object_of(response)
    if response.status_code != 200 or found is None:
        raise ProviderUnreachable()
    return found


def object_of(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object that an answer carries, or None."""
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def bearer(secret: str) -> dict[str, str]:
    """Headers that carry a bearer secret."""
    return {"Authorization": f"Bearer {secret}"}
