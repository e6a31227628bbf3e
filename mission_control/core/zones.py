"""Days and times of day where somebody is. Inside the program every moment is naive UTC (`core/clock.py`).

Whatever says or reads a day (`today`, `due on Friday`, a date in a form, a group of a feed) asks here:

    zone = zones.zone_of(actor)                 a person's own zone; UTC for agents, and for people who chose none
    zones.today(zone)                           the date there now
    zones.day_of(moment, zone)                  the date of a moment there
    zones.start_of(day, zone), end_of(day, zone)  the moments at which a day begins there, and at which its dues are due
    zones.at(day, time(9), zone)                a time of day there as a moment
    zones.local(moment, zone)                   the clock on the wall there, and `zones.moment(wall, zone)` back again

Writing needs no zone: the filters of templates and the functions below write in the zone of the reader, whom
`zones.read_by(actor)` names once for each request and each look of a stream. A part of a page that is rendered once
for many viewers is rendered once for each of their zones. In the browser `<html data-zone>` says the same to `time.js`.
"""

from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from mission_control.core import clock
from mission_control.core.actor import Actor

DUE_TIME = time(23, 59)
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


def zone_of(actor: Actor) -> ZoneInfo:
    """Return the zone that somebody chose, else UTC."""
    return named(actor.zone)


def read_by(actor: Actor) -> None:
    """Write for this person from here on, in this request or look of a stream."""
    _reader.set(zone_of(actor))


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
    """Return what the zone is called at a moment: `UTC`, `CET`, `+0530`."""
    try:
        return f"{moment.replace(tzinfo=UTC).astimezone(zone):%Z}"
    except OverflowError:
        return "UTC"


def today(zone: ZoneInfo) -> date:
    return day_of(clock.now(), zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return local(moment, zone).date()


def at(day: date, time_of_day: time, zone: ZoneInfo) -> datetime:
    return moment(datetime.combine(day, time_of_day), zone)


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day begins."""
    return at(day, time(), zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which what is due on a day is due."""
    return at(day, DUE_TIME, zone)


MINUTE, HOUR, DAY = 60, 3600, 86400


def iso(moment: datetime) -> str:
    """Return a naive UTC datetime for `<time datetime>`: `2026-03-14T15:09:26Z`."""
    return moment.replace(microsecond=0).isoformat() + "Z"


def absolute(moment: datetime) -> str:
    """Return the full moment: `14 Mar 2026, 15:09 UTC`."""
    zone = reader()
    wall = local(moment, zone)
    return f"{wall.day} {wall:%b %Y, %H:%M} {abbreviation(moment, zone)}"


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Return how far away a moment is when that is under a day, else its date; reads well in a sentence."""
    now = now or clock.now()
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance >= DAY:
        return date_words(day_of(moment, reader()), day_of(now, reader()))
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "now"
    amount = f"{int(distance // HOUR)} h" if distance >= HOUR else f"{int(distance // MINUTE)} min"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def date_words(day: date, today: date) -> str:
    """Return a date, with its year when that is another one: `14 Mar`."""
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def clock_time(moment: datetime, now: datetime | None = None) -> str:
    """Return the time of day, with the date when that is not today: `15:09 UTC`."""
    zone = reader()
    if day_of(moment, zone) != day_of(now or clock.now(), zone):
        return absolute(moment)
    return f"{local(moment, zone):%H:%M} {abbreviation(moment, zone)}"


def elapsed(since: datetime, now: datetime | None = None) -> str:
    """Return how long something has been going on: `4 m`, `2 h`, `3 d`."""
    seconds = max(0.0, ((now or clock.now()) - since).total_seconds())
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} m"
    return f"{int(seconds // HOUR)} h" if seconds < DAY else f"{int(seconds // DAY)} d"


def age(since: datetime, now: datetime | None = None) -> str:
    """Return how long something has been so: `4 s`, `38 min`, `2 h`, `3 d`."""
    seconds = max(0, int(((now or clock.now()) - since).total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    return f"{seconds // MINUTE} min" if seconds < HOUR else elapsed(since, now)


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, to the second: `just now`, `3 s ago`, `5 min ago`, `2 h ago`, `3 d ago`."""
    seconds = max(0, int(((now or clock.now()) - moment).total_seconds()))
    if not seconds:
        return "just now"
    if seconds < MINUTE:
        return f"{seconds} s ago"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    return f"{seconds // HOUR} h ago" if seconds < 2 * DAY else f"{seconds // DAY} d ago"
