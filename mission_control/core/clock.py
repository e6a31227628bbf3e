"""The one place where time comes from, so that tests can move it."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)
_STORED_LENGTHS = (19, 26)  # of a naive moment as text, without and with microseconds
_LOST_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")


def now() -> datetime:
    """Return the present moment as a naive UTC datetime, the only kind used inside the program."""
    return datetime.now(UTC).replace(tzinfo=None) + _offset


def monotonic() -> float:
    """Return seconds of a clock that nobody sets, for durations. Tests move it like `now`."""
    return time.monotonic() + _offset.total_seconds()


def naive_utc(moment: datetime) -> datetime:
    """Convert an aware datetime to naive UTC; a naive one counts as UTC. ValueError beyond the calendar."""
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("the moment lies outside of the years 1 to 9999") from None


def wire(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC: `2026-11-26T01:23:55.890864Z`."""
    return f"{naive_utc(moment).isoformat()}Z"


def wire_texts(stored: Sequence[str | None]) -> list[str | None]:
    """Return moments that a database keeps as text as `wire` writes them."""
    return [
        text
        and (f"{text.replace(' ', 'T', 1)}Z" if len(text) in _STORED_LENGTHS else wire(datetime.fromisoformat(text)))
        for text in stored
    ]


def parse_since(text: str | None) -> datetime | None:
    """Read a lenient ISO-8601 moment; blank, missing, `null` and unparsable text give None."""
    try:
        return naive_utc(datetime.fromisoformat(with_plus((text or "").strip())))
    except ValueError:
        return None


def with_plus(text: str) -> str:
    """Put back the `+` of an offset that an address turned into a space: `2026-11-26T01:23:55 00:00`."""
    return _LOST_PLUS.sub(r"\1+\2", text)


@contextmanager
def travelled(by: timedelta) -> Iterator[None]:
    """Move the clock for a test."""
    global _offset
    before, _offset = _offset, _offset + by
    try:
        yield
    finally:
        _offset = before
