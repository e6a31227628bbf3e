"""Days and moments as people type and read them: a weekday, a date, a span, and when a task is due."""

import calendar
import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from mission_control.core import times

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WHOLE = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = {name: number for names in (WEEKDAYS, _WHOLE) for number, name in enumerate(names)}
_NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1}
_OFFSET = re.compile(r"\+?([0-9]{1,3})(d|w)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WRITTEN = re.compile(r"(?:([a-z]{3})[a-z]*,? )?(\d{1,2})\.? ([a-z]{3})[a-z]*(?: (\d{4}))?")
HALF_A_YEAR = 182
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_AT = re.compile(r"(?:(.+?)[ t])?(\d{1,2}):(\d{2})")
LAST_YEAR = 9990  # the end of a later day is not a moment everywhere
_COMPARED = re.compile(r"(<=|>=|<|>)?(.+)")

Span = tuple[datetime | None, datetime | None]  # from a moment on, and before another


def day_of(text: str, now: datetime) -> date | None:
    """Return the day that a word means, None for any other word.

    A weekday is the next one, today included; `next fri` is the one of the week after this, which ends on Sunday.
    """
    text, today = text.lower(), times.day_of(now, times.reader())
    if text.startswith("next "):
        weekday = 0 if text == "next week" else _WEEKDAY.get(text[5:])
        return None if weekday is None else today + timedelta(days=7 - today.weekday() + weekday)
    if text in _NEAR:
        return today + timedelta(days=_NEAR[text])
    if text in _WEEKDAY:
        return today + timedelta(days=(_WEEKDAY[text] - today.weekday()) % 7)
    if offset := _OFFSET.fullmatch(text):
        return today + timedelta(days=int(offset[1]) * (7 if offset[2] == "w" else 1))
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else _written(text, today)
    except ValueError:
        return None


def moment_of(text: str, now: datetime) -> datetime | None:
    """Return the moment that words mean, such as `fri 22:00`, `22:00` or `2026-12-04T22:00`; None for any other words.

    A day alone is its beginning, `tonight` is 22:00. A weekday or a time that is over means the next one.
    """
    text = "today 22:00" if text.lower() == "tonight" else text.lower()
    match = _AT.fullmatch(text)
    word, hour, minute = match.groups() if match else (text, "0", "0")
    day = day_of(word or "today", now)
    if day is None or day.year > LAST_YEAR or int(hour) > 23 or int(minute) > 59:
        return None
    clock, zone = time(int(hour), int(minute)), times.reader()
    moment, days = times.at(day, clock, zone), 7 if word in _WEEKDAY else 0 if word else 1
    return moment if moment > now else times.at(day + timedelta(days=days), clock, zone)


def _written(text: str, today: date) -> date | None:
    """Return the day of `Fri 4 Dec` or `4 December 2027`; without a year the one that is nearest to today."""
    match = _WRITTEN.fullmatch(text)
    if match is None or match[3] not in MONTHS or match[1] not in (None, *WEEKDAYS):
        return None
    years = [int(match[4])] if match[4] else [today.year + offset for offset in (-1, 0, 1)]
    month, number = MONTHS.index(match[3]) + 1, int(match[2])
    days = [date(year, month, number) for year in years if 1 <= number <= calendar.monthrange(year, month)[1]]
    return min(days, key=lambda day: abs(day - today), default=None)


def day_words(day: date, now: datetime) -> str:
    """Return a day as it is read and typed, with its year when that is not the nearest one: `Fri 4 Dec`."""
    words = f"{WEEKDAYS[day.weekday()].capitalize()} {day.day} {MONTHS[day.month - 1].capitalize()}"
    is_near = abs((day - times.day_of(now, times.reader())).days) < HALF_A_YEAR
    return words if is_near else f"{words} {day.year}"


def moment_words(moment: datetime, now: datetime) -> str:
    """Return a moment as it is read and typed: `Fri 4 Dec 22:00`."""
    zone = times.reader()
    return f"{day_words(times.day_of(moment, zone), now)} {times.local(moment, zone):%H:%M}"


class Due(NamedTuple):
    """When a task is due, in words; amber on its day, red when it is late."""

    words: str
    tone: str


def due_of(due_at: datetime | None, now: datetime, *, is_done: bool) -> Due | None:
    """`Fri 4 Dec`, `Today`, `Wed 25 Nov, 2 d late`."""
    if due_at is None:
        return None
    day, today = times.day_of(due_at, times.reader()), times.day_of(now, times.reader())
    words = day_words(day, now)
    if is_done or (due_at >= now and day != today):
        return Due(words, "")
    if day == today:
        return Due("Today", "warn") if due_at >= now else Due("Today, late", "bad")
    return Due(f"{words}, {(today - day).days} d late", "bad")


def days_of(text: str, now: datetime) -> Span | None:
    """Return the span that a word means, such as `<fri`, `week` or `2026-12-24`; None for any other word."""
    compared = _COMPARED.fullmatch(text)
    if compared is None:
        return None
    sign, word = compared[1] or "", compared[2]
    if word.lower() == "week" and not sign:
        today = times.day_of(now, times.reader())
        monday = today - timedelta(days=today.weekday())
        return _start(monday), _start(monday + timedelta(days=7))
    day = day_of(word, now)
    if day is None or day.year > LAST_YEAR:
        return None
    begin, end = _start(day), _start(day + timedelta(days=1))
    return {"": (begin, end), "<": (None, begin), "<=": (None, end), ">": (end, None), ">=": (begin, None)}[sign]


def _start(day: date) -> datetime:
    return times.at(day, times.START_TIME, times.reader())


def end_of_day(day: date) -> datetime:
    return times.at(day, times.DUE_TIME, times.reader())


def goal_day(target: datetime | None) -> date | None:
    """Return the day of a board's target date where the reader is.

    Midnight in UTC is a day without a time of day, which is how programs send one: it is that day everywhere.
    """
    if target is None or target.time() == time():
        return target and target.date()
    return times.day_of(target, times.reader())


def goal_moment(day: date | None) -> datetime | None:
    return None if day is None else end_of_day(day)
