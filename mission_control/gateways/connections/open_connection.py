"""An accepted connection: its calls, its events, and how it ends."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mission_control.core.values import JsonObject, to_json
from mission_control.gateways.protocol import errors
from mission_control.gateways.protocol.errors import GatewayError, Unreachable, WireClosed
from mission_control.gateways.protocol.handshake import Hello
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.protocol.target import AT_A_TIME, Target

if TYPE_CHECKING:
    from mission_control.gateways.protocol._wire import Wire


log = logging.getLogger(__name__)

CALL_SECONDS = 15.0
SILENCE = 4000  # the code with which OpenClaw's own client closes a connection without ticks
SHORTEST_WAIT = 0.05
# So much is read of one connection in a second; the rest waits on the gateway's side.
MOST_FRAMES_A_SECOND, MOST_BYTES_A_SECOND = 1_000, 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """Something that a gateway tells without being asked."""

    name: str
    payload: Payload
    seq: int | None
    size: int = 0  # of its frame, in bytes


@dataclass(frozen=True, slots=True)
class Closed:
    code: int
    reason: str


type OnEvent = Callable[[GatewayEvent], None]


class _Waiting:
    def __init__(self, *, final: bool) -> None:
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.final = final  # the first answer only says that it was accepted


class Connection:
    """An accepted connection to a gateway."""

    def __init__(self, wire: "Wire", target: Target, hello: Hello, on_event: OnEvent) -> None:
        self.hello = hello
        self._wire = wire
        self._target = target
        self._on_event = on_event
        self._waiting: dict[str, _Waiting] = {}
        self._in_flight = asyncio.Semaphore(AT_A_TIME)
        self._number = 0
        loop = asyncio.get_running_loop()
        self._last_frame_at = loop.time()
        self._closed: asyncio.Future[Closed] = loop.create_future()
        self._reader = asyncio.create_task(self._read())
        self._watch = asyncio.create_task(self._watch_ticks())

    @property
    def is_open(self) -> bool:
        return not self._closed.done()

    async def call(
        self, method: str, params: JsonObject | None = None, *, seconds: float = CALL_SECONDS, final: bool = False
    ) -> Any:
        """Call a method and return its payload. Raises GatewayError, within `seconds` in every case.

        Waits for its turn where gateways limit a method, and asks again where the gateway says when. With `final`, the
        answer is the one at the end of a run (`agent`), not the one that it was accepted.
        """
        was_sent = False

        def sent() -> None:
            nonlocal was_sent
            was_sent = True

        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    await self._target.pace.turn(method, deadline - loop.time())
                    try:
                        return await self._ask(method, params or {}, final, sent)
                    except GatewayError as error:
                        if not self._asks_again(method, error, deadline - loop.time()):
                            raise
                        was_sent = False
        except TimeoutError:
            text = f"The gateway did not answer {method} within {seconds:g} seconds."
            raise Unreachable("TIMEOUT", text, is_retryable=True, was_sent=was_sent) from None

    async def wait_closed(self) -> Closed:
        return await asyncio.shield(self._closed)

    async def close(self) -> None:
        """Close the connection; calls that wait fail."""
        await self._wire.close()
        self._end(1000, "")
        await asyncio.gather(self._reader, self._watch, return_exceptions=True)

    def _asks_again(self, method: str, error: GatewayError, left: float) -> bool:
        """Whether a refused call is sent again: the gateway said when, and that is soon enough."""
        if error.was_sent or not error.is_retryable or error.retry_after is None:
            return False
        wait = max(error.retry_after, SHORTEST_WAIT)
        self._target.pace.refused(method, wait)
        return wait < left

    async def _ask(self, method: str, params: JsonObject, final: bool, sent: Callable[[], None]) -> object:
        async with self._in_flight:
            self._number += 1
            key = str(self._number)
            encoded = to_json({"type": "req", "id": key, "method": method, "params": params})
            if len(encoded) > self.hello.max_payload:
                raise GatewayError(
                    "TOO_LARGE", f"The request is larger than the gateway's {self.hello.max_payload} bytes."
                )
            if not self.is_open:
                end = self._closed.result()
                raise errors.closed(end.code, end.reason, was_sent=False)
            self._waiting[key] = waiting = _Waiting(final=final)
            try:
                sent()
                await self._wire.send(encoded)
                return await waiting.answer
            except WireClosed as end:
                raise errors.closed(end.code, end.reason, was_sent=True) from None
            finally:
                self._waiting.pop(key, None)
                if waiting.answer.done() and not waiting.answer.cancelled():
                    waiting.answer.exception()  # so that it counts as seen

    async def _read(self) -> None:
        loop, frames, size, began = asyncio.get_running_loop(), 0, 0, 0.0
        try:
            while True:
                frame = await self._wire.receive()
                self._last_frame_at = now = loop.time()
                if now - began >= 1.0:
                    frames, size, began = 0, 0, now
                frames, size = frames + 1, size + self._wire.last_size
                if frames > MOST_FRAMES_A_SECOND or size > MOST_BYTES_A_SECOND:
                    await asyncio.sleep(began + 1.0 - now)
                if frame.get("type") == "res":
                    self._answered(frame)
                elif frame.get("type") == "event" and (name := frame.string("event")) is not None:
                    self._happened(frame, name)
        except WireClosed as end:
            self._end(end.code or 1006, end.reason)
        finally:
            self._end(1006, "")

    def _answered(self, frame: Payload) -> None:
        waiting = self._waiting.get(str(frame.get("id")))
        if waiting is None or waiting.answer.done():
            return  # given up, or the second answer of a call whose first one was enough
        if frame.get("ok") is not True:
            secrets = tuple(filter(None, (self._target.token, self._target.device_token)))
            waiting.answer.set_exception(errors.refusal(frame.get("error"), secrets=secrets))
        elif not (waiting.final and frame.inner("payload").get("status") == "accepted"):
            waiting.answer.set_result(frame.get("payload"))

    def _happened(self, frame: Payload, name: str) -> None:
        seq = frame.get("seq")
        event = GatewayEvent(name, frame.inner("payload"), seq if isinstance(seq, int) else None, self._wire.last_size)
        try:
            self._on_event(event)
        except Exception:
            log.exception("handling the event %s of a gateway failed", event.name)

    async def _watch_ticks(self) -> None:
        """End a connection on which not even ticks arrive."""
        loop = asyncio.get_running_loop()
        limit = 2 * self.hello.tick_seconds
        while (left := self._last_frame_at + limit - loop.time()) > 0:  # noqa: ASYNC110 - silence sets no event
            await asyncio.sleep(left)
        self._end(SILENCE, f"no sign of life for {limit:g} seconds")
        await self._wire.close(SILENCE, "tick timeout")

    def _end(self, code: int, reason: str) -> None:
        if self._closed.done():
            return
        self._closed.set_result(Closed(code, reason))
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(errors.closed(code, reason, was_sent=True))
        if asyncio.current_task() is not self._watch:
            self._watch.cancel()
