"""Send pages, JSON, styles, scripts and files gzipped to clients that accept it; page streams do so by themselves.

ISA-L compresses ten times as fast as zlib's level 5 and to 7 % more bytes. Zstandard, which browsers take, would be as
fast and save another 14 % of the bytes, which is not worth a second library.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence

from isal import igzip, isal_zlib
from quart import Response, request
from quart.wrappers.response import DataBody, FileBody, IterableBody

from mission_control.core.values import json_in_turns, to_json
from mission_control.http.response_cache import Answer, cache

COMPRESSIBLE = {
    *("application/javascript", "application/json", "application/manifest+json", "image/svg+xml", "text/css"),
    *("text/csv", "text/html", "text/javascript", "text/markdown", "text/plain"),
}
SMALLEST = 1024
IN_A_THREAD = 2 * 1024 * 1024
LEVEL = 2
GZIP = 31  # the format, as a number of zlib
KEPT_FILES = 200


class Compression:
    """Compresses finished answers; files with an ETag once."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def compress(self, response: Response) -> None:
        """Compress an answer on its way out, when its kind, its size and its client allow that."""
        if response.mimetype not in COMPRESSIBLE:
            return
        if "Vary" in response.headers:
            response.vary.add("Accept-Encoding")
        else:
            response.headers["Vary"] = "Accept-Encoding"
        body = response.response
        if isinstance(body, DataBody) and len(body.data) < SMALLEST:
            return
        if isinstance(body, DataBody | FileBody) and _may_be_compressed(response):
            await self._compress(response, response.headers.get("ETag") if isinstance(body, FileBody) else None)
        elif isinstance(body, IterableBody) and _may_be_compressed(response):
            response.response = IterableBody(_packed(body))
            response.headers.pop("Content-Length", None)
            response.headers["Content-Encoding"] = "gzip"

    async def _compress(self, response: Response, etag: str | None) -> None:
        packed = await (self._packed_file(response, etag) if etag else _packed_answer(response))
        if packed is None:
            return
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(packed))
        response.headers.pop("Accept-Ranges", None)
        if etag and not etag.startswith("W/"):
            response.headers["ETag"] = f"W/{etag}"  # the same resource, other bytes

    async def _packed_file(self, response: Response, etag: str) -> bytes | None:
        key = request.path, etag
        if key not in self._files:
            if (packed := await _packed_data(response)) is None:
                return None
            self._files[key] = packed
        self._files.move_to_end(key)
        if len(self._files) > KEPT_FILES:
            self._files.popitem(last=False)
        return self._files[key]


async def _packed_answer(response: Response) -> bytes | None:
    answer: Answer | None = vars(response).get("answer")
    if answer is None:
        return await _packed_data(response)
    if answer.packed is None and (packed := await _packed_data(response)) is not None:
        answer.packed = packed
        cache.recount(answer)
    return answer.packed


async def _packed_data(response: Response) -> bytes | None:
    body = bytes(await response.get_data(as_text=False))
    if len(body) < SMALLEST:
        return None
    return await asyncio.to_thread(_gzip, body) if len(body) > IN_A_THREAD else _gzip(body)


def _may_be_compressed(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in {204, 206, 304}
        and "Content-Encoding" not in response.headers
        and "X-Accel-Buffering" not in response.headers  # a compressor holds its bytes back as well
        and request.accept_encodings.quality("gzip") > 0
    )


async def _packed(body: IterableBody) -> AsyncIterator[bytes]:
    packer = isal_zlib.compressobj(LEVEL, wbits=GZIP)
    async with body as pieces:
        async for piece in pieces:
            if packed := packer.compress(piece):
                yield packed
    yield packer.flush()


def _gzip(body: bytes) -> bytes:
    packed: bytes = igzip.compress(body, LEVEL, mtime=0)
    return packed


LARGE = 2**20  # bytes of a body that is sent in pieces
PIECE = 2**18


def json_response(answer: object, status: int = 200) -> Response:
    body = answer if isinstance(answer, bytes) else to_json(answer)
    return Response(body, status, content_type="application/json")


async def list_response(items: Sequence[object]) -> Response:
    """An answer of many entries as compact JSON; a large one holds up nobody."""
    pieces = await json_in_turns(items)
    return in_pieces(pieces) if is_large(pieces) else json_response(b"".join(pieces))


def is_large(pieces: Sequence[bytes]) -> bool:
    """Whether a body is sent piece by piece: written at once it would hold up everybody."""
    return sum(map(len, pieces)) > LARGE


def in_pieces(body: Sequence[bytes], status: int = 200) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        waiting = bytearray()
        for part in body:
            for start in range(0, len(part), PIECE):
                waiting += part[start : start + PIECE]
                if len(waiting) >= PIECE:
                    yield bytes(waiting)
                    waiting.clear()
                    await asyncio.sleep(0)
        yield bytes(waiting)

    response = json_response(b"", status)
    response.response = IterableBody(pieces())
    response.headers["Content-Length"] = str(sum(map(len, body)))
    response.timeout = None
    return response
