"""Moments as people read them; the browser repeats this in the reader's own time zone."""

from datetime import datetime

from mission_control.core import clock

MINUTE, HOUR, DAY = 60, 3600, 86400


def iso(moment: datetime) -> str:
    """Return a naive UTC datetime for `<time datetime>`: `2026-03-14T15:09:26Z`."""
    return moment.replace(microsecond=0).isoformat() + "Z"


def absolute(moment: datetime) -> str:
    """Return the full moment: `14 Mar 2026, 15:09 UTC`."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Return how far away a moment is when that is under a day, else its date; reads well in a sentence."""
    now = now or clock.now()
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance >= DAY:
        return f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"
    if distance < MINUTE:
        return "just now" if seconds >= 0 else "now"
    amount = f"{int(distance // HOUR)} h" if distance >= HOUR else f"{int(distance // MINUTE)} min"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def clock_time(moment: datetime, now: datetime | None = None) -> str:
    """Return the time of day, with the date when that is not today: `15:09 UTC`."""
    return f"{moment:%H:%M} UTC" if moment.date() == (now or clock.now()).date() else absolute(moment)


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
    """Return how long ago a moment was, to the second: `3 s ago`, `5 min ago`, `2 h ago`, `3 d ago`."""
    seconds = max(0, int(((now or clock.now()) - moment).total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s ago"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    return f"{seconds // HOUR} h ago" if seconds < 2 * DAY else f"{seconds // DAY} d ago"
