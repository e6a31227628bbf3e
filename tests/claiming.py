"""Claims as agents make them."""

from datetime import timedelta
from typing import Any

from mission_control.core import times
from tests.cast import Answer, Caller, Cast


async def claim(cast: Cast, by: Caller | None = None, **wanted: Any) -> Answer:
    """Vega, or somebody else, claims on the cast's board."""
    return await (by or cast.vega).post(f"/agent{cast.home}/claims", wanted)


async def taken(cast: Cast, by: Caller | None = None, **wanted: Any) -> dict[str, Any]:
    """A claim that must hand out a task: the task with its lease."""
    body = (await claim(cast, by, **wanted)).ok()
    assert body["task"] is not None and body["lease"] is not None, "nothing was handed out"
    return {**body["task"], "lease": body["lease"]}


async def title_of_next(cast: Cast, by: Caller | None = None, **wanted: Any) -> str | None:
    """The title of the task that a claim hands out, or None."""
    body = (await claim(cast, by, **wanted)).ok()
    return body["task"]["title"] if body["task"] else None


async def extend(cast: Cast, task: dict[str, Any], by: Caller | None = None, **body: Any) -> Answer:
    """Vega, or somebody else, extends the lease of a task."""
    return await (by or cast.vega).post(f"/agent{cast.task(task)}/lease", body)


async def release(cast: Cast, task: dict[str, Any], by: Caller | None = None, **body: Any) -> Answer:
    """Vega, or somebody else, gives a task back."""
    return await (by or cast.vega).delete(f"/agent{cast.task(task)}/lease", json=body)


def later(seconds: float = 0, **more: float) -> Any:
    return times.travelled(timedelta(seconds=seconds, **more))
