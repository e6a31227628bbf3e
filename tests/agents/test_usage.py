"""What agents use up: reported by themselves, summed up for people."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent, UsageEntry
from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.core.times import travelled
from tests.cast import Answer, Caller, Cast

pytestmark = pytest.mark.dialect

TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "written_tokens", "tokens", "unpriced_tokens", "gaps")
NOTHING = dict.fromkeys((*TOKENS, "cost_usd", "listed_usd", "own_usd"), 0) | {"listed_on": None}


async def report(agent: Caller, **used: Any) -> Answer:
    return await agent.post("/agent/usage", used)


async def test_reports_add_up(cast: Cast) -> None:
    used = {"input_tokens": 120, "output_tokens": 30, "cached_tokens": 100}
    first = (await report(cast.vega, **used, cost_usd="0.0123", model="m1")).ok()
    sums = NOTHING | {**used, "tokens": 150, "cost_usd": 0.0123}
    assert first == {
        "today": sums, "total": sums, "budgets": [], "directive": "continue", "directive_reason": None,
    }  # fmt: skip
    with travelled(timedelta(days=1)):
        second = (await report(cast.vega, output_tokens=1, cost_usd=1)).ok()
        assert second["today"] == NOTHING | {"output_tokens": 1, "tokens": 1, "cost_usd": 1.0}
        assert second["total"] == sums | {"output_tokens": 31, "tokens": 151, "cost_usd": 1.0123}
    entry = await UsageEntry.all().order_by("created_at").first()
    assert entry is not None and (entry.agent_id, entry.board_id) == (cast.vega.id, cast.board.id)
    assert (entry.cost_micros, entry.model, entry.day) == (12_300, "m1", times.clock_now().date().isoformat())


async def test_cost_is_exact_to_a_millionth(cast: Cast) -> None:
    for cost in ("0.1", 0.2, "0.0000005", "0.0000004", 3e-6):
        last = (await report(cast.vega, cost_usd=cost)).ok()
    assert last["total"]["cost_usd"] == 0.300004
    assert sum([one.cost_micros for one in await UsageEntry.all()]) == 300_004


async def test_empty_report_only_reads(cast: Cast) -> None:
    answer = (await report(cast.vega)).ok()
    assert (answer["today"], answer["total"]) == (NOTHING, NOTHING)
    assert await UsageEntry.all().count() == 0


@pytest.mark.parametrize("wrong", [
    {"cost_usd": "-0.01"}, {"cost_usd": "1000001"}, {"cost_usd": "NaN"}, {"cost_usd": "much"},
    {"cost_usd": "1e999999999"}, {"fence": 1},
])  # fmt: skip
async def test_absurd_numbers_are_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    (await report(cast.vega, **wrong)).refused(422)
    assert await UsageEntry.all().count() == 0


async def test_task_usage_is_counted_to_its_run(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await report(cast.vega, task_id=task["id"], fence=1, input_tokens=10, cost_usd="0.5")).ok()
    (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()
    (await report(cast.vega, task_id=task["id"], output_tokens=5)).ok()
    run = await Run.get(task_id=task["id"])
    assert (run.input_tokens, run.output_tokens, run.cost_micros) == (10, 5, 500_000)
    (await report(cast.vega, task_id=task["id"], fence=2)).refused(404)
    (await report(cast.rigel, task_id=task["id"], fence=1, input_tokens=1)).refused(404)
    (await report(cast.rigel, task_id=task["id"], input_tokens=1)).ok()
    assert {str(one.run_id) for one in await UsageEntry.filter(agent_id=cast.rigel.id)} == {"None"}
    (await cast.ada.delete(cast.task(task))).ok()
    (await report(cast.vega, task_id=task["id"], input_tokens=1)).ok()


async def test_task_of_another_board_is_not_found(cast: Cast) -> None:
    task = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "x"})).ok()
    (await report(cast.vega, task_id=task["id"], input_tokens=1)).refused(404)
    assert await UsageEntry.all().count() == 0


async def test_repeated_report_counts_once(cast: Cast) -> None:
    headers = {"Idempotency-Key": "step-1"}
    answers = [await cast.vega.post("/agent/usage", {"input_tokens": 7}, headers=headers) for _ in range(2)]
    assert answers[0].ok() == answers[1].ok()
    assert await UsageEntry.all().count() == 1


async def spent(cast: Cast) -> None:
    """Vega, Rigel and Mira used something up, yesterday and today; Nova did elsewhere."""
    for days, tokens in ((-1, 100), (0, 10)):
        with travelled(timedelta(days=days)):
            for agent in (cast.vega, cast.rigel, cast.mira, cast.nova):
                (await report(agent, input_tokens=tokens, cost_usd="0.01")).ok()
    (await report(cast.vega, output_tokens=1)).ok()


def lines(answer: dict[str, Any]) -> list[tuple[str | None, str | None, int]]:
    return [(one["agent_name"], one["board_name"], one["tokens"]) for one in answer["items"]]


async def test_people_read_usage_by_day_agent_and_board(cast: Cast) -> None:
    await spent(cast)
    today = times.clock_now().date()
    answer = (await cast.ben.get("/usage")).ok()
    assert lines(answer) == [
        ("Mira", "Dome", 10), ("Rigel Orion", "Telescope", 10), ("Vega", "Telescope", 11),
        ("Mira", "Dome", 100), ("Rigel Orion", "Telescope", 100), ("Vega", "Telescope", 100),
    ]  # fmt: skip
    assert [one["day"] for one in answer["items"][2:4]] == [today.isoformat(), (today - timedelta(1)).isoformat()]
    assert (answer["total"], answer["sums"]["tokens"], answer["sums"]["cost_usd"]) == (6, 331, 0.06)
    page = (await cast.ben.get("/usage?limit=2&offset=1")).ok()
    assert lines(page) == lines(answer)[1:3] and (page["total"], page["sums"]) == (6, answer["sums"])
    one = (await cast.ben.get(f"/usage?agent_id={cast.vega.id}&from={today}&to={today}")).ok()
    assert lines(one) == [("Vega", "Telescope", 11)] and one["sums"]["output_tokens"] == 1
    dome = (await cast.ben.get(f"/usage?board_id={cast.other_board.id}&to={today - timedelta(1)}")).ok()
    assert lines(dome) == [("Mira", "Dome", 100)]


async def test_usage_is_limited_to_readable_boards(cast: Cast) -> None:
    await spent(cast)
    for person in (cast.cleo, cast.dan):
        answer = (await person.get("/usage")).ok()
        assert {one["board_name"] for one in answer["items"]} == {"Telescope"} and answer["sums"]["tokens"] == 221
        (await person.get(f"/usage?board_id={cast.other_board.id}")).refused(404)
        (await person.get(f"/usage?agent_id={cast.mira.id}")).refused(404)
    (await cast.ben.get(f"/usage?agent_id={cast.nova.id}")).refused(404)
    assert lines((await cast.eve.get("/usage")).ok()) == [("Nova", "Cellar", 10), ("Nova", "Cellar", 100)]


async def test_invalid_range_of_days_is_refused(cast: Cast) -> None:
    for query in ("from=2026-02-30", "to=yesterday", "from=2026-03-02&to=2026-03-01"):
        (await cast.ben.get(f"/usage?{query}")).refused(422)
    (await cast.ben.get("/usage?to=0001-01-01")).ok()
    (await cast.ben.get("/usage?from=0001-01-01&to=9999-12-31")).ok()


async def test_usage_survives_agents_and_boards(cast: Cast) -> None:
    await spent(cast)
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    await cast.erase(cast.other_board.id)
    answer = (await cast.ben.get("/usage")).ok()
    assert answer["sums"]["tokens"] == 331
    assert (None, "Telescope", 11) in lines(answer) and (None, None, 10) in lines(answer)
    assert await Agent.filter(id=cast.mira.id).count() == 0 and await Board.filter(id=cast.other_board.id).count() == 0
    assert (await cast.cleo.get("/usage")).ok()["sums"]["tokens"] == 221


async def test_usage_of_a_task_is_that_of_all_its_runs(cast: Cast) -> None:
    task, other = await cast.add_task(), await cast.add_task()
    for agent in (cast.vega, cast.rigel):
        (await agent.patch(cast.task(task), {"status": "in_progress"})).ok()
        (await report(agent, task_id=task["id"], input_tokens=10, cached_tokens=5, cost_usd="0.5")).ok()
        (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()
    (await report(cast.vega, task_id=other["id"], input_tokens=7)).ok()
    with travelled(timedelta(days=40)):
        (await report(cast.vega, task_id=task["id"], output_tokens=1)).ok()
        found = (await cast.ada.get(f"/usage?task_id={task['id']}")).ok()
    used = {"input_tokens": 20, "output_tokens": 1, "cached_tokens": 10, "tokens": 21, "unpriced_tokens": 1}
    sums = NOTHING | {**used, "cost_usd": 1.0}
    assert (found["sums"], found["total"]) == (sums, 3)
    runs = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert [one["cached_tokens"] for one in runs] == [5, 5]
    (await cast.eve.get(f"/usage?task_id={task['id']}")).refused(404)
    (await cast.ada.get(f"/usage?task_id={task['id']}&board_id={cast.other_board.id}")).refused(404)
