"""What models cost: by the price list, by an organization's own prices, or not known; and what people read of that."""

from datetime import date, timedelta
from typing import Any

import pytest

from mission_control.agents.models import ModelPrice, UsageEntry
from mission_control.agents.usage.prices import listed, plain
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.times import travelled
from mission_control.runs.models import AgentSession
from tests.cast import Caller, Cast, events, head

pytestmark = pytest.mark.dialect

OWN = {"model": "local-qwen", "input_usd": "0.10", "output_usd": "0.40"}


async def use(agent: Caller, model: str | None, **used: Any) -> dict[str, Any]:
    """Report what one request used, and return the sums of the agent."""
    found: dict[str, Any] = (await agent.post("/agent/usage", {"model": model, **used})).ok()["total"]
    return found


async def last() -> UsageEntry:
    entry = await UsageEntry.all().order_by("-created_at", "-id").first()
    assert entry is not None
    return entry


def test_list_names_its_sources_and_days() -> None:
    days = [date.fromisoformat(one.checked) for one in listed()]
    assert min(days) > date(2025, 1, 1) and all(date.fromisoformat(one.since) for one in listed() if one.since)
    assert {one.source.split("/")[2] for one in listed()} == {
        "platform.claude.com", "developers.openai.com", "ai.google.dev",
    }  # fmt: skip
    assert all(one.model == plain(one.model) and 0 < one.input < one.output for one in listed())
    assert all((one.cached or 0) < one.input for one in listed())
    assert len({(one.model, one.since, one.above) for one in listed()}) == len(listed())


@pytest.mark.parametrize(("told", "name"), [
    ("claude-opus-5-5", "claude-opus-5-5"), ("claude-opus-4-1-20250805", "claude-opus-4-1"),
    ("anthropic/Claude-Opus-5-5[1m]", "claude-opus-5-5"), ("gpt-5-2025-08-07", "gpt-5"),
    ("models/gemini-2.5-pro", "gemini-2.5-pro"), ("claude-opus-4@20250514", "claude-opus-4"), ("x/", "x/"),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku"), ("20260101", "20260101"), (" ", ""),
])  # fmt: skip
def test_names_of_models_are_those_of_the_list(told: str, name: str) -> None:
    assert plain(told) == name


async def test_cost_that_is_not_told_is_that_of_the_list(cast: Cast) -> None:
    used = {"input_tokens": 1_000_000, "cached_tokens": 600_000, "written_tokens": 100_000, "output_tokens": 10_000}
    sums = await use(cast.vega, "claude-opus-5-5", **used)
    # 300,000 at 4, 600,000 from the cache at 0.20, 100,000 to it at 5, 10,000 written at 20.
    assert (sums["cost_usd"], sums["listed_usd"], sums["own_usd"], sums["unpriced_tokens"]) == (2.02, 2.02, 0, 0)
    entry = await last()
    assert (entry.priced, entry.price_date, entry.written_tokens) == ("list", "2026-10-24", 100_000)
    assert sums["listed_on"] == "2026-10-24"
    sums = await use(cast.vega, "claude-opus-5-5", input_tokens=1_000_000, cost_usd="0.5")
    assert (sums["cost_usd"], sums["listed_usd"]) == (2.52, 2.02) and (await last()).priced == "told"


async def test_price_is_that_of_the_day(cast: Cast) -> None:
    ahead = date(2027, 1, 1) - times.clock_now().date()
    assert (await use(cast.vega, "gemini-3.8-flash", output_tokens=1_000_000))["cost_usd"] == 3.75
    with travelled(max(ahead, timedelta())):
        assert (await use(cast.vega, "gemini-3.8-flash", output_tokens=1_000_000))["cost_usd"] == 11.25


async def test_long_requests_have_their_price_but_not_sums_of_several(cast: Cast) -> None:
    used = {"model": "gpt-6.2-sol", "input_tokens": 300_000}
    session = {"external_id": "one", "client": "codex"}
    for usage in ({**used, "key": "r1"}, used, {**used, "key": "r2", "input_tokens": 272_000}):
        (await cast.vega.post("/agent/reports", {"session": session, "usage": [usage]})).ok()
    costs = [one.cost_micros for one in await UsageEntry.all().order_by("created_at", "id")]
    assert costs == [1_200_000, 600_000, 544_000]


async def test_what_has_no_price_is_not_nothing(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    usage = [{"key": "1", "model": "local-qwen", "input_tokens": 90, "output_tokens": 10}, {"input_tokens": 5}]
    usage.append({"key": "3", "model": "m", "input_tokens": 1, "cost_usd": "0.25"})
    (await cast.vega.post("/agent/reports", {"usage": usage, "task_id": task["id"]})).ok()
    run, session = await Run.get(), await AgentSession.get()
    for one in (run, session):
        assert (one.unpriced_tokens, one.cost_micros, one.written_tokens) == (105, 250_000, 0)
    read = (await cast.ada.get(f"{cast.home}/sessions/{session.id}")).ok()
    [attempt] = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert [(one["unpriced_tokens"], one["cost_usd"]) for one in (read, attempt)] == [(105, 0.25)] * 2


async def test_of_a_session_one_source_counts(cast: Cast) -> None:
    session = {"external_id": "one", "client": "codex"}

    async def said(source: str, key: str, tokens: int, usd: str = "0") -> tuple[int, float, dict[str, int]]:
        usage = {"source": source, "key": key, "model": "gpt-5.4", "input_tokens": tokens, "cost_usd": usd}
        (await cast.vega.post("/agent/reports", {"session": session, "usage": [usage]})).ok()
        [read] = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"]
        return read["input_tokens"], read["cost_usd"], read["usage_sources"]

    budget = (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 10_000})).ok()
    assert await said("agent", "a1", 1000, "0.01") == (1000, 0.01, {"agent": 1000})
    assert await said("acp", "b1", 600, "0.02") == (1000, 0.02, {"agent": 1000, "acp": 600})
    assert await said("program", "c1", 1400) == (1400, 0.02, {"agent": 1000, "acp": 600, "program": 1400})
    assert await said("program", "c1", 1400) == (1400, 0.02, {"agent": 1000, "acp": 600, "program": 1400})
    assert (await said("agent", "a2", 5000, "9"))[:2] == (1400, 0.02)
    assert await said("program", "c2", 9_000) == (10_400, 0.026, {"agent": 6000, "acp": 600, "program": 10_400})
    assert (await cast.ada.get(f"/budgets/{budget['id']}")).ok()["used"] == 10_400
    assert [one.input_tokens for one in await UsageEntry.all().order_by("created_at", "id")] == [1000, 0, 400, 0, 9000]
    sums = (await cast.ada.get("/usage/shares")).ok()["sums"]
    assert (sums["input_tokens"], sums["cost_usd"], sums["unpriced_tokens"]) == (10_400, 0.026, 0)


