"""What statements on SQLite cost: from their text, and from what they took before."""

import functools
import re
import time
from typing import Any

SHORT_SECONDS = 0.001  # a statement that took longer runs in a thread the next time
REMEMBERED = 2000  # texts of statements
LONG_VALUE = 10_000  # characters; writing more also means to index them for the search
MANY_VALUES = 200

_READS = re.compile(r"\s*(SELECT\b|WITH\b(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b))", re.IGNORECASE | re.DOTALL)
# One step of these can take as long as a text is, or they look at every row there is. How long that takes says nothing
# about the next time: the same statement finds other rows with another value.
_UNBOUNDED = re.compile(
    r"\b(LIKE|GLOB|MATCH|GROUP\s+BY)\b|\b(unicode_lower|instr|COUNT|SUM|AVG|TOTAL|group_concat|json_group_\w+)\s*\(",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=REMEMBERED)
def is_read(sql: str) -> bool:
    """Whether a statement changes nothing."""
    return _READS.match(sql) is not None


@functools.lru_cache(maxsize=REMEMBERED)
def is_unbounded(sql: str) -> bool:
    """Whether a statement searches texts or counts rows, so that nobody knows how long it takes."""
    return _UNBOUNDED.search(sql) is not None


def is_large(values: Any) -> bool:
    """Whether a statement writes a long text, or much at once."""
    return len(values) > MANY_VALUES or any(type(one) in (str, bytes) and len(one) > LONG_VALUE for one in values)


class Costs:
    """What each statement took, in seconds. One that was long is believed to be short again only step by step."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def of(self, sql: str, otherwise: float = 0.0) -> float:
        """Return what a statement is expected to take."""
        return self._seconds.get(sql, otherwise)

    def remember(self, sql: str, seconds: float) -> None:
        """Remember what a statement took just now."""
        if len(self._seconds) >= REMEMBERED:
            self._seconds.clear()
        self._seconds[sql] = max(seconds, self._seconds.get(sql, 0.0) / 2)


class Stopwatch:
    """Says when the statement that runs on a connection has had its time.

    Beyond its time it must have used the processor as well: what a busy machine makes slow is not long.
    """

    def __init__(self) -> None:
        self._seconds = self._deadline = float("inf")
        self._cpu_at_deadline: float | None = None

    def start(self, seconds: float) -> None:
        """Give the next statement so many seconds, or `inf`."""
        self._seconds, self._deadline, self._cpu_at_deadline = seconds, time.perf_counter() + seconds, None

    def is_over(self) -> bool:
        """Return whether to end the statement. SQLite asks every so many steps, and the reader after some rows."""
        now = time.perf_counter()
        if now <= self._deadline:
            return False
        cpu = time.thread_time()  # thirty times as slow as perf_counter
        if self._cpu_at_deadline is not None and cpu - self._cpu_at_deadline > self._seconds / 2:
            return True
        self._deadline = now + self._seconds / 2
        if self._cpu_at_deadline is None:
            self._cpu_at_deadline = cpu
        return False
