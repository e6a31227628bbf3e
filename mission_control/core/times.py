"""The one place where time comes from; days and times where people are, and in words."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from datetime import time as datetime_time
from functools import lru_cache
from zoneinfo import ZoneInfo

from mission_control.core.actor import Actor

_offset = timedelta(0)
_ahead = timedelta(0)
_clock = timedelta(0)  # both together
_STORED_LENGTHS = (19, 26)  # of a naive moment as text, without and with microseconds
_LOST_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")


def clock_now() -> datetime:
    """Return the present moment as a naive UTC datetime, the only kind used inside the program."""
    return datetime.now(UTC).replace(tzinfo=None) + _clock


def epoch_seconds() -> float:
    return time.time() + _ahead.total_seconds()


def go_by_clock_ahead(by: timedelta) -> None:
    """Go by a clock that is so far ahead of this machine's: the database's, so that leases mean the same everywhere."""
    global _ahead, _clock
    _ahead, _clock = by, by + _offset


def monotonic() -> float:
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
    global _offset, _clock
    before = _offset
    _offset, _clock = before + by, before + by + _ahead
    try:
        yield
    finally:
        _offset, _clock = before, before + _ahead


START_TIME, DUE_TIME = datetime_time(), datetime_time(23, 59)
_UTC = ZoneInfo("UTC")
_reader: ContextVar[ZoneInfo] = ContextVar("reader_zone", default=_UTC)


@lru_cache(maxsize=1000)
def named(name: str | None) -> ZoneInfo:
    """Return the zone of a name, UTC for none and for a name that does not exist."""
    try:
        return ZoneInfo(name) if name else _UTC
    except (KeyError, ValueError, OSError):
        return _UTC


def exists(name: str) -> bool:
    return name == "UTC" or named(name) is not _UTC


def read_by(actor: Actor) -> None:
    """Write for this person from here on, in this request or look of a stream."""
    _reader.set(named(actor.zone))


def reader() -> ZoneInfo:
    """Return the zone in which texts are written now; UTC where nobody reads them at once."""
    return _reader.get()


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows at a moment, without a zone."""
    try:
        return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    except OverflowError:  # at the ends of the calendar
        return moment


def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the clock on the wall shows this; the first one, where it does so twice."""
    try:
        return wall.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return wall


def abbreviation(moment: datetime, zone: ZoneInfo) -> str:
    try:
        return f"{moment.replace(tzinfo=UTC).astimezone(zone):%Z}"
    except OverflowError:
        return "UTC"


def today(zone: ZoneInfo) -> date:
    return day_of(clock_now(), zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return local(moment, zone).date()


def at(day: date, time_of_day: datetime_time, zone: ZoneInfo) -> datetime:
    return moment(datetime.combine(day, time_of_day), zone)


MINUTE, HOUR, DAY = 60, 3600, 86400


def iso(moment: datetime) -> str:
    """Return a naive UTC datetime for `<time datetime>`: `2026-03-14T15:09:26Z`."""
    return moment.replace(microsecond=0).isoformat() + "Z"


def absolute(moment: datetime) -> str:
    zone = reader()
    wall = local(moment, zone)
    return f"{wall.day} {wall:%b %Y, %H:%M} {abbreviation(moment, zone)}"


def relative(moment: datetime, now: datetime | None = None) -> str:
    now = now or clock_now()
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance >= DAY:
        return date_words(day_of(moment, reader()), day_of(now, reader()))
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "now"
    amount = f"{int(distance // HOUR)} h" if distance >= HOUR else f"{int(distance // MINUTE)} min"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def date_words(day: date, today: date) -> str:
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def clock_time(moment: datetime, now: datetime | None = None) -> str:
    zone = reader()
    if day_of(moment, zone) != day_of(now or clock_now(), zone):
        return absolute(moment)
    return f"{local(moment, zone):%H:%M} {abbreviation(moment, zone)}"


def elapsed(since: datetime, now: datetime | None = None) -> str:
    """Return how long something has been going on: `<1 m`, `4 m`, `2 h`, `3 d`."""
    seconds = max(0.0, ((now or clock_now()) - since).total_seconds())
    if seconds < MINUTE:
        return "<1 m"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} m"
    return f"{int(seconds // HOUR)} h" if seconds < DAY else f"{int(seconds // DAY)} d"


def age(since: datetime, now: datetime | None = None) -> str:
    """Return how long something has been so: `4 s`, `38 min`, `2 h`, `3 d`."""
    seconds = max(0, int(((now or clock_now()) - since).total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    return f"{seconds // MINUTE} min" if seconds < HOUR else elapsed(since, now)


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, to the second: `just now`, `3 s ago`, `5 min ago`, `2 h ago`, `3 d ago`."""
    seconds = max(0, int(((now or clock_now()) - moment).total_seconds()))
    if not seconds:
        return "just now"
    if seconds < MINUTE:
        return f"{seconds} s ago"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    return f"{seconds // HOUR} h ago" if seconds < 2 * DAY else f"{seconds // DAY} d ago"
