"""Time ranges and their buckets, all naive UTC."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

RangeKey = Literal["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]
BucketKey = Literal["hour", "day", "week", "month"]

RANGES: dict[RangeKey, tuple[timedelta, BucketKey]] = {
    "24h": (timedelta(hours=24), "hour"),
    "3d": (timedelta(days=3), "day"),
    "7d": (timedelta(days=7), "day"),
    "14d": (timedelta(days=14), "day"),
    "1m": (timedelta(days=30), "day"),
    "3m": (timedelta(days=90), "week"),
    "6m": (timedelta(days=180), "week"),
    "1y": (timedelta(days=365), "month"),
}


def hour_of(moment: datetime) -> datetime:
    """Return the hour of a time."""
    return datetime(moment.year, moment.month, moment.day, moment.hour)


def day_of(moment: datetime) -> datetime:
    """Return the day of a time."""
    return datetime(moment.year, moment.month, moment.day)


def week_of(moment: datetime) -> datetime:
    """Return the Monday of a time's week."""
    return day_of(moment) - timedelta(days=moment.weekday())


def month_of(moment: datetime) -> datetime:
    """Return the first day of a time's month."""
    return datetime(moment.year, moment.month, 1)


STARTS: dict[BucketKey, Callable[[datetime], datetime]] = {
    "hour": hour_of,
    "day": day_of,
    "week": week_of,
    "month": month_of,
}
STEPS: dict[BucketKey, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=32),  # lands in the next month; its first day is used
}


@dataclass(frozen=True, slots=True)
class Window:
    """A closed time range and the buckets that cover it."""

    key: RangeKey
    bucket: BucketKey
    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        """Return whether a time is in the window, ends included."""
        return self.start <= moment <= self.end

    def periods(self) -> tuple[datetime, ...]:
        """Return the start of every bucket from that of `start` to that of `end`."""
        return _periods(self)

    def period_of(self, moment: datetime) -> datetime:
        """Return the start of a time's bucket."""
        return STARTS[self.bucket](moment)


@lru_cache(maxsize=16)  # every series of a dashboard asks
def _periods(window: Window) -> tuple[datetime, ...]:
    begin = STARTS[window.bucket]
    found = [begin(window.start)]
    while (following := begin(found[-1] + STEPS[window.bucket])) <= window.end:
        found.append(following)
    return tuple(found)


def windows(key: RangeKey, now: datetime) -> tuple[Window, Window]:
    """Return the window that ends now and the one of the same length before it."""
    duration, bucket = RANGES[key]
    start = now - duration
    return Window(key, bucket, start, now), Window(key, bucket, start - duration, start)
