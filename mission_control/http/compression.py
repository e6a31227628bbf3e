"""Send pages, JSON, styles and scripts gzipped to those who accept it; streams never."""

import asyncio
import gzip
from collections import OrderedDict

from quart import Quart, Response, request
from quart.typing import ResponseTypes
from quart.wrappers.response import DataBody, FileBody

from mission_control.config import Settings

COMPRESSIBLE = {
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/markdown",
    "text/plain",
}
SMALLEST = 1024
IN_A_THREAD = 256 * 1024
LEVEL = 5
KEPT_FILES = 200


def install(app: Quart, settings: Settings) -> None:
    """Compress finished answers on their way out; files with an ETag are compressed once."""
    files = _Kept()

    async def compress(response: ResponseTypes) -> ResponseTypes:
        if not isinstance(response, Response) or response.mimetype not in COMPRESSIBLE:
            return response
        response.vary.add("Accept-Encoding")
        if _may_be_compressed(response):
            await _compress(response, files)
        return response

    app.after_request(compress)


def _may_be_compressed(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in {204, 206, 304}
        and "Content-Encoding" not in response.headers
        and isinstance(response.response, DataBody | FileBody)
        and request.accept_encodings.quality("gzip") > 0
    )


async def _compress(response: Response, files: "_Kept") -> None:
    etag = response.headers.get("ETag") if isinstance(response.response, FileBody) else None
    key = (request.path, etag) if etag else None
    packed = files.get(key) if key else None
    if packed is None:
        body = bytes(await response.get_data(as_text=False))
        if len(body) < SMALLEST:
            return
        packed = await _gzipped(body)
        if key:
            files.keep(key, packed)
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(packed))
    response.headers.pop("Accept-Ranges", None)
    if etag and not etag.startswith("W/"):
        response.headers["ETag"] = f"W/{etag}"  # the same resource, other bytes


async def _gzipped(body: bytes) -> bytes:
    if len(body) > IN_A_THREAD:
        return await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
    return gzip.compress(body, LEVEL, mtime=0)


class _Kept:
    """The compressed forms of static files, the least used forgotten first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def get(self, key: tuple[str, str]) -> bytes | None:
        """Return the kept bytes."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def keep(self, key: tuple[str, str], packed: bytes) -> None:
        """Remember bytes."""
        self._entries[key] = packed
        if len(self._entries) > KEPT_FILES:
            self._entries.popitem(last=False)
