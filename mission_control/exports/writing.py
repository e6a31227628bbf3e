"""Write an exported board as the pieces of one JSON file."""

import asyncio
from collections.abc import AsyncIterator

from mission_control.core.json import to_json
from mission_control.exports.file import FORMAT, VERSION
from mission_control.exports.reading import PIECE_BYTES, Contents, Row, approvals_of, memory_of, tasks_of


async def file_pieces(contents: Contents) -> AsyncIterator[bytes]:
    """Yield the file of a board. Between two of its things everybody else has a turn."""
    piece = bytearray(_head(contents))
    for name, pages in (
        ("tasks", tasks_of(contents)), ("approvals", approvals_of(contents)), ("memory", memory_of(contents)),
    ):  # fmt: skip
        piece += b',"%s":[' % name.encode()
        is_first = True
        async for page in pages:
            for one in page:
                piece += to_json(one) if is_first else b"," + to_json(one)
                is_first = False
                if len(piece) > PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
                await asyncio.sleep(0)
        piece += b"]"
    yield bytes(piece + b"}")


def _head(contents: Contents) -> bytes:
    head: Row = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": contents.moment,
        "board": contents.board,
        "tags": contents.tags,
        "custom_fields": contents.fields,
    }
    return to_json(head)[:-1]
