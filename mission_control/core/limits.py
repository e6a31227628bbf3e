"""Limits on guessing: how often one address may present something wrong."""

import time
from collections import OrderedDict, deque

from mission_control.core.errors import TooMany


class FailureLimit:
    """At most `count` failures per key in a sliding window; kept per process, the oldest keys forgotten."""

    def __init__(self, count: int, window_seconds: float, keys: int = 10_000) -> None:
        self.count = count
        self.window = window_seconds
        self._keys = keys
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raise 429 with `Retry-After` while the key has used up its failures."""
        moments = self._recent(key)
        if moments and len(moments) >= self.count:
            raise TooMany(round(moments[0] + self.window - time.monotonic()) + 1)

    def failed(self, key: str) -> None:
        """Count a failure."""
        moments = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        moments.append(time.monotonic())
        while len(self._failures) > self._keys:
            self._failures.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._failures.clear()

    def _recent(self, key: str) -> deque[float] | None:
        moments = self._failures.get(key)
        while moments and moments[0] < time.monotonic() - self.window:
            moments.popleft()
        return moments


unknown_tokens = FailureLimit(20, 60.0)
wrong_passwords = FailureLimit(10, 300.0)
