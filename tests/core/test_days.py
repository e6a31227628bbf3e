"""Days as people type and read them."""

from datetime import date, datetime

import pytest

from mission_control.boards.days import Due, day_of, day_words, due_of

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
