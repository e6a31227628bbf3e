"""The dashboard: what each figure counts, over which boards, for whom."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.metrics.schemas import DashboardMetrics
from tests.cast import Cast

pytestmark = pytest.mark.dialect

PATH = "/metrics/dashboard"


def total(series: dict[str, Any]) -> float:
    return float(sum(point["value"] for point in series["points"]))


async def finish(cast: Cast, title: str, started_hours_ago: float, finished_hours_ago: float) -> dict[str, Any]:
    """A task that Vega worked on between two moments."""
    with times.travelled(timedelta(hours=-started_hours_ago)):
        task = await cast.add_task(title=title)
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    with times.travelled(timedelta(hours=-finished_hours_ago)):
        (await cast.vega.patch(cast.task(task), {"status": "done"})).ok()
    return task


async def test_empty_board_has_zero_metrics(cast: Cast) -> None:
    answer = (await cast.ada.get(PATH)).ok()
    DashboardMetrics.model_validate(answer)
    assert answer["range"] == "24h" and len(answer["throughput"]["primary"]["points"]) == 25
    assert answer["kpis"]["median_cycle_time_hours_7d"] is None and answer["kpis"]["error_rate_pct"] == 0.0
    assert total(answer["flow"]["throughput"]["primary"]) == 0 and answer["flow"]["oldest_waiting"] is None


async def test_throughput_and_cycle_time_use_event_times(cast: Cast) -> None:
    await finish(cast, "Short", 5, 3)
    await finish(cast, "Long", 30, 2)
    await finish(cast, "Before", 40, 30)
    flow = (await cast.ada.get(PATH)).ok()["flow"]
    assert total(flow["throughput"]["primary"]) == 2 and total(flow["throughput"]["comparison"]) == 1
    assert flow["cycle_time_median"] == pytest.approx(15, abs=0.01)
    assert flow["cycle_time_p85"] == pytest.approx(28, abs=0.01)


async def test_editing_a_done_task_does_not_count_as_throughput(cast: Cast) -> None:
    task = await finish(cast, "Old", 60, 50)
    (await cast.ada.patch(cast.task(task), {"title": "Old, renamed"})).ok()
    answer = (await cast.ada.get(PATH)).ok()
    assert total(answer["throughput"]["primary"]) == 1  # as clients know it: by the last change
    assert total(answer["flow"]["throughput"]["primary"]) == 0


async def test_work_in_progress_over_time(cast: Cast) -> None:
    await finish(cast, "Done by now", 10, 4)
    with times.travelled(timedelta(hours=-2)):
        task = await cast.add_task(title="Open")
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    flow = (await cast.ada.get(PATH)).ok()["flow"]
    levels = [point["value"] for point in flow["wip"]["primary"]["points"]]
    assert levels[-1] == 1 and levels[0] == 0
    assert max(levels[:-3]) == 1 and levels[-4] == 0
    [oldest] = flow["aging"]
    assert oldest["title"] == "Open" and oldest["age_hours"] == pytest.approx(2, abs=0.01)


async def test_approval_waiting_time(cast: Cast) -> None:
    task = await cast.add_task()
    with times.travelled(timedelta(hours=-3)):
        asked = await cast.ask(cast.vega, task)
    assert (await cast.ada.get(PATH)).ok()["flow"]["oldest_waiting"] == pytest.approx(3, abs=0.01)
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    flow = (await cast.ada.get(PATH)).ok()["flow"]
    assert flow["waiting_now"] == 0 and flow["waiting_for_person_median"] == pytest.approx(3, abs=0.01)


async def test_counts_and_pending_approvals(cast: Cast) -> None:
    task = await cast.add_task(title="Ask me")
    await cast.ask(cast.vega, task)
    answer = (await cast.ada.get(PATH)).ok()
    assert answer["kpis"]["inbox_tasks"] == 1 and answer["kpis"]["active_agents"] >= 1
    [item] = answer["pending_approvals"]["items"]
    assert item["task_title"] == "Ask me" and item["board_name"] == cast.board.name


async def test_metrics_are_limited_to_readable_boards(cast: Cast) -> None:
    await finish(cast, "Ours", 5, 3)
    assert total((await cast.dan.get(PATH)).ok()["flow"]["throughput"]["primary"]) == 1
    assert total((await cast.eve.get(PATH)).ok()["flow"]["throughput"]["primary"]) == 0
    (await cast.eve.get(f"{PATH}?board_id={cast.board.id}")).refused(404)
    [item] = (await cast.ada.get(f"{PATH}?range_key=2d")).refused(422)
    assert (item["type"], item["loc"]) == ("literal_error", ["query", "range_key"])


async def test_unknown_group_has_zero_metrics(cast: Cast) -> None:
    await finish(cast, "Ours", 5, 3)
    answer = (await cast.ada.get(f"{PATH}?group_id={cast.board.id}")).ok()
    assert answer["kpis"]["done_tasks"] == 0
