"""A cache of what was fetched: fresh for an hour, stale rather than nothing, one fetch at a time for each key."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mission_control.core import clock
from mission_control.live.shared import Shared

FRESH_FOR = timedelta(hours=1)
RETRY_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class _Kept[T]:
    value: T
    fresh_until: datetime
    read_at: datetime


class Cache[T]:
    """At most `most` values. The least recently used one is dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._fetching: Shared[T] = Shared(0)

    def read_at(self, key: str) -> datetime | None:
        """Return when a value was fetched, None when there is none."""
        kept = self._kept.get(key)
        return None if kept is None else kept.read_at

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return the value, fetched when it is missing or old, once for all concurrent callers.

        When fetching fails, an old value serves for another minute; without one the error is raised. An empty value
        is not kept.
        """
        kept = self._kept.get(key)
        if kept is not None and kept.fresh_until > clock.now():
            self._kept.move_to_end(key)
            return kept.value
        return await self._fetching.get(key, lambda: self._fetch(key, fetch))

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await fetch()
        except Exception:
            old = self._kept.get(key)
            if old is None:
                raise
            old.fresh_until = clock.now() + RETRY_AFTER
            return old.value
        if value:
            self._kept[key] = _Kept(value, clock.now() + FRESH_FOR, clock.now())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value
