"""The dashboard's series as clients know them, against sums that are done here once more, borders included."""

from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any

import pytest

from mission_control.core import times
from mission_control.events.models import Event
from mission_control.metrics.counting import COUNTING, OUTCOMES
from tests.cast import Cast
from tests.moments import parsed

pytestmark = pytest.mark.dialect

NOW = datetime(2026, 11, 25, 14, 30, 0, 250)
SPANS = {"24h": 1, "3d": 3, "7d": 7, "14d": 14, "1m": 30, "3m": 90, "6m": 180, "1y": 365}
TICK = timedelta(microseconds=1)
STATUSES = ("inbox", "in_progress", "review", "done")

type Dated = list[tuple[datetime, Any]]


def period(key: str, moment: datetime) -> str:
    """The bucket of a moment, as it is written in an answer."""
    if key == "24h":
        return f"{moment:%Y-%m-%dT%H:00:00Z}"
    if key in ("3m", "6m"):
        return datetime.strptime(f"{moment:%G %V} 1", "%G %V %u").isoformat() + "Z"
    return f"{moment:%Y-%m-01T00:00:00Z}" if key == "1y" else f"{moment:%Y-%m-%dT00:00:00Z}"


def moments(key: str) -> list[datetime]:
    """Around both ends of both windows, and around a bucket's border within each."""
    start, before = NOW - timedelta(days=SPANS[key]), NOW - timedelta(days=2 * SPANS[key])
    borders = [parsed(period(key, moment)) for moment in (NOW, start - TICK)]
    return [moment + by for moment in (before, start, NOW, *borders) for by in (-TICK, timedelta(0), TICK)]


def expected(key: str, end: datetime, dated: Dated, figure: Callable[[list[Any]], float]) -> dict[str, float]:
    """What each bucket should say that holds anything of a window."""
    inside = [(moment, one) for moment, one in dated if end - timedelta(days=SPANS[key]) <= moment <= end]
    held: dict[str, list[Any]] = {}
    for moment, one in inside:
        held.setdefault(period(key, moment), []).append(one)
    return {name: figure(all_of_it) for name, all_of_it in held.items()}


def told(series: dict[str, Any], field: str = "value") -> dict[str, float]:
    """What the buckets say that say anything."""
    return {point["period"]: point[field] for point in series["points"] if point[field]}


@pytest.fixture(autouse=True)
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted beside the test, which changes events that were written."""
    monkeypatch.setattr(COUNTING, "when", lambda: False)


async def at_their_moments(cast: Cast, key: str) -> tuple[Dated, Dated, Dated]:
    """Tasks of every status, and events about them: (by creation, by last change, whether it failed)."""
    created, changed, outcomes = [], [], []
    for number, moment in enumerate(moments(key)):
        status = STATUSES[number % 4]
        task = await cast.add_task(title=f"{status} {number}")
        begun = moment - timedelta(hours=1 + number)
        await cast.put(task, status=status, created_at=moment, updated_at=moment, in_progress_at=begun)
        is_failure = number % 3 == 0
        kind = "task.assignee_notify_failed" if is_failure else "task.updated"
        await Event.filter(task_id=task["id"]).update(created_at=moment, kind=kind)
        created.append((moment, status))
        changed.append((moment, (status, 1.0 + number)))
        outcomes.append((moment, 100.0 * is_failure))
    return created, changed, outcomes


@pytest.mark.parametrize("key", SPANS)
async def test_every_figure_of_every_range(cast: Cast, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    created, changed, outcomes = await at_their_moments(cast, key)
    assert {"task.assignee_notify_failed", "task.updated"} <= set(OUTCOMES)
    with monkeypatch.context() as frozen:
        frozen.setattr(times, "clock_now", lambda: NOW)
        answer = (await cast.ada.get(f"/metrics/dashboard?range_key={key}")).ok()

    def hours(held: list[Any]) -> float:
        return float(mean(value for _, value in held))

    in_review = [(moment, one) for moment, one in changed if one[0] == "review"]
    for name, end in (("primary", NOW), ("comparison", NOW - timedelta(days=SPANS[key]))):
        done = [(moment, one) for moment, one in changed if one[0] == "done"]
        assert told(answer["throughput"][name]) == expected(key, end, done, len)
        assert told(answer["cycle_time"][name]) == pytest.approx(expected(key, end, in_review, hours))
        failures = {bucket: share for bucket, share in expected(key, end, outcomes, mean).items() if share}
        assert told(answer["error_rate"][name]) == pytest.approx(failures)
        for status in STATUSES:
            dated = created if status == "inbox" else [(moment, one[0]) for moment, one in changed]
            counted = expected(key, end, [one for one in dated if one[1] == status], len)
            assert told(answer["wip"][name], status) == counted
    start = NOW - timedelta(days=SPANS[key])
    inside = [share for moment, share in outcomes if start <= moment <= NOW]
    assert answer["kpis"]["error_rate_pct"] == pytest.approx(mean(inside))
    reviewed = [value for moment, (_, value) in in_review if start <= moment <= NOW]
    assert answer["kpis"]["median_cycle_time_hours_7d"] == (pytest.approx(median(reviewed)) if reviewed else None)
    at_work = [one for _, one in changed if one[0] == "in_progress"]
    assert answer["kpis"]["tasks_in_progress"] == answer["kpis"]["in_progress_tasks"] == len(at_work)
