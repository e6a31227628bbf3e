"""What is known of signals since a moment: all of them, or that some may be missing."""

import pytest

from mission_control.core import times
from mission_control.core.values import new_id
from mission_control.events.broker import APART_SECONDS, KEPT_SECONDS, MOST, RecentSignals, moment_of

ORGANIZATION = new_id()


def elsewhere(seconds: float) -> str:
    return f"{int(seconds * 1000)}-other"


class Time:
    now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(times, "epoch_seconds", clock.time)
    return clock


@pytest.fixture
def signals(time: Time) -> RecentSignals:
    signals = RecentSignals()
    signals.begin()
    time.now += KEPT_SECONDS
    return signals


def test_signals_since_a_moment(time: Time, signals: RecentSignals) -> None:
    signals.add(ORGANIZATION, [{"n": 1}])
    time.now += 10
    read_at = moment_of(time.now)
    signals.add(ORGANIZATION, [{"n": 2}])
    time.now += 1
    signals.add(ORGANIZATION, [{"n": 3}])
    assert signals.since(ORGANIZATION, read_at) == [{"n": 2}, {"n": 3}]
    assert signals.since(new_id(), read_at) == []


def test_nobody_knows_what_was_sent_before_the_process_listened(time: Time) -> None:
    signals = RecentSignals()
    assert signals.since(ORGANIZATION, moment_of(time.now)) is None
    signals.begin()
    assert signals.since(ORGANIZATION, moment_of(time.now)) == []
    assert signals.since(ORGANIZATION, elsewhere(time.now)) is None
    assert signals.since(ORGANIZATION, elsewhere(time.now + APART_SECONDS)) == []
    signals.interrupt()
    assert signals.since(ORGANIZATION, elsewhere(time.now + APART_SECONDS)) is None


def test_old_signals_are_forgotten_and_said_to_be(time: Time, signals: RecentSignals) -> None:
    read_at = moment_of(time.now)
    signals.add(ORGANIZATION, [{"n": 1}])
    time.now += KEPT_SECONDS + 1
    signals.forget_old()
    assert signals.since(ORGANIZATION, read_at) is None
    assert not signals._kept


def test_too_many_signals_are_said_to_be_incomplete(time: Time, signals: RecentSignals) -> None:
    read_at = moment_of(time.now)
    signals.add(ORGANIZATION, [{"n": 1}])
    time.now += 10
    signals.add(ORGANIZATION, [{"n": n} for n in range(MOST)])
    assert signals.since(ORGANIZATION, read_at) is None
    found = signals.since(ORGANIZATION, moment_of(time.now))
    assert found is not None and len(found) == MOST
