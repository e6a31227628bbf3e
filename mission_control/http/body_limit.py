"""Refuse request bodies that are too large, without ever holding more of them in memory than is allowed.

At most 64 KiB are read of a request without credentials. The rest waits in the connection until the sender is known,
and is dropped when there is none.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, cast

from quart import Quart, Request, request
from quart.formparser import FormDataParser, ParserFunc
from quart.wrappers.request import Body
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from mission_control.core.errors import DomainError, TooLarge
from mission_control.core.extensions import Part
from mission_control.core.settings import Settings
from mission_control.http.proxies import rate_limit_key

# What anybody may send. More is read only with valid credentials.
ANONYMOUS_BYTES = 2**16
# The part of the memory that larger bodies may fill together, so that slow uploads keep no small request out.
LARGE_SHARE = 3, 4


# Limit the bytes of request bodies that the process holds at the same time, for each address and in total.
class Busy(DomainError, status=503):
    """Too many bodies are being sent."""

    def __init__(self) -> None:
        super().__init__("Too many uploads are under way. Try again in a moment.")
        self.headers["Retry-After"] = "2"


class BodiesInFlight:
    def __init__(self) -> None:
        self.most = self.most_of_address = 0
        self.total = 0
        self._held: Counter[str] = Counter()

    def reserve(self, source: str, count: int, *, is_large: bool = False) -> None:
        """Reserve more bytes, of a body that is larger than anybody may send or not; Busy when the limit is reached."""
        part, whole = LARGE_SHARE if is_large else (1, 1)
        total, of_address = self.total + count, self._held[source] + count
        if total * whole > self.most * part or of_address * whole > self.most_of_address * part:
            raise Busy
        self.total += count
        self._held[source] += count

    def release(self, source: str, count: int) -> None:
        self.total -= count
        self._held[source] -= count
        if not self._held[source]:
            del self._held[source]

    @contextmanager
    def counted(self, source: str) -> Iterator[Callable[[int], None]]:
        """Return a function that reserves more bytes; all of them are released at the end."""
        reserved = 0

        def reserve(count: int) -> None:
            nonlocal reserved
            self.reserve(source, count, is_large=reserved + count > ANONYMOUS_BYTES)
            reserved += count

        try:
            yield reserve
        finally:
            self.release(source, reserved)


bodies = BodiesInFlight()

MOST_FIELDS = 200
PIECE_BYTES = 2**14
ANONYMOUS = "Without credentials a request has at most 64 KiB."


@dataclass(frozen=True, slots=True)
class BodyLimit(Part):
    """The setting that limits the bodies of an operation; `path` is an expression for the whole path.

    The limit applies when the body is read, not before the request reaches its handler.
    """

    method: str
    path: str
    setting: str

    def install(self) -> None:
        BODY_LIMITS.append(self)

    def covers(self, method: str, path: str) -> bool:
        return method == self.method and re.fullmatch(self.path, path.rstrip("/")) is not None


# The installed limits.
BODY_LIMITS: list[BodyLimit] = []


def own_limit(settings: Settings, method: str, path: str) -> int | None:
    for declared in BODY_LIMITS:
        if declared.covers(method, path):
            limit: int = getattr(settings, declared.setting)
            return limit
    return None


class LimitedBody(Body):
    """A body that keeps nothing beyond its limit, and little before its sender is known."""

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self.source = ""
        self.announced = expected_content_length
        self._received = self._reserved = 0
        self._is_admitted = self._is_over = False
        self._piece = bytearray()
        self._may_go_on = asyncio.Event()  # admitted, or over
        self._size_is_known = asyncio.Event()
        if self._must_raise is not None or expected_content_length is not None:
            self._size_is_known.set()

    async def is_small(self) -> bool:
        """Return whether the body is no larger than anybody may send; wait until that is known."""
        if self.announced is not None:
            return self.announced <= ANONYMOUS_BYTES
        await self._size_is_known.wait()
        return self._received <= ANONYMOUS_BYTES

    def admit(self) -> None:
        """Read all of the body from now on, since its sender is known. Busy when too much is being sent already."""
        if self._is_admitted or self._must_raise is not None:
            return
        if self.announced is not None and self.announced > ANONYMOUS_BYTES:
            self._reserve(self.announced)
        self._is_admitted = True
        self._may_go_on.set()

    def release(self) -> None:
        self._is_over = True
        self._may_go_on.set()
        if self._reserved:
            bodies.release(self.source, self._reserved)
            self._reserved = 0

    async def put(self, data: bytes) -> None:
        """Add the next piece, or refuse the whole body from now on."""
        self._received += len(data)
        if self._received > ANONYMOUS_BYTES:
            self._size_is_known.set()
            if not self._is_admitted and self._must_raise is None:
                await self._may_go_on.wait()
        if self._must_raise is not None or self._is_over:
            return
        if self._max_content_length is not None and self._received > self._max_content_length:
            self._refuse(RequestEntityTooLarge())
            return
        try:
            self._reserve(self._received)
        except Busy as busy:
            self._refuse(busy)
            return
        self._piece += data  # a client may send byte by byte, and each byte would cost a hundred
        if len(self._piece) >= PIECE_BYTES:
            self._hand_on()

    def set_complete(self) -> None:
        """Mark the body as complete: it has arrived whole, or the rest is not needed."""
        self._hand_on()
        super().set_complete()
        self._size_is_known.set()

    def __await__(self) -> Generator[object, None, object]:
        yield from self._may_be_read().__await__()
        return (yield from super().__await__())

    async def __anext__(self) -> bytes:
        await self._may_be_read()
        return await super().__anext__()

    async def _may_be_read(self) -> None:
        if self._must_raise is None and not self._is_admitted and not await self.is_small():
            raise TooLarge(ANONYMOUS)

    def _reserve(self, count: int) -> None:
        if count > self._reserved:
            bodies.reserve(self.source, count - self._reserved, is_large=count > ANONYMOUS_BYTES)
            self._reserved = count

    def _hand_on(self) -> None:
        if self._piece and not self._complete.is_set():
            self._queue.put_nowait(bytes(self._piece))
        self._piece = bytearray()

    def _refuse(self, error: Exception) -> None:
        self._must_raise = error
        self._piece = bytearray()
        while not self._queue.empty():
            self._queue.get_nowait()
        bodies.release(self.source, self._reserved)
        self._reserved = 0
        self.set_complete()


class LimitedFormParser(FormDataParser):
    """Parse forms, except those with so many fields that parsing would block the event loop.

    Files stay in memory, where `bodies` bounds them: Quart's own would be on the disk until the garbage is collected.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, stream_factory=lambda *_, **__: BytesIO())

    def get_parse_func(self, mimetype: str, options: dict[str, str]) -> ParserFunc | None:
        read = super().get_parse_func(mimetype, options)
        return read if read is None or mimetype.startswith("multipart/") else partial(_few_fields, read)


