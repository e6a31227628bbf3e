"""Days and times of day where people are."""

from datetime import date, datetime, time
from uuid import uuid4

import pytest

from mission_control.core import times
from mission_control.core.actor import Actor

BERLIN, KIRITIMATI = times.named("Europe/Berlin"), times.named("Pacific/Kiritimati")
EVENING = datetime(2026, 3, 14, 23, 30)  # in Berlin it is the next day already


@pytest.mark.parametrize("name", [None, "", "Nowhere/Else", "../etc/passwd", "America", "\0", "x" * 5000])
def test_unknown_zones_are_utc(name: str | None) -> None:
    assert times.named(name).key == "UTC"


def test_day_begins_and_ends_where_the_person_is() -> None:
    assert times.day_of(EVENING, BERLIN) == date(2026, 3, 15)
    assert times.at(date(2026, 3, 15), times.START_TIME, BERLIN) == datetime(2026, 3, 14, 23)
    assert times.at(date(2026, 7, 1), times.DUE_TIME, BERLIN) == datetime(2026, 7, 1, 21, 59)
    assert times.at(date(2026, 7, 1), time(9), KIRITIMATI) == datetime(2026, 6, 30, 19)


def test_day_with_a_change_of_clocks_has_another_length() -> None:
    begin, end = (times.at(date(2026, 3, day), times.START_TIME, BERLIN) for day in (29, 30))
    assert (end - begin).total_seconds() == 23 * 3600


def test_wall_clock_leads_back_to_its_moment() -> None:
    assert times.moment(times.local(EVENING, BERLIN), BERLIN) == EVENING


def test_ends_of_the_calendar_stay_in_it() -> None:
    last = datetime(9999, 12, 31, 23, 59)
    assert times.local(last, KIRITIMATI) == last
    assert times.moment(datetime(1, 1, 1), BERLIN) == datetime(1, 1, 1)


def test_moments_are_written_in_the_zone_of_the_reader() -> None:
    assert times.absolute(EVENING) == "14 Mar 2026, 23:30 UTC"
    times.read_by(Actor("user", uuid4(), "Mara", uuid4(), zone="Europe/Berlin"))
    try:
        assert times.absolute(EVENING) == "15 Mar 2026, 00:30 CET"
        assert times.clock_time(EVENING, now=datetime(2026, 3, 15, 12)) == "00:30 CET"
        assert times.clock_time(EVENING, now=datetime(2026, 3, 14, 12)) == "15 Mar 2026, 00:30 CET"
        assert times.relative(EVENING, now=datetime(2026, 5, 1)) == "15 Mar"
    finally:
        times.read_by(Actor("agent", uuid4(), "Vega", uuid4()))
