"""The dashboard's figures about people's answers and agents' spending: what each counts, in which window."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from tests.cast import Caller, Cast

pytestmark = pytest.mark.dialect

PATH = "/metrics/dashboard?range_key=14d"


def total(series: dict[str, Any]) -> float:
    return float(sum(point["value"] for point in series["points"]))


async def flow(caller: Caller) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.get(PATH)).ok()["flow"]
    return found


async def decided(cast: Cast, by: Caller, *, days_ago: float, hours: float) -> None:
    """An approval that waited some hours, answered some days ago."""
    with times.travelled(timedelta(days=-days_ago, hours=-hours)):
        asked = await cast.ask()
    with times.travelled(timedelta(days=-days_ago)):
        (await by.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()


async def answered(cast: Cast, by: Caller, *, days_ago: float, hours: float) -> None:
    """A question that waited some hours, answered some days ago."""
    with times.travelled(timedelta(days=-days_ago, hours=-hours)):
        asked = (await cast.vega.post(f"/agent{cast.home}/gateway/main/ask-user", {"content": "Which mirror?"})).ok()[
            "question_id"
        ]
    with times.travelled(timedelta(days=-days_ago)):
        (await by.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})).ok()


async def test_answers_count_by_person_and_window(cast: Cast) -> None:
    await decided(cast, cast.ada, days_ago=3, hours=2)
    await decided(cast, cast.ben, days_ago=2, hours=4)
    await decided(cast, cast.ada, days_ago=20, hours=10)
    await cast.ask()  # waits
    found = await flow(cast.ada)
    assert total(found["answered"]["primary"]) == 2 and total(found["answered"]["comparison"]) == 1
    assert [(one["name"], one["answered"]) for one in found["answered_by"]] == [("Ada", 1), ("Ben", 1)]
    assert found["time_to_answer_median"] == pytest.approx(3, abs=0.01)
    assert found["time_to_answer_median_before"] == pytest.approx(10, abs=0.01)
    assert max(one["value"] for one in found["time_to_answer"]["primary"]["points"]) == pytest.approx(4, abs=0.01)


async def test_decisions_of_policies_and_agents_are_no_answers(cast: Cast) -> None:
    asked = await cast.ask()
    (await cast.atlas.patch(f"/agent{cast.approvals}/{asked['id']}", {"status": "approved"}))
    found = await flow(cast.ada)
    assert total(found["answered"]["primary"]) == 0 and found["answered_by"] == []
    assert found["time_to_answer_median"] is None


async def test_spending_counts_in_the_window_of_its_report(cast: Cast) -> None:
    for days_ago, cost in ((1, 0.25), (5, 1.5), (20, 4)):
        with times.travelled(timedelta(days=-days_ago)):
            (await cast.vega.post("/agent/usage", {"input_tokens": 10, "output_tokens": 2, "cost_usd": cost})).ok()
    found = await flow(cast.ada)
    assert total(found["spent"]["primary"]) == pytest.approx(1.75)
    assert total(found["spent"]["comparison"]) == pytest.approx(4)


async def test_figures_of_unreadable_boards_stay_hidden(cast: Cast) -> None:
    await decided(cast, cast.ada, days_ago=1, hours=1)
    (await cast.vega.post("/agent/usage", {"input_tokens": 10, "output_tokens": 2, "cost_usd": 1})).ok()
    found = await flow(cast.eve)
    assert found["answered_by"] == [] and total(found["spent"]["primary"]) == 0
