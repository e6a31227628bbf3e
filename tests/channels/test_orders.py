"""The rules of sending under any order of what happens: nothing is sent twice, at night, too early, or never.

People of all choices live through days in which their clock changes. Needs open, end, are seen; links fail; people act,
leave, choose anew; nothing runs for hours. After each step the laws below are checked for what was sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    how_of,
    messages_of,
    next_step,
    quiet_until,
)
from tests.channels.quiet_oracle import end_of_quiet, mornings

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ZONES = {  # with days before their clocks change
    "Europe/Berlin": (datetime(2026, 3, 27, 6), datetime(2026, 10, 23, 6)),
    "America/New_York": (datetime(2026, 3, 6, 12), datetime(2026, 10, 30, 12)),
    "Australia/Lord_Howe": (datetime(2026, 4, 3, 1), datetime(2026, 10, 2, 1)),
    "Africa/Casablanca": (datetime(2026, 2, 13, 9), datetime(2026, 3, 20, 9)),
    "America/Havana": (datetime(2026, 3, 6, 12), datetime(2026, 10, 30, 12)),
}
CLOCKS = st.sampled_from(
    [time(0), time(0, 30), time(2), time(2, 15), time(2, 30), time(3), time(8), time(13), time(22), time(23, 59)]
)
HOWS = st.sampled_from(["at_once", "digest", "never"])
BOARDS, KINDS = ("payments", "playground"), ("approval", "question")
NEVER = datetime(2026, 1, 1)
EVERY_DAY = frozenset(range(7))
LIMIT = 3000  # looks of one play

people = st.builds(
    Person,
    chain=st.sampled_from([("push", "mail"), ("telegram", "push", "mail"), ("mail",)]),
    next_after=st.sampled_from([timedelta(), MINUTE, 10 * MINUTE, 24 * HOUR]),
    quiet=st.none() | st.just((time(22), time(8))) | st.tuples(CLOCKS, CLOCKS),
    days_off=st.sampled_from([frozenset[int](), frozenset({5, 6}), frozenset({0, 2}), EVERY_DAY]),
    wake=st.booleans(),
    only_blocking=st.booleans(),
    boards=st.dictionaries(st.sampled_from(BOARDS), HOWS),
    kinds=st.dictionaries(st.sampled_from(KINDS), HOWS),
    is_team=st.just(False),
)
minutes = st.integers(0, 900).map(lambda number: number * MINUTE)
ACTS = st.one_of(
    st.tuples(st.just("wait"), minutes),
    st.tuples(st.just("stop"), minutes),  # nothing runs
    st.tuples(
        st.just("open"),
        st.builds(
            Open,
            board=st.none() | st.sampled_from(BOARDS),
            kind=st.sampled_from(KINDS),
            since=st.just(NEVER),
            urgency=st.sampled_from(["blocks", "waits", "digest"]),
            named=st.booleans(),
        ),
        st.none() | minutes,
        st.sampled_from([1, 1, 1, 2, 3, 40]),
    ),
    st.tuples(st.sampled_from(["end", "see", "fail", "act"]), st.integers(0, 1000)),
    st.tuples(st.just("away"), st.none() | st.integers(0, 50).map(lambda number: number * HOUR)),
    st.tuples(st.just("choose"), people),
)


@dataclass
class Sent:
    """A need within a message, with what was known when it was sent."""

    name: str
    link: str
    why: str
    at: datetime
    need: Open
    person: Person
    together: int


@dataclass
class Play:
    """What happens to one person."""

    person: Person
    now: datetime
    needs: dict[str, Open] = field(default_factory=dict)
    over: dict[str, Open] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    messages: list[tuple[str, str, datetime]] = field(default_factory=list)
    opened: int = 0
    looks: int = 0

    def wait(self, by: timedelta) -> None:
        """Let time pass, with a look whenever a step is due."""
        until = self.now + by
        while (at := self.look()) is not None and at <= until:
            self.now = max(at, self.now)
            self.looks += 1
            assert self.looks < LIMIT, "it never rests"
        self.now = until
        self.look()

    def look(self) -> datetime | None:
        """Send what is due; return when to look again."""
        while True:
            self._end_by_time()
            steps = dict(self._steps())
            last = {link: at for link, _, at in self.messages}
            lately = [at for _, _, at in self.messages if at > self.now - HOUR]
            order = sorted(steps.items(), key=lambda one: self.person.chain.index(one[1].link))
            found = messages_of(order, last, len(lately), self.now)
            for due in found:
                self._take(due, steps)
            if not found:
                break
        moments = [self._again(step, last, lately) for step in steps.values()]
        moments += [need.act_by for need in self.needs.values() if need.act_by is not None]
        return min(moments, default=None)

    def _again(self, step: Step, last: dict[str, datetime], lately: list[datetime]) -> datetime:
        if step.at > self.now:
            return step.at
        if len(lately) >= MOST_IN_AN_HOUR:
            return min(lately) + HOUR
        return last[step.link] + COLLECT

    def _end_by_time(self) -> None:
        for name in [one for one, need in self.needs.items() if need.act_by is not None and need.act_by <= self.now]:
            self.over[name] = self.needs.pop(name)

    def _steps(self) -> Iterator[tuple[str, Step]]:
        for name, need in self.needs.items():
            step = next_step(self.person, need, self.now)
            promised = step.at if step is not None and step.why == "digest" else None
            self.needs[name] = replace(need, promised=promised)
            if step is not None:
                assert next_step(self.person, self.needs[name], self.now) == step, "asked again it says something else"
                yield name, step

    def _take(self, due: Due[str], steps: dict[str, Step]) -> None:
        self.messages.append((due.link, due.why, self.now))
        assert due.needs and len(set(due.needs)) == len(due.needs)
        for name in due.needs:
            need = self.needs[name]
            why = steps[name].why if due.why != "digest" else "digest"
            self.sent.append(Sent(name, due.link, why, self.now, need, self.person, len(due.needs)))
            called = need.last_call_sent or why == "last call"
            self.needs[name] = replace(need, sent=(*need.sent, (due.link, self.now)), last_call_sent=called)

    def play(self, act: tuple[object, ...]) -> None:
        match act:
            case ("wait", timedelta() as by):
                self.wait(by)
            case ("stop", timedelta() as by):
                self.now += by
            case ("open", Open() as need, limit, int(number)):
                act_by = self.now + limit if isinstance(limit, timedelta) else None
                for _ in range(number):
                    self.opened += 1
                    self.needs[f"n{self.opened}"] = replace(need, since=self.now, act_by=act_by)
            case ("act", _):
                self.person = replace(self.person, acted_at=self.now)
            case ("away", by):
                until = self.now + by if isinstance(by, timedelta) else None
                self.person = replace(self.person, away_until=until)
            case ("choose", Person() as chosen):
                here = self.person
                self.person = replace(
                    chosen, zone=here.zone, chain=here.chain, away_until=here.away_until, acted_at=here.acted_at
                )
            case (str(what), int(number)) if self.needs:
                self._happen(what, list(self.needs)[number % len(self.needs)], number)

    def _happen(self, what: str, name: str, number: int) -> None:
        need = self.needs[name]
        if what == "end":
            self.over[name] = self.needs.pop(name)
        elif what == "see":
            self.needs[name] = replace(need, seen=True)
        elif what == "fail" and need.sent:  # a link fails for what was sent there
            link = need.sent[number % len(need.sent)][0]
            self.needs[name] = replace(need, failed=(*need.failed, link))


def check_all(play: Play) -> None:
    for one in play.sent:
        check_need(one)
        check_quiet(one)
    check_messages(play)


def check_need(one: Sent) -> None:
    """Not too early, not twice, not after the end, and only to who wants it."""
    need, links = one.need, [link for link, _ in one.need.sent]
    assert one.at >= need.since + GRACE
    assert need.act_by is None or one.at < need.act_by
    assert how_of(one.person, need) != "never"
    assert one.link in one.person.chain
    if one.why == "last call":
        assert not need.last_call_sent
        assert need.act_by is not None
        assert one.at >= need.act_by - LAST_CALL
    elif one.why != "digest" or one.link not in need.failed:  # a digest may go where one need in it did not arrive
        assert one.link not in links, "twice on a link"
    if one.why == "first" and one.person.acted_at is not None:
        assert one.at - one.person.acted_at >= LOOKING
    if one.why == "unseen":
        assert not need.seen
        before = need.sent[-1]
        assert before[0] in need.failed or one.at - before[1] >= one.person.next_after
    if one.why == "first":
        assert not need.sent
    if one.why != "digest":
        assert one.link not in need.failed


def check_quiet(one: Sent) -> None:
    person, need = one.person, one.need
    is_away = person.away_until is not None and one.at < person.away_until
    if one.why == "digest" and person.days_off == EVERY_DAY:
        person = replace(person, days_off=frozenset())
    ends = end_of_quiet(person, one.at)
    if ends is None:
        return
    wakes = person.wake and need.act_by is not None and need.act_by <= ends
    is_heard = not is_away and need.board is not None and person.boards.get(need.board) == "at_once"
    assert one.why != "digest", f"a digest in quiet hours that end {ends}"
    assert wakes or is_heard, f"sent in quiet hours that end {ends}"


def check_messages(play: Play) -> None:
    for link in play.person.chain:
        on_link = [(why, at) for to, why, at in play.messages if to == link]
        for (_, before), (why, at) in pairwise(on_link):
            assert why == "digest" or at == before or at - before >= COLLECT
        for at in {at for _, at in on_link}:
            alone = [why for why, moment in on_link if moment == at and why != "digest"]
            assert len(alone) <= 2 * (BURST - 1)
    moments = [at for _, _, at in play.messages]
    for before, after in zip(moments, moments[MOST_IN_AN_HOUR:], strict=False):
        assert after - before >= HOUR


def check_reached(play: Play) -> None:
    """Whatever still waits has reached who wants it, on every link while it is not seen."""
    person = play.person
    for name, need in play.needs.items():
        how = how_of(person, need)
        live = [link for link in person.chain if link not in need.failed]
        if how == "never" or not live:
            continue
        assert need.was_sent or (need.sent and need.seen), f"{name} never reached the person"
        if how == "at_once" and not need.seen and person.days_off != EVERY_DAY:  # whose digests say it once
            assert set(live) <= {link for link, _ in need.sent}, f"{name} stopped on its way"


def rest(play: Play) -> None:
    """Let nothing more happen until everybody is back and a week is over."""
    back = play.person.away_until
    if back is not None and back > play.now:
        play.wait(back - play.now)
    play.wait(timedelta(days=14))


@settings(max_examples=300, deadline=None)
@given(people, st.sampled_from(sorted(ZONES)), st.integers(0, 1), st.lists(ACTS, max_size=25))
def test_what_is_sent_keeps_the_rules_in_any_order(
    person: Person, zone: str, change: int, acts: list[tuple[object, ...]]
) -> None:
    play = Play(replace(person, zone=ZoneInfo(zone)), ZONES[zone][change])
    for act in acts:
        play.play(act)
    rest(play)
    check_all(play)
    check_reached(play)


@settings(max_examples=200, deadline=None)
@given(people, st.sampled_from(sorted(ZONES)), st.integers(0, 1), st.lists(ACTS, max_size=25))
def test_there_is_one_digest_for_an_end_of_quiet(
    person: Person, zone: str, change: int, acts: list[tuple[object, ...]]
) -> None:
    play = Play(replace(person, zone=ZoneInfo(zone)), ZONES[zone][change])
    for act in acts:
        if act[0] not in ("fail", "choose", "away"):  # what did not arrive is sent again; choices move the end
            play.play(act)
    rest(play)
    digests = [at for _, why, at in play.messages if why == "digest"]
    for before, after in pairwise(digests):
        assert mornings(play.person, before, after), f"two digests: {before}, {after}"


@pytest.mark.parametrize("zone", sorted(ZONES))
@settings(max_examples=60, deadline=None)
@given(
    person=people, change=st.integers(0, 1), after=st.integers(0, 5 * 24 * 60), away=st.none() | st.integers(0, 4000)
)
def test_it_is_quiet_until_the_moment_that_is_said(
    zone: str, person: Person, change: int, after: int, away: int | None
) -> None:
    begin = ZONES[zone][change]
    until = begin + away * MINUTE if away is not None else None
    person = replace(person, zone=ZoneInfo(zone), away_until=until)
    at = begin + after * MINUTE
    if person.days_off == EVERY_DAY:
        assert quiet_until(person, at) is not None
        return
    said, ends = quiet_until(person, at), end_of_quiet(person, at)
    if said != ends and said is not None:  # an hour left out may hold the end and the next beginning
        ends = said if end_of_quiet(person, said) == ends else ends
    assert said == ends
