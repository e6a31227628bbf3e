"""Moments as people read them, in the zone of the reader; the browser repeats this as time goes on."""

from datetime import date, datetime

from mission_control.core import clock, zones

MINUTE, HOUR, DAY = 60, 3600, 86400


def iso(moment: datetime) -> str:
    """Return a naive UTC datetime for `<time datetime>`: `2026-03-14T15:09:26Z`."""
    return moment.replace(microsecond=0).isoformat() + "Z"


def absolute(moment: datetime) -> str:
    """Return the full moment: `14 Mar 2026, 15:09 UTC`."""
    zone = zones.reader()
    wall = zones.local(moment, zone)
    return f"{wall.day} {wall:%b %Y, %H:%M} {zones.abbreviation(moment, zone)}"


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Return how far away a moment is when that is under a day, else its date; reads well in a sentence."""
    now = now or clock.now()
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance >= DAY:
        return date_words(zones.day_of(moment, zones.reader()), zones.day_of(now, zones.reader()))
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "now"
    amount = f"{int(distance // HOUR)} h" if distance >= HOUR else f"{int(distance // MINUTE)} min"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def date_words(day: date, today: date) -> str:
    """Return a date, with its year when that is another one: `14 Mar`."""
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def clock_time(moment: datetime, now: datetime | None = None) -> str:
    """Return the time of day, with the date when that is not today: `15:09 UTC`."""
    zone = zones.reader()
    if zones.day_of(moment, zone) != zones.day_of(now or clock.now(), zone):
        return absolute(moment)
    return f"{zones.local(moment, zone):%H:%M} {zones.abbreviation(moment, zone)}"


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
