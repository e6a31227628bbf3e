"""Whose turn it is, and when the next step of an escalation is due."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from mission_control.core import times
from mission_control.needs.escalation import Escalation, on_duty

ADA, BEN, CLEO = (UUID(int=one) for one in (1, 2, 3))
PEOPLE = [ADA, BEN, CLEO]


def made(zone: str = "UTC", **step: object) -> Escalation:
    first = {"after_minutes": 30, "user_ids": PEOPLE, **step}
    return Escalation.model_validate({"steps": [first], "timezone": zone})


def test_each_person_has_a_day_in_turns() -> None:
    monday = date(2024, 1, 1)
    turns = [on_duty(PEOPLE, "day", monday + timedelta(days=one)) for one in range(366)]
    for before, after in pairwise(turns):
        assert PEOPLE.index(after) == (PEOPLE.index(before) + 1) % 3
    assert [turns.count(one) for one in PEOPLE] == [122, 122, 122]


def test_each_person_has_a_week_from_monday_on() -> None:
    monday = date(2024, 1, 1)
    turns = [on_duty(PEOPLE, "week", monday + timedelta(days=one)) for one in range(7 * 52)]
    for week in range(52):
        assert len(set(turns[7 * week : 7 * week + 7])) == 1
    firsts = turns[::7]
    assert all(PEOPLE.index(b) == (PEOPLE.index(a) + 1) % 3 for a, b in pairwise(firsts))


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_turn_changes_at_midnight_there_once_a_day_through_both_clock_changes(zone: str) -> None:
    """Every half hour of a year: the person on duty changes exactly when the day of the zone does."""
    escalation = made(zone, rota="day")
    moment, end = datetime(2024, 1, 1), datetime(2025, 1, 1)
    [before], day, changes = escalation.asked_at(0, moment), times.day_of(moment, ZoneInfo(zone)), 0
    while moment < end:
        moment += timedelta(minutes=30)
        [now], present = escalation.asked_at(0, moment), times.day_of(moment, ZoneInfo(zone))
        assert (now == before) == (present == day)
        changes += now != before
        before, day = now, present
    assert changes == 366


def test_week_changes_on_monday_through_both_clock_changes() -> None:
    escalation = made("Europe/Zurich", rota="week")
    zone, moment = ZoneInfo("Europe/Zurich"), datetime(2024, 1, 1)
    before, changed = escalation.asked_at(0, moment), []
    for _ in range(366 * 48):
        moment += timedelta(minutes=30)
        if (now := escalation.asked_at(0, moment)) != before:
            before = now
            changed.append(times.local(moment, zone))
    assert {(one.weekday(), one.hour, one.minute) for one in changed} == {(0, 0, 0)}
    assert len(changed) == 52


def test_without_turns_all_are_asked() -> None:
    assert made().asked_at(0, datetime(2024, 5, 5)) == PEOPLE
    assert on_duty([ADA], "day", date(2024, 2, 29)) == ADA


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": []},
        {"steps": [{"after_minutes": 5, "user_ids": [str(ADA)]}] * 3},
        {"steps": [{"after_minutes": 0, "user_ids": [str(ADA)]}]},
        {"steps": [{"after_minutes": 5, "user_ids": []}]},
        {"steps": [{"after_minutes": 5, "user_ids": [str(ADA)], "rota": "month"}]},
        {"steps": [{"after_minutes": 5, "user_ids": [str(ADA)]}], "timezone": "Mars/Olympus"},
    ],
    ids=["no step", "three steps", "at once", "nobody", "by month", "no such zone"],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Escalation.model_validate(wrong)


def test_a_person_is_named_once() -> None:
    assert made(user_ids=[ADA, BEN, ADA]).people == [ADA, BEN]
