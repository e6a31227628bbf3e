"""Limits: how often one address may present something wrong, and how many requests a token has."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from mission_control.core import clock
from mission_control.core.errors import Forbidden, TooMany

MINUTE = 60.0
ROUNDING = 1e-6


class FailureLimit:
    """At most `count` failures per key in a sliding window; kept per process, the oldest keys forgotten."""

    def __init__(
        self, count: int, window_seconds: float, keys: int = 10_000, now: Callable[[], float] = clock.monotonic
    ) -> None:
        self.count = count
        self.window = window_seconds
        self.now = now
        self._keys = keys
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raise 429 with `Retry-After` while the key has used up its failures."""
        moments = self._recent(key)
        if moments and len(moments) >= self.count:
            raise TooMany(round(moments[0] + self.window - self.now()) + 1)

    def failed(self, key: str) -> None:
        """Count a failure."""
        moments = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        moments.append(self.now())
        while len(self._failures) > self._keys:
            self._failures.popitem(last=False)

    @contextmanager
    def attempt(self, *keys: str) -> Iterator[None]:
        """Around something that may turn out wrong (Forbidden); 429 when one of the keys has used up its failures.

        It counts from its beginning, so that attempts at the same moment cannot all be let in.
        """
        for key in keys:
            self.check(key)
        for key in keys:
            self.failed(key)
        try:
            yield
        except Forbidden:
            raise
        except Exception:
            self._take_back(keys)
            raise
        self._take_back(keys)

    def _take_back(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            if moments := self._failures.get(key):
                moments.pop()

    def clear(self) -> None:
        """Forget everything."""
        self._failures.clear()

    def _recent(self, key: str) -> deque[float] | None:
        moments = self._failures.get(key)
        while moments and moments[0] < self.now() - self.window:
            moments.popleft()
        return moments


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a token has left: `remaining` of `limit` requests; all of them again in `reset` seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The allowance as it is told with every answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class RequestBudget:
    """So many requests a minute per token, given back evenly; kept per process, the longest unused forgotten."""

    def __init__(self, per_minute: int, keys: int = 10_000, now: Callable[[], float] = clock.monotonic) -> None:
        self.per_minute = per_minute
        self.now = now
        self._keys = keys
        self._spent: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def spend(self, token_id: UUID, own: int | None = None) -> Allowance | None:
        """Take one request of a token's own budget, else of the usual one (0: no budget, None). Over it: 429."""
        limit = self.per_minute if own is None else own
        if limit == 0:
            return None
        now = self.now()
        spent, at = self._spent.get(token_id, (0.0, now))
        spent = max(0.0, min(float(limit), spent) - max(0.0, now - at) * limit / MINUTE)
        if spent + 1 - limit > ROUNDING:
            raise self._refusal(limit, spent)
        self._spent[token_id] = (spent + 1, now)
        self._spent.move_to_end(token_id)
        while len(self._spent) > self._keys:
            self._spent.popitem(last=False)
        return _allowance(limit, spent + 1)

    def clear(self) -> None:
        """Forget everything."""
        self._spent.clear()

    @staticmethod
    def _refusal(limit: int, spent: float) -> TooMany:
        wait = math.ceil((spent + 1 - limit) * MINUTE / limit)
        message = f"This token has {limit} requests a minute. Try again in {max(1, wait)} s."
        refusal = TooMany(wait, {"message": message, "code": "rate_limited"})
        refusal.headers |= _allowance(limit, spent).headers()
        return refusal


def _allowance(limit: int, spent: float) -> Allowance:
    return Allowance(limit, max(0, math.floor(limit - spent + ROUNDING)), math.ceil(spent * MINUTE / limit - ROUNDING))


unknown_tokens = FailureLimit(20, 60.0)
wrong_passwords = FailureLimit(10, 300.0)
agent_requests = RequestBudget(600)
person_requests = RequestBudget(600)