async def _few_fields(
    read: ParserFunc,
    parser: FormDataParser,
    body: Body,
    mimetype: str,
    content_length: int | None,
    options: dict[str, str],
) -> tuple[MultiDict[str, str], MultiDict[str, object]]:
    if (await body).count(b"&") >= MOST_FIELDS:
        raise TooLarge(f"A form has at most {MOST_FIELDS} fields.")
    return await read(parser, body, mimetype, content_length, options)


async def has_small_body() -> bool:
    """Return whether the running request's body is small enough to be read before its sender is known.

    RequestTimeout when that is not known in the time that any body has.
    """
    try:
        async with asyncio.timeout(request.body_timeout):
            return await _body().is_small()
    except TimeoutError:
        raise RequestTimeout from None


def admit_body() -> None:
    """Read all of the running request's body from now on, since its sender is known; Busy when the limit is reached."""
    _body().admit()


def _body() -> LimitedBody:
    return cast(LimitedBody, request.body)


def install(app: Quart, settings: Settings) -> None:
    """Answer 413 to more than MAX_BODY_BYTES: at once when the length is announced, else while reading."""
    limit = settings.max_body_bytes
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.config["MAX_FORM_PARTS"] = MOST_FIELDS
    largest = max([limit, *(getattr(settings, declared.setting) for declared in BODY_LIMITS)])
    part, whole = LARGE_SHARE
    least = largest * whole // part + 1  # so that the largest one fits
    bodies.most = max(settings.max_bodies_bytes, least)
    bodies.most_of_address = max(settings.max_bodies_bytes // 2, least)

    class LimitedRequest(Request):
        """A request whose body may be as long as its operation says."""

        body_class = LimitedBody
        form_data_parser_class = LimitedFormParser

        def __init__(self, method: str, scheme: str, path: str, *args: Any, **kwargs: Any) -> None:
            self.own_limit = own_limit(settings, method, path)
            if self.own_limit is not None:
                kwargs["max_content_length"] = self.own_limit
            super().__init__(method, scheme, path, *args, **kwargs)
            client = self.scope.get("client")
            cast(LimitedBody, self.body).source = rate_limit_key(str(client[0])) if client else ""

    app.request_class = LimitedRequest

    async def forget_body(_: BaseException | None) -> None:
        if isinstance(request.body, LimitedBody):
            request.body.release()

    app.teardown_request(forget_body)


def refuse_large_body(limit: int) -> None:
    """Answer 413 at once to a body that is announced to be larger than MAX_BODY_BYTES."""
    if (_body().announced or 0) > limit and getattr(request, "own_limit", None) is None:
        raise RequestEntityTooLarge
