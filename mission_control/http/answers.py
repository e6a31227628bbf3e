"""Answers in JSON."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from quart import Response
from quart.wrappers.response import IterableBody

from mission_control.core.json import to_json

LARGE = 2**20  # bytes of a body that is sent in pieces
PIECE = 2**18


def json_response(answer: Any, status: int = 200) -> Response:
    """An answer as compact JSON; bytes are JSON already."""
    body = answer if isinstance(answer, bytes) else to_json(answer)
    return Response(body, status, content_type="application/json")


def is_large(pieces: Sequence[bytes]) -> bool:
    """Whether a body is sent piece by piece: written at once it would hold up everybody."""
    return sum(map(len, pieces)) > LARGE


def in_pieces(body: Sequence[bytes], status: int = 200) -> Response:
    """An answer whose JSON is sent piece by piece."""

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
