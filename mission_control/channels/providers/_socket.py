"""WebSockets to providers, with JSON objects as frames. They go to checked addresses only."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from mission_control.channels.channel import Later, Refused
from mission_control.core._requests import USER_AGENT, authorities
from mission_control.core.host_names import addresses_of
from mission_control.core.outbound import may_reach
from mission_control.core.values import JsonObject

OPENING_SECONDS = 15.0
MOST_BYTES = 1_048_576

# The library writes whole frames to its log at the level DEBUG, with tokens among them.
_quiet = logging.getLogger("mission_control.reach.socket")
_quiet.setLevel(logging.WARNING)


class _Opening(connect):
    """Opens a connection to the asked address only."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Frames:
    """An open connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def sent(self, frame: object) -> bool:
        """Send a frame, and return whether the connection still stood."""
        try:
            await self._connection.send(json.dumps(frame))
        except ConnectionClosed:
            return False
        return True

    async def received(self) -> AsyncIterator[JsonObject]:
        """Yield the frames that are JSON objects, until the connection ends."""
        while True:
            try:
                raw = await self._connection.recv()
            except ConnectionClosed:
                return
            try:
                frame = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(frame, dict):
                yield frame


@asynccontextmanager
async def opened(url: str, *, allow_private: bool) -> AsyncIterator[Frames]:
    """Yield a connection. Raise Later when there is none, Refused for an address that may not be reached."""
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            connection = await _connected(url, allow_private)
    except (OSError, TimeoutError, UnicodeError, WebSocketException):
        raise Later("The provider's socket could not be opened.") from None
    try:
        yield Frames(connection)
    finally:
        await connection.close()


def _place(url: str) -> tuple[str, int, bool]:
    """Return host and port of an address, and whether it is reached over TLS."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("ws", "wss") and parts.hostname and parts.username is None:
            is_encrypted = parts.scheme == "wss"
            return parts.hostname, parts.port or (443 if is_encrypted else 80), is_encrypted
    except ValueError:
        pass
    raise Refused("The provider names no usable address of a socket.")


async def _connected(url: str, allow_private: bool) -> ClientConnection:
    host, port, is_encrypted = _place(url)
    addresses = await addresses_of(host, port)
    if not addresses or not all(may_reach(one, allow_private=allow_private) for one in addresses):
        raise Refused(
            "The provider's socket is at an address that may not be reached from here: set OUTBOUND_ALLOW_PRIVATE"
            " if it is in your own network."
        )
    tls = authorities(of_environment=False) if is_encrypted else None
    for address in addresses[:-1]:
        try:
            return await _connected_to(url, address, port, tls)
        except OSError:
            continue
    return await _connected_to(url, addresses[-1], port, tls)


async def _connected_to(url: str, address: str, port: int, tls: ssl.SSLContext | None) -> ClientConnection:
    return await _Opening(
        url,
        host=address,
        port=port,
        ssl=tls,
        proxy=None,
        user_agent_header=USER_AGENT,
        open_timeout=None,  # the caller has a deadline
        max_size=MOST_BYTES,
        close_timeout=2.0,
        logger=_quiet,
    )