async def test_own_price_comes_before_the_list(cast: Cast) -> None:
    before = await head(cast)
    made = (await cast.ada.post("/prices", OWN | {"model": "Local-Qwen"})).ok()
    today = times.clock_now().date().isoformat()
    assert (made["model"], made["since"], made["input_usd"], made["cached_usd"]) == ("local-qwen", today, 0.1, None)
    (await cast.ada.post("/prices", OWN)).refused(409)
    assert (await use(cast.vega, "local-qwen", input_tokens=1_000_000, cached_tokens=500_000))["own_usd"] == 0.1
    assert ((await last()).priced, (await last()).price_date) == ("own", today)
    free = {"model": "claude-opus-5-5", "input_usd": 0, "output_usd": 0, "since": "2026-01-01"}
    free = (await cast.ben.post("/prices", free)).ok()
    sums = await use(cast.rigel, "claude-opus-5-5", input_tokens=7)
    assert (sums["cost_usd"], sums["unpriced_tokens"]) == (0, 0)
    (await cast.ben.delete(f"/prices/{free['id']}")).ok()
    assert (await use(cast.rigel, "claude-opus-5-5", input_tokens=1_000_000))["listed_usd"] == 4
    assert [one.kind for one in await events(before) if one.kind.startswith("price.")] == [
        "price.created", "price.created", "price.deleted",
    ]  # fmt: skip
    assert (await use(cast.nova, "local-qwen", input_tokens=9))["unpriced_tokens"] == 9


async def test_prices_are_read_by_people_and_changed_by_admins(cast: Cast) -> None:
    made = (await cast.ada.post("/prices", OWN)).ok()
    found = (await cast.cleo.get("/prices?limit=2")).ok()
    assert (found["items"][0], found["total"]) == (made, len(listed()) + 1)
    assert (found["items"][1]["id"], found["items"][1]["source"][:8]) == (None, "https://")
    assert [one["id"] for one in (await cast.cleo.get("/prices?model=x/LOCAL-QWEN")).ok()["items"]] == [made["id"]]
    assert [one["id"] for one in (await cast.eve.get("/prices?model=local-qwen")).ok()["items"]] == []
    for wrong in ({"input_usd": -1}, {"output_usd": "NaN"}, {"model": " "}, {"since": "soon"}, {"cached_usd": 10**7}):
        (await cast.ada.post("/prices", OWN | wrong)).refused(422)
    assert await ModelPrice.all().count() == 1


async def test_usage_is_shared_by_agent_board_task_model_and_person(cast: Cast) -> None:
    task = await cast.add_task(title="Align")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    session = {"external_id": "one", "client": "codex"}
    for agent, model, usd in ((cast.vega, "gpt-5", 0), (cast.vega, "odd", 0), (cast.mira, "gpt-5", "0.5")):
        usage = {"model": model, "output_tokens": 10_000, "cost_usd": usd}
        (await agent.post("/agent/reports", {"session": session, "usage": [usage]})).ok()

    async def shares(by: str, reader: Caller = cast.ada) -> list[tuple[Any, ...]]:
        found = (await reader.get(f"/usage/shares?by={by}")).ok()
        assert found["total"] == len(found["items"])
        return [(one["name"], one["cost_usd"], one["unpriced_tokens"], one["sessions"]) for one in found["items"]]

    assert await shares("agent") == [("Mira", 0.5, 0, 1), ("Vega", 0.1, 10_000, 1)]
    assert await shares("board") == [("Dome", 0.5, 0, 1), ("Telescope", 0.1, 10_000, 1)]
    assert await shares("task") == [(None, 0.5, 0, 1), ("Align", 0.1, 10_000, 1)]
    assert await shares("model") == [("gpt-5", 0.6, 0, 2), ("odd", 0, 10_000, 1)]
    assert await shares("person") == [(None, 0.6, 10_000, 2)]
    await AgentSession.filter(agent_id=cast.vega.id).update(user_id=cast.cleo.id)
    assert await shares("person", cast.cleo) == [("Cleo", 0.1, 10_000, 1)]
    sums = (await cast.ada.get("/usage/shares")).ok()["sums"]
    assert (sums["sessions"], sums["unpriced_sessions"], sums["unpriced_model"]) == (2, 1, "odd")
    assert (sums["cost_usd"], sums["listed_usd"], sums["listed_on"]) == (0.6, 0.1, "2026-09-05")
    (await cast.ada.get("/usage/shares?by=moon")).refused(422)
    (await cast.cleo.get(f"/usage/shares?board_id={cast.other_board.id}")).refused(404)
