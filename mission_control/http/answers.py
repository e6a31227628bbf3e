"""Answers in JSON."""

import asyncio
from collections.abc import AsyncIterator
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


def in_pieces(response: Response, body: bytes) -> Response:
    """Return a response that sends a large body piece by piece: written at once it would hold up everybody."""
    if response.status_code != 200 or len(body) <= LARGE:
        return response

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), PIECE):
            yield body[start : start + PIECE]
            await asyncio.sleep(0)

    response.response = IterableBody(pieces())
    response.headers["Content-Length"] = str(len(body))
    response.timeout = None
    return response
