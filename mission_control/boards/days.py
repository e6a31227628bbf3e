"""Days as people type them: `today`, `fri`, `+3d`, `2026-12-24`, and `<` or `>=` in front, where the reader is."""

import re
from datetime import date, datetime, time, timedelta

from mission_control.core import zones

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFFSET = re.compile(r"\+?(\d{1,3})(d|w)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COMPARED = re.compile(r"(<=|>=|<|>)?(.+)")

Span = tuple[datetime | None, datetime | None]  # from a moment on, and before another


def day_of(text: str, now: datetime) -> date | None:
    """Return the day that a word means, None for any other word. A weekday is the next one, today included."""
    text, today = text.lower(), zones.day_of(now, zones.reader())
    if text in (near := {"today": 0, "tomorrow": 1, "yesterday": -1}):
        return today + timedelta(days=near[text])
    if (short := text[:3]) in WEEKDAYS and text in (short, _whole(short)):
        return today + timedelta(days=(WEEKDAYS.index(short) - today.weekday()) % 7)
    if offset := _OFFSET.fullmatch(text):
        return today + timedelta(days=int(offset[1]) * (7 if offset[2] == "w" else 1))
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _whole(short: str) -> str:
    return {"tue": "tuesday", "wed": "wednesday", "thu": "thursday", "sat": "saturday"}.get(short, f"{short}day")


def days_of(text: str, now: datetime) -> Span | None:
    """Return the span that a word means, such as `<fri`, `week` or `2026-12-24`; None for any other word."""
    compared = _COMPARED.fullmatch(text)
    if compared is None:
        return None
    sign, word = compared[1] or "", compared[2]
    if word.lower() == "week" and not sign:
        today = zones.day_of(now, zones.reader())
        monday = today - timedelta(days=today.weekday())
        return _start(monday), _start(monday + timedelta(days=7))
    day = day_of(word, now)
    if day is None or day.year > 9990:
        return None
    begin, end = _start(day), _start(day + timedelta(days=1))
    return {"": (begin, end), "<": (None, begin), "<=": (None, end), ">": (end, None), ">=": (begin, None)}[sign]


def _start(day: date) -> datetime:
    return zones.start_of(day, zones.reader())


def end_of_day(day: date) -> datetime:
    """Return the moment at which what is due on a day is due."""
    return zones.end_of(day, zones.reader())


def goal_day(target: datetime | None) -> date | None:
    """Return the day of a board's target date where the reader is.

    Midnight in UTC is a day without a time of day, which is how programs send one: it is that day everywhere.
    """
    if target is None or target.time() == time():
        return target and target.date()
    return zones.day_of(target, zones.reader())


def goal_moment(day: date | None) -> datetime | None:
    """Return the moment that a form means by a target date: the end of that day where the reader is."""
    return None if day is None else end_of_day(day)


def is_today(moment: datetime, now: datetime) -> bool:
    """Return whether a moment is on the reader's present day."""
    return zones.day_of(moment, zones.reader()) == zones.day_of(now, zones.reader())
