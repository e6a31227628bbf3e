"""The one place where time comes from, so that tests can move it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present moment as a naive UTC datetime, the only kind used inside the program."""
    return datetime.now(UTC).replace(tzinfo=None) + _offset


def monotonic() -> float:
    """Seconds on a clock that nobody sets, to measure how long ago something was; tests move it like `now`."""
    return time.monotonic() + _offset.total_seconds()


def naive_utc(moment: datetime) -> datetime:
    """Turn an aware datetime into naive UTC; a naive one is taken as UTC. Outside of the calendar: ValueError."""
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("the moment lies outside of the years 1 to 9999") from None


def parse_since(text: str | None) -> datetime | None:
    """Read a lenient ISO-8601 moment; blank, missing, `null` and unparsable text give None."""
    try:
        return naive_utc(datetime.fromisoformat((text or "").strip()))
    except ValueError:
        return None


@contextmanager
def travelled(by: timedelta) -> Iterator[None]:
    """Move the clock for a test."""
    global _offset
    before, _offset = _offset, _offset + by
    try:
        yield
    finally:
        _offset = before
