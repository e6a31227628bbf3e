"""The rules of sending as a table: what is due next for one person and one need, and what goes out together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mission_control.channels.delivery.plan import (
    BURST,
    COLLECT,
    GRACE,
    LAST_CALL,
    LOOKING,
    MOST_IN_AN_HOUR,
    Due,
    Open,
    Person,
    Step,
    Why,
    messages_of,
    morning_after,
    next_step,
    quiet_until,
)

NOON = datetime(2026, 3, 10, 12)  # a Tuesday; 13:00 in Berlin
NIGHT = datetime(2026, 3, 10, 22, 30)  # 23:30 in Berlin
MORNING = datetime(2026, 3, 11, 7)  # 8:00 in Berlin
SATURDAY = datetime(2026, 3, 14, 12)
MONDAY = datetime(2026, 3, 16, 7)  # 8:00 in Berlin
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
ADA = Person(BERLIN)
NEED = Open("payments", "approval", NOON)
LATE = Open("payments", "approval", NIGHT)
WEEKEND = frozenset({5, 6})


def due(person: Person, need: Open, now: datetime) -> Step:
    """Return the next step, where there must be one."""
    step = next_step(person, need, now)
    assert step is not None
    return step


def test_the_first_goes_to_the_first_link_after_the_grace() -> None:
    assert next_step(ADA, NEED, NOON) == Step(NOON + GRACE, "push", "first")


def test_who_works_on_a_page_is_sent_it_when_they_stop() -> None:
    ada = replace(ADA, acted_at=NOON)
    assert due(ada, NEED, NOON).at == NOON + LOOKING
    assert due(ada, NEED, NOON + 3 * MINUTE).at == NOON + GRACE  # an open page without acts hides nothing


def test_an_act_in_a_far_future_hides_nothing() -> None:
    assert due(replace(ADA, acted_at=NOON + HOUR), NEED, NOON).at == NOON + GRACE  # the clock was set back


def test_a_second_link_only_while_unseen() -> None:
    sent = replace(NEED, sent=(("push", NOON),))
    assert next_step(ADA, sent, NOON) == Step(NOON + 10 * MINUTE, "mail", "unseen")
    assert next_step(ADA, replace(sent, seen=True), NOON) is None
    assert next_step(ADA, replace(sent, sent=(*sent.sent, ("mail", NOON + 10 * MINUTE))), NOON) is None


def test_a_link_that_failed_is_passed_over_at_once() -> None:
    assert next_step(ADA, replace(NEED, failed=("push",)), NOON) == Step(NOON + GRACE, "mail", "first")
    sent = replace(NEED, sent=(("push", NOON + MINUTE),), failed=("push",))
    assert next_step(ADA, sent, NOON + 2 * MINUTE) == Step(NOON + MINUTE, "mail", "unseen")
    assert next_step(ADA, replace(NEED, failed=("push", "mail")), NOON) is None  # Home says so


def test_who_has_no_link_is_sent_nothing() -> None:
    assert next_step(replace(ADA, chain=()), NEED, NOON) is None


def test_one_last_call_also_when_seen() -> None:
    ends = replace(NEED, act_by=NOON + HOUR, sent=(("push", NOON),), seen=True)
    assert next_step(ADA, ends, NOON) == Step(NOON + 45 * MINUTE, "push", "last call")
    assert next_step(ADA, replace(ends, last_call_sent=True), NOON) is None
    assert next_step(ADA, replace(ends, act_by=NOON + 10 * MINUTE), NOON) is None  # it was sent in that time
    assert next_step(ADA, ends, NOON + HOUR) is None  # nothing after the end
    assert due(ADA, replace(ends, failed=("push",)), NOON).link == "mail"


def test_the_night_holds_back_until_the_digest() -> None:
    assert next_step(ADA, LATE, NIGHT) == Step(MORNING, "push", "digest")
    sent = replace(LATE, sent=(("push", NIGHT - 2 * HOUR),), since=NIGHT - 3 * HOUR)
    assert due(ADA, sent, NIGHT) == Step(MORNING, "mail", "unseen")  # put off: it was sent before
    assert due(ADA, sent, MORNING + MINUTE).why == "unseen"
    assert due(replace(ADA, zone=None), LATE, NIGHT).why == "first"  # before a zone is known it is never night
    assert due(replace(ADA, quiet=None), LATE, NIGHT).why == "first"
    assert due(replace(ADA, quiet=(time(9), time(9))), LATE, NIGHT).why == "first"  # no hour lies between


@pytest.mark.parametrize("kind", ["held", "digest"])
def test_a_promised_digest_is_due_when_it_was_promised_for_and_after(kind: str) -> None:
    need = LATE if kind == "held" else replace(LATE, urgency="digest")
    promised = replace(need, promised=due(ADA, need, NIGHT).at)
    assert due(ADA, promised, MORNING - MINUTE).at == MORNING
    assert due(ADA, promised, MORNING) == due(ADA, promised, MORNING + 3 * HOUR)
    assert due(ADA, promised, MORNING + 3 * HOUR).at == MORNING
    next_night = NIGHT + timedelta(days=1)  # nothing ran all day
    assert due(ADA, promised, next_night) == replace(due(ADA, promised, MORNING), at=MORNING + timedelta(days=1))


def test_a_promised_digest_that_was_sent_is_not_due_again() -> None:
    sent = replace(LATE, promised=MORNING, sent=(("push", MORNING + MINUTE),))
    assert next_step(ADA, sent, MORNING + 2 * MINUTE) == Step(MORNING + 11 * MINUTE, "mail", "unseen")
    assert next_step(ADA, replace(sent, urgency="digest"), MORNING + 2 * MINUTE) is None


def test_who_lifts_the_quiet_hours_is_sent_it_at_once() -> None:
    promised = replace(LATE, promised=MORNING)
    assert due(replace(ADA, quiet=None), promised, NIGHT + HOUR) == Step(NIGHT + GRACE, "push", "first")


def test_waking_only_for_what_ends_before_the_morning() -> None:
    ada = replace(ADA, wake=True)
    ends = replace(LATE, act_by=NIGHT + 2 * HOUR)
    assert due(ada, ends, NIGHT) == Step(NIGHT + GRACE, "push", "first")
    assert due(ada, replace(ends, act_by=NIGHT + 12 * HOUR), NIGHT).why == "digest"
    assert due(ADA, ends, NIGHT).why == "digest"


def test_a_board_heard_at_once_is_heard_at_night_but_not_in_an_absence() -> None:
    ada = replace(ADA, boards={"payments": "at_once"})
    assert due(ada, LATE, NIGHT) == Step(NIGHT + GRACE, "push", "first")
    assert due(replace(ada, away_until=NIGHT + HOUR), LATE, NIGHT) == Step(MORNING, "push", "digest")


@pytest.mark.parametrize(("night", "morning"), [
    (datetime(2026, 3, 28, 22, 30), datetime(2026, 3, 29, 6)),  # the clock goes from 2 to 3
    (datetime(2026, 10, 24, 21, 30), datetime(2026, 10, 25, 7)),  # from 3 to 2
])  # fmt: skip
def test_a_night_in_which_the_clock_changes_ends_at_eight_all_the_same(night: datetime, morning: datetime) -> None:
    assert due(ADA, replace(NEED, since=night), night).at == morning


@pytest.mark.parametrize(("zone", "ends", "evening", "expected"), [
    ("Europe/Berlin", time(2, 30), datetime(2026, 3, 28, 22), datetime(2026, 3, 29, 1)),
    ("Australia/Lord_Howe", time(2, 15), datetime(2026, 10, 3, 13), datetime(2026, 10, 3, 15, 30)),
    ("America/Havana", time(0, 30), datetime(2026, 3, 8, 4), datetime(2026, 3, 8, 5)),
])  # fmt: skip
def test_quiet_hours_that_end_in_an_hour_left_out_end_as_it_is_skipped(
    zone: str, ends: time, evening: datetime, expected: datetime
) -> None:
    assert quiet_until(Person(ZoneInfo(zone), quiet=(time(22), ends)), evening) == expected


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_once() -> None:
    ada = replace(ADA, quiet=(time(22), time(2, 30)))
    first = datetime(2026, 10, 25, 0, 30)  # 2:30 in summer, and an hour later in winter
    assert quiet_until(ada, first - MINUTE) == first
    assert quiet_until(ada, first) is None
    assert quiet_until(ada, first + 40 * MINUTE) is None  # 2:10 again


def test_an_absence_ends_with_one_digest() -> None:
    back = NOON + timedelta(days=3)
    assert next_step(replace(ADA, away_until=back), NEED, NOON) == Step(back, "push", "digest")
    late = datetime(2026, 3, 13, 23)  # who returns in the night has it in the morning
    assert due(replace(ADA, away_until=late), NEED, NOON).at == datetime(2026, 3, 14, 7)
    assert due(replace(ADA, away_until=NOON), NEED, NOON).why == "first"


def test_days_off_are_quiet_until_quiet_hours_end_on_the_next_day() -> None:
    ada = replace(ADA, days_off=WEEKEND)
    friday = datetime(2026, 3, 13, 22, 30)
    assert due(ada, replace(NEED, since=friday), friday).at == MONDAY
    on_saturday = replace(NEED, since=SATURDAY)
    assert due(replace(ada, quiet=None), on_saturday, SATURDAY).at == MONDAY
    assert due(replace(ada, quiet=None), on_saturday, MONDAY - 5 * HOUR).at == MONDAY  # nobody is sent it at midnight


def test_who_is_off_every_day_has_a_digest_each_morning() -> None:
    ada = replace(ADA, days_off=frozenset(range(7)))
    step = due(ada, NEED, NOON)
    assert step == Step(MORNING, "push", "digest")
    assert due(ada, replace(NEED, promised=step.at), MORNING + MINUTE) == step
    assert due(ada, replace(NEED, promised=step.at), MORNING + 15 * HOUR).at == MORNING + timedelta(days=1)


def test_the_word_of_a_board_counts_before_that_of_a_kind_and_a_name_before_both() -> None:
    named = replace(NEED, named=True)
    assert next_step(replace(ADA, boards={"payments": "never"}), NEED, NOON) is None
    assert due(replace(ADA, boards={"payments": "never"}), named, NOON).why == "first"
    assert due(replace(ADA, boards={"payments": "digest"}), NEED, NOON).why == "digest"
    assert due(replace(ADA, boards={"payments": "digest"}), named, NOON).why == "first"
    assert next_step(replace(ADA, kinds={"approval": "never"}), NEED, NOON) is None
    ada = replace(ADA, kinds={"approval": "never"}, boards={"payments": "at_once"})
    assert due(ada, NEED, NOON).why == "first"


def test_what_stops_no_agent_waits_for_the_digest_of_who_wants_only_that() -> None:
    waits = replace(NEED, urgency="waits")
    assert due(ADA, waits, NOON).why == "first"
    assert due(replace(ADA, only_blocking=True), waits, NOON).why == "digest"
    assert due(replace(ADA, only_blocking=True), NEED, NOON).why == "first"


def test_what_needs_no_answer_waits_for_one_digest() -> None:
    silent = replace(NEED, urgency="digest")
    assert next_step(ADA, silent, NOON) == Step(MORNING, "mail", "digest")
    assert next_step(ADA, replace(silent, sent=(("mail", NOON),)), NOON) is None
    assert due(ADA, replace(silent, since=MORNING - GRACE / 2), MORNING - GRACE / 2).at > MORNING  # the grace counts


def test_a_team_is_sent_each_need_once_at_any_hour() -> None:
    team = Person(BERLIN, chain=("slack",), is_team=True)
    assert next_step(team, LATE, NIGHT) == Step(NIGHT + GRACE, "slack", "team")
    assert next_step(team, replace(LATE, sent=(("slack", NIGHT),)), NIGHT + HOUR) is None


def test_the_morning_is_that_of_the_clock_where_one_is() -> None:
    assert morning_after(ADA, NOON) == MORNING
    assert morning_after(replace(ADA, zone=None), NOON) == MORNING + HOUR
    assert morning_after(replace(ADA, zone=ZoneInfo("America/New_York")), NOON) == NOON + timedelta(days=1)


def steps(number: int, why: Why = "first", link: str = "push", at: datetime = NOON) -> list[tuple[str, Step]]:
    return [(f"{why}{one}", Step(at, link, why)) for one in range(number)]


def sent(
    *planned: Sequence[tuple[str, Step]], last: timedelta = HOUR, in_last_hour: int = 0
) -> list[tuple[str, Why, int]]:
    found = messages_of([one for some in planned for one in some], {"push": NOON - last}, in_last_hour, NOON)
    return [(one.link, one.why, len(one.needs)) for one in found]


def test_few_go_alone_and_many_together() -> None:
    assert sent(steps(BURST - 1)) == [("push", "first", 1)] * (BURST - 1)
    assert sent(steps(BURST)) == [("push", "first", BURST)]
    assert sent(steps(5, at=NOON + MINUTE)) == []


def test_a_link_rests_after_a_message_and_takes_along_what_came_since() -> None:
    assert sent(steps(5), last=COLLECT / 2) == []
    assert sent(steps(5), last=COLLECT) == [("push", "first", 5)]
    assert sent(steps(1, link="mail"), last=COLLECT / 2) == [("mail", "first", 1)]  # another link does not rest
    assert sent(steps(1), last=-HOUR) == [("push", "first", 1)]  # the clock was set back


def test_a_digest_is_one_message_and_takes_along_what_was_sent_nowhere() -> None:
    planned = (
        steps(2, "digest"),
        steps(2, "digest", "mail"),
        steps(2),
        steps(1, "last call"),
        steps(1, "unseen", "mail"),
    )
    assert sent(*planned) == [("push", "digest", 6), ("push", "last call", 1), ("mail", "unseen", 1)]
    assert sent(steps(1, "digest", "mail"), steps(2, "unseen", "mail")) == [("mail", "digest", 3)]
    assert sent(steps(1, "digest"), last=COLLECT / 2) == [("push", "digest", 1)]


def test_last_calls_do_not_hide_among_others() -> None:
    assert sent(steps(3, "last call"), steps(2), steps(2, "unseen")) == [("push", "last call", 3), ("push", "first", 4)]


def test_the_limit_of_an_hour_holds_back_and_what_waited_goes_together() -> None:
    assert sent(steps(2), in_last_hour=MOST_IN_AN_HOUR - 1) == [("push", "first", 1)]
    assert sent(steps(1, "digest"), in_last_hour=MOST_IN_AN_HOUR) == []
    assert sent(steps(9), in_last_hour=MOST_IN_AN_HOUR - 1) == [("push", "first", 9)]


def test_needs_keep_their_order_in_a_message() -> None:
    assert messages_of(steps(3), {}, 0, NOON) == [Due("push", "first", ("first0", "first1", "first2"))]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_moments_at_the_ends_of_the_calendar_are_no_trouble(zone: str) -> None:
    ada, end = replace(ADA, zone=ZoneInfo(zone)), datetime(9999, 12, 31, 23, 59, 59)
    sent = replace(NEED, sent=(("push", NOON), ("mail", NOON + 10 * MINUTE)), act_by=end)
    assert due(ada, sent, NOON + HOUR) == Step(end - LAST_CALL, "push", "last call")
    assert next_step(ada, replace(sent, act_by=datetime(1, 1, 1)), NOON + HOUR) is None
    away = replace(ada, away_until=end)
    assert quiet_until(away, NOON) == morning_after(away, NOON) == due(away, NEED, NOON).at == end
