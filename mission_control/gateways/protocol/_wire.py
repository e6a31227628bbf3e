"""One WebSocket with JSON frames, by the library of that name."""

import contextlib
import logging

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mission_control import __version__
from mission_control.gateways.protocol.errors import WireClosed
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.protocol.target import Place, Target

# Above what gateways send (25 MiB), so that theirs is the limit that is met.
MOST_BYTES = 32 * 1024 * 1024
CLOSING_SECONDS = 2.0
# So many brackets are in every frame that may be nested deeper than what can be written as JSON again.
DEEP = 200

# The library writes whole frames to its log at the level DEBUG, with the token among them.
_quiet = logging.getLogger("mission_control.gateways.connections.open_connection")
_quiet.setLevel(logging.WARNING)


class _Opening(connect):
    """Opens a connection, to the asked address only: what is sent next is a secret."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Wire:
    """An open connection. Frames that are no JSON objects, or nested too deep, are passed over."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.last_size = 0

    @classmethod
    async def open(cls, target: Target) -> "Wire":
        """Connect to the first address that answers."""
        places = await target.places()
        for place in places[:-1]:
            with contextlib.suppress(OSError):
                return await cls._open_at(target, place)
        return await cls._open_at(target, places[-1])

    @classmethod
    async def _open_at(cls, target: Target, place: Place) -> "Wire":
        """Connect, without an Origin (with one, gateways take the caller for a browser and grant nothing)."""
        socket = await _Opening(
            target.address,
            ssl=target.tls(),
            origin=None,
            proxy=None,
            compression=None,
            user_agent_header=f"mission-control/{__version__}",
            open_timeout=None,  # the caller has a deadline
            ping_interval=None,  # the gateway pings, and its ticks are watched
            close_timeout=CLOSING_SECONDS,
            max_size=MOST_BYTES,
            logger=_quiet,
            **place,
        )
        return cls(socket)

    async def send(self, encoded: bytes) -> None:
        """Send a frame. Raises WireClosed."""
        try:
            await self._socket.send(encoded, text=True)
        except ConnectionClosed:
            raise self._closed() from None

    async def receive(self) -> Payload:
        """Return the next frame. Raises WireClosed."""
        while True:
            try:
                raw = await self._socket.recv(decode=False)
            except ConnectionClosed:
                raise self._closed() from None
            try:
                frame = orjson.loads(raw)
            except orjson.JSONDecodeError:
                continue
            if isinstance(frame, dict) and not _is_too_deep(raw, frame):
                self.last_size = len(raw)
                return Payload(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; waits at most two seconds for the other side, and not when it is cancelled."""
        try:
            await self._socket.close(code, reason)
        except BaseException:
            self._socket.transport.abort()
            raise

    def _closed(self) -> WireClosed:
        return WireClosed(self._socket.close_code, self._socket.close_reason or "")


def _is_too_deep(raw: bytes, frame: object) -> bool:
    """Whether a frame is nested deeper than what could be stored or answered: a few hundred levels."""
    if raw.count(b"[") + raw.count(b"{") < DEEP:
        return False
    try:
        orjson.dumps([[[frame]]])
    except orjson.JSONEncodeError:
        return True
    return False
