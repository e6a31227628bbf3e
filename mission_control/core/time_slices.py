"""Long work of the event loop's thread in parts, so that others have their turn in between."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import batched

MOST = 500  # things, each worth some microseconds


async def in_turns[T](things: Iterable[T]) -> AsyncIterator[tuple[T, ...]]:
    for number, some in enumerate(batched(things, MOST, strict=False)):
        if number:
            await asyncio.sleep(0)
        yield some
