"""Let a database step end although the request that asked for it is gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def finish[T](step: "Coroutine[Any, Any, T] | asyncio.Future[T]") -> T:
    """Await `step` to its end even when cancelled; raise the cancellation afterwards."""
    task = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result
