"""Days and moments as people type and read them."""

from datetime import date, datetime

import pytest

from mission_control.boards.days import Due, day_of, day_words, due_of, moment_of, moment_words
from mission_control.core import times

NOW = datetime(2026, 11, 28, 12)  # a Saturday


@pytest.mark.parametrize(("typed", "day"), [
    ("fri", date(2026, 12, 4)), ("next friday", date(2026, 12, 4)), ("next sat", date(2026, 12, 5)),
    ("next week", date(2026, 11, 30)), ("Fri 4 Dec", date(2026, 12, 4)), ("4 december", date(2026, 12, 4)),
    ("Wed, 6. jan", date(2027, 1, 6)), ("6 Jan 2028", date(2028, 1, 6)), ("next", None), ("next tuesdays", None),
    ("next 2w", None), ("4 dez", None), ("31 feb", None), ("xyz 4 dec", None),
])  # fmt: skip
def test_days_are_typed_as_people_say_them(typed: str, day: date | None) -> None:
    assert day_of(typed, NOW) == day


@pytest.mark.parametrize("day", [date(2026, 12, 4), date(2027, 3, 1), date(2025, 1, 1), date(2028, 2, 29)])
def test_day_that_is_shown_is_read_as_the_same_day(day: date) -> None:
    assert day_of(day_words(day, NOW), NOW) == day


@pytest.mark.parametrize(("due", "is_done", "shown"), [
    (datetime(2026, 12, 4, 23), False, Due("Fri 4 Dec", "")),
    (datetime(2026, 11, 28, 23), False, Due("Today", "warn")),
    (datetime(2026, 11, 28, 11), False, Due("Today, late", "bad")),
    (datetime(2026, 11, 25, 23), False, Due("Wed 25 Nov, 3 d late", "bad")),
    (datetime(2026, 11, 25, 23), True, Due("Wed 25 Nov", "")),
    (datetime(2028, 1, 5, 23), False, Due("Wed 5 Jan 2028", "")),
])  # fmt: skip
def test_due_date_is_a_day_with_its_state(due: datetime, is_done: bool, shown: Due) -> None:
    assert due_of(due, NOW, is_done=is_done) == shown


@pytest.mark.parametrize(("typed", "moment"), [
    ("fri 22:00", datetime(2026, 12, 4, 22)), ("fri", datetime(2026, 12, 4)), ("22:00", datetime(2026, 11, 28, 22)),
    ("11:59", datetime(2026, 11, 29, 11, 59)), ("sat 11:00", datetime(2026, 12, 5, 11)),
    ("Sat 13:00", datetime(2026, 11, 28, 13)), ("tonight", datetime(2026, 11, 28, 22)),
    ("next mon 7:30", datetime(2026, 11, 30, 7, 30)), ("2026-12-24T22:00", datetime(2026, 12, 24, 22)),
    ("4 Dec 22:00", datetime(2026, 12, 4, 22)), ("today 11:00", datetime(2026, 11, 28, 11)),
    ("24:00", None), ("fri 22:60", None), ("lunch", None), ("fri 22", None), ("9999-12-31 23:00", None),
])  # fmt: skip
def test_moments_are_typed_as_people_say_them(typed: str, moment: datetime | None) -> None:
    assert moment_of(typed, NOW) == moment


@pytest.mark.parametrize(("zone", "moment"), [
    ("Europe/Berlin", datetime(2026, 10, 30, 21)), ("America/New_York", datetime(2026, 10, 31, 2)),
])  # fmt: skip
def test_moment_over_a_clock_change_is_what_the_clock_shows(
    monkeypatch: pytest.MonkeyPatch, zone: str, moment: datetime
) -> None:
    """Berlin sets its clock back on October 25, New York on November 1."""
    monkeypatch.setattr(times, "reader", lambda: times.named(zone))
    before = datetime(2026, 10, 24, 12)
    assert moment_of("next fri 22:00", before) == moment
    assert moment_words(moment, before) == "Fri 30 Oct 22:00"
    assert moment_of(moment_words(moment, before), before) == moment
