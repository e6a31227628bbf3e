"""Ranges and buckets."""

from datetime import datetime, timedelta

import pytest

from mission_control.metrics.schemas import RANGES, RangeKey, windows
from mission_control.metrics.series import percentile

NOW = datetime(2026, 11, 24, 14, 30, 5, 7)


@pytest.mark.parametrize(("key", "bucket", "numbers"), [
    ("24h", "hour", {25}), ("3d", "day", {4}), ("7d", "day", {8}), ("14d", "day", {15}), ("1m", "day", {31}),
    ("3m", "week", {13, 14}), ("6m", "week", {26, 27}), ("1y", "month", {13}),
])  # fmt: skip
def test_range_is_covered_by_whole_buckets(key: RangeKey, bucket: str, numbers: set[int]) -> None:
    primary, before = windows(key, NOW)
    periods = primary.periods()
    assert primary.bucket == bucket and len(periods) in numbers
    assert periods[0] <= primary.start < periods[1] and periods[-1] <= NOW
    assert before.end == primary.start and before.end - before.start == RANGES[key][0]
    assert primary.period_of(primary.start) == periods[0] and primary.period_of(NOW) == periods[-1]
    assert list(periods) == sorted(set(periods))


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    weeks = windows("3m", NOW)[0].periods()
    assert {one.weekday() for one in weeks} == {0} and {one.hour for one in weeks} == {0}
    months = windows("1y", NOW)[0].periods()
    assert {one.day for one in months} == {1}
    assert months[0] == datetime(2025, 11, 1) and months[-1] == datetime(2026, 11, 1)


def test_window_includes_both_ends() -> None:
    primary, before = windows("7d", NOW)
    assert primary.contains(NOW) and primary.contains(primary.start) and before.contains(primary.start)
    assert not primary.contains(NOW + timedelta(microseconds=1))


def test_percentiles_by_nearest_rank() -> None:
    assert percentile([], 85) is None
    assert percentile([3.0], 85) == 3.0
    assert percentile([float(one) for one in range(1, 11)], 85) == 9.0
    assert percentile([float(one) for one in range(1, 101)], 50) == 50.0
