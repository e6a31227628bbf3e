"""Limits of what agents may use up: made by admins, warned of at four fifths, enforced at the limit."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from mission_control.agents.models import Budget, UsageEntry
from mission_control.agents.usage.budgets import begin_day
from mission_control.agents.usage.queries import exhausted
from mission_control.core.times import travelled
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from tests.cast import Answer, Caller, Cast, events, head
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

KEYS = [
    "id", "subject", "unit", "period", "limit", "used", "unpriced_tokens", "gaps", "state", "agent_id",
    "agent_name", "board_id", "board_name", "created_at", "updated_at",
]  # fmt: skip


async def limit(cast: Cast, limit: Any = 100, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await cast.ada.post("/budgets", {"unit": "tokens", "limit": limit, **more})).ok()
    return body


async def use(agent: Caller, tokens: int, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await agent.post("/agent/usage", {"input_tokens": tokens, **more})).ok()
    return body


async def kinds(before: int) -> list[str]:
    return [event.kind for event in await events(before) if event.kind.startswith("budget.")]


async def told(header: str) -> list[Any]:
    return [one.agent_id for one in await Delivery.filter(header=header).order_by("seq")]


async def test_budget_of_money_says_what_it_cannot_count(cast: Cast) -> None:
    made = await limit(cast, 2, unit="cost")
    await use(cast.vega, 500, model="of-our-own")
    await limit(cast, 1000)  # of tokens: nothing is missing there
    found = (await cast.ada.get("/budgets")).ok()["items"]
    uncounted = [(one["unit"], one["used"], one["unpriced_tokens"]) for one in found]
    assert uncounted == [("tokens", 500, 0), ("cost", 0, 500)]
    page = await (await visitor(cast.app, cast.ada)).get("/settings/budgets")
    page.has("0.00 of 2.00 USD, no price for 500 tokens")
    again = await limit(cast, 5, unit="cost", period="total")
    assert again["unpriced_tokens"] == 500
    with travelled(timedelta(days=1)):
        found = (await cast.ada.get("/budgets")).ok()["items"]
        assert {one["id"]: one["unpriced_tokens"] for one in found}[made["id"]] == 0


async def test_admins_create_read_change_and_delete_budgets(cast: Cast) -> None:
    before = await head(cast)
    made = await limit(cast, "2.5", agent_id=str(cast.vega.id), unit="cost")
    assert list(made) == KEYS
    assert (made["subject"], made["agent_name"], made["board_id"], made["board_name"]) == ("agent", "Vega", None, None)
    assert (made["unit"], made["period"], made["limit"], made["used"], made["state"]) == ("cost", "day", 2.5, 0, "ok")
    boards = await limit(cast, 50, board_id=str(cast.board.id), period="total")
    own = await limit(cast, 10)
    page = (await cast.ben.get("/budgets")).ok()
    assert ([one["id"] for one in page["items"]], page["total"]) == ([own["id"], boards["id"], made["id"]], 3)
    assert page["items"][1] == boards and boards["board_name"] == "Telescope"
    changed = (await cast.ben.patch(f"/budgets/{made['id']}", {"limit": 3})).ok()
    assert changed | {"limit": 2.5, "updated_at": made["updated_at"]} == made and changed["limit"] == 3
    (await cast.ben.patch(f"/budgets/{made['id']}", {"limit": "3.0"})).ok()
    assert (await cast.ben.delete(f"/budgets/{made['id']}")).ok() == {"ok": True}
    (await cast.ben.delete(f"/budgets/{made['id']}")).refused(404)
    assert await kinds(before) == ["budget.created"] * 3 + ["budget.updated", "budget.deleted"]
    first = (await events(before))[0]
    assert (first.board_id, first.agent_id, first.actor_id) == (cast.board.id, cast.vega.id, cast.ada.id)
    assert orjson.loads(first.data)["limit"] == 2_500_000


@pytest.mark.parametrize("whose", ["agent Vega", "board Telescope", "organization Observatory"])
async def test_budget_notices_name_their_subject(cast: Cast, whose: str) -> None:
    subject = {"agent": {"agent_id": str(cast.vega.id)}, "board": {"board_id": str(cast.board.id)}}
    before = await head(cast)
    await limit(cast, **subject.get(whose.split()[0], {}))
    assert (await events(before, organization_id=cast.organization.id))[0].message == f"Budget made for the {whose}."
    await use(cast.vega, 80)
    await use(cast.vega, 20)
    for header, how in (("BUDGET WARNING", "used up to 80 %"), ("BUDGET USED UP", "used up")):
        notice = await Delivery.filter(header=header, agent_id=cast.vega.id).get()
        assert notice.text.splitlines()[0] == f"The budget of tokens of the {whose} is {how}."


async def test_budget_is_unique_per_subject_unit_and_period(cast: Cast) -> None:
    for subject in ({}, {"board_id": str(cast.board.id)}, {"agent_id": str(cast.vega.id)}):
        await limit(cast, **subject)
        again = await cast.ben.post("/budgets", {"unit": "tokens", "limit": 5, **subject})
        again.refused(409)
        await limit(cast, period="total", **subject)
        await limit(cast, unit="cost", **subject)
    assert await Budget.all().count() == 9
    (await cast.eve.post("/budgets", {"unit": "tokens", "limit": 5})).ok()


@pytest.mark.parametrize("wrong", [
    {"limit": 0}, {"limit": -5}, {"limit": 1.5}, {"limit": 10**12 + 1}, {"limit": "Infinity"}, {"limit": None},
    {"unit": "hours"}, {"period": "week"}, {"unit": "cost", "limit": "0.0000001"}, {"agent_id": "x"},
])  # fmt: skip
async def test_invalid_budget_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 5, **wrong})).refused(422)
    budget = await limit(cast)
    if "limit" in wrong and "unit" not in wrong:
        (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": wrong["limit"]})).refused(422)
    assert (await Budget.get()).limit_amount == 100


async def test_budget_subject_must_be_in_the_organization(cast: Cast) -> None:
    both = {"agent_id": str(cast.vega.id), "board_id": str(cast.board.id)}
    for subject in (both, {"agent_id": str(cast.nova.id)}, {"board_id": str(cast.foreign_board.id)}):
        (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 5, **subject})).refused(422)
    assert await Budget.all().count() == 0


async def test_budgets_of_another_organization_are_not_listed(cast: Cast) -> None:
    await limit(cast)
    assert (await cast.eve.get("/budgets")).ok()["items"] == []


async def test_budget_warns_once_at_80_percent_and_stops_at_the_limit(cast: Cast) -> None:
    await limit(cast, agent_id=str(cast.vega.id))
    before = await head(cast)
    first = await use(cast.vega, 79)
    assert (first["budgets"][0]["state"], first["directive"], await kinds(before)) == ("ok", "continue", [])
    second = await use(cast.vega, 1)
    assert (second["budgets"][0]["used"], second["budgets"][0]["state"]) == (80, "warning")
    assert (second["directive"], await kinds(before)) == ("continue", ["budget.warning"])
    assert await told("BUDGET WARNING") == [cast.vega.id]
    await use(cast.vega, 5)
    assert await kinds(before) == ["budget.warning"]
    third = await use(cast.vega, 15)
    assert (third["budgets"][0]["state"], third["directive"]) == ("exceeded", "stop")
    assert third["directive_reason"] == "Today's budget of tokens for the agent is used up."
    await use(cast.vega, 500)
    assert await kinds(before) == ["budget.warning", "budget.exceeded"]
    assert await told("BUDGET USED UP") == [cast.vega.id]
    assert (await cast.vega.post("/agent/heartbeat")).ok()["directive"] == "stop"
    assert (await cast.rigel.post("/agent/heartbeat")).ok()["directive"] == "continue"
    over = await exhausted(cast.vega.id, cast.board.id, cast.organization.id)
    assert over is not None and over.agent_id == cast.vega.id
    assert await exhausted(cast.rigel.id, cast.board.id, cast.organization.id) is None
    [event] = [one for one in await events(before) if one.kind == "budget.exceeded"]
    assert (event.board_id, event.agent_id) == (cast.board.id, cast.vega.id)


async def test_one_report_can_cross_both_thresholds(cast: Cast) -> None:
    await limit(cast, "0.02", unit="cost", board_id=str(cast.board.id))
    before = await head(cast)
    answer = await use(cast.vega, 1, cost_usd="0.03")
    assert await kinds(before) == ["budget.warning", "budget.exceeded"]
    assert answer["budgets"] == [answer["budgets"][0] | {"subject": "board", "limit": 0.02, "used": 0.03}]
    assert set(await told("BUDGET USED UP")) == {cast.atlas.id, cast.vega.id, cast.rigel.id}
    told_text = (await Delivery.filter(header="BUDGET USED UP").first().values("text"))["text"]
    assert "Used: 0.03 USD of 0.02 USD today (UTC)" in told_text
    assert (await cast.rigel.post("/agent/heartbeat")).ok()["directive"] == "stop"
    assert (await cast.mira.post("/agent/heartbeat")).ok()["directive"] == "continue"


async def test_organization_budget_applies_to_all_agents(cast: Cast) -> None:
    await limit(cast, 10, period="total")
    await use(cast.vega, 6)
    await use(cast.mira, 5)
    assert set(await told("BUDGET USED UP")) == {cast.atlas.id, cast.vega.id, cast.rigel.id, cast.mira.id}
    with travelled(timedelta(days=2)):
        for agent in (cast.rigel, cast.mira):
            assert (await agent.post("/agent/heartbeat")).ok()["directive"] == "stop"
    await use(cast.nova, 1000)
    assert (await cast.nova.post("/agent/heartbeat")).ok()["directive"] == "continue"


async def test_daily_budget_resets_at_midnight(cast: Cast) -> None:
    budget = await limit(cast)
    before = await head(cast)
    await use(cast.vega, 100)
    with travelled(timedelta(days=1)):
        assert (await cast.vega.post("/agent/heartbeat")).ok()["directive"] == "continue"
        [read] = (await cast.ada.get("/budgets")).ok()["items"]
        assert (read["id"], read["used"], read["state"]) == (budget["id"], 0, "ok")
        await use(cast.vega, 85)
    assert await kinds(before) == ["budget.warning", "budget.exceeded", "budget.warning"]


async def test_total_budget_does_not_reset_at_midnight(cast: Cast) -> None:
    await limit(cast, period="total")
    before = await head(cast)
    await use(cast.vega, 60)
    with travelled(timedelta(days=1)):
        [budget] = (await use(cast.vega, 40))["budgets"]
    assert (budget["used"], budget["state"]) == (100, "exceeded")
    with travelled(timedelta(days=2)):
        assert (await use(cast.vega, 1))["directive"] == "stop"
    assert await kinds(before) == ["budget.warning", "budget.exceeded"], "each line once, on whatever day"


async def test_yesterdays_report_does_not_count_today(cast: Cast) -> None:
    """Two processes at midnight: one writes the new day down while the other still reports on the old one."""
    await limit(cast)
    with travelled(timedelta(days=1)):
        await use(cast.vega, 40)
    await use(cast.vega, 70)
    with travelled(timedelta(days=1)):
        [read] = (await cast.ada.get("/budgets")).ok()["items"]
        assert (read["used"], read["state"]) == (40, "ok")


async def test_waiting_claims_retry_at_midnight(cast: Cast) -> None:
    evening, morning = datetime(2026, 12, 31, 23, 59, 30), datetime(2027, 1, 1, 0, 0, 1)
    with wakeup_channels.listening(f"work:{cast.board.id}") as heard:
        assert await begin_day(evening, evening) == 30.1 and not heard.done()
        await begin_day(evening, morning)
        assert heard.done()


async def test_changed_limit_warns_again_and_wakes_waiting_claims(cast: Cast) -> None:
    budget = await limit(cast, board_id=str(cast.board.id))
    await use(cast.vega, 100)
    before = await head(cast)
    with wakeup_channels.listening(f"work:{cast.board.id}") as heard:
        changed = (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": 120})).ok()
        assert heard.done()
    assert (changed["used"], changed["state"]) == (100, "warning")
    assert set(await told("BUDGET RAISED")) == {cast.atlas.id, cast.vega.id, cast.rigel.id}
    assert await kinds(before) == ["budget.updated", "budget.warning"]
    assert (await cast.vega.post("/agent/heartbeat")).ok()["directive"] == "continue"
    (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": 90})).ok()
    assert (await kinds(before))[2:] == ["budget.updated", "budget.warning", "budget.exceeded"]
    with wakeup_channels.listening(f"work:{cast.board.id}") as heard:
        (await cast.ada.delete(f"/budgets/{budget['id']}")).ok()
        assert heard.done()
    assert (await cast.vega.post("/agent/heartbeat")).ok()["directive"] == "continue"


async def test_new_budget_counts_past_usage(cast: Cast) -> None:
    with travelled(timedelta(days=-1)):
        await use(cast.vega, 70)
    await use(cast.vega, 25, cost_usd=1)
    before = await head(cast)
    daily, ever = (
        await limit(cast, agent_id=str(cast.vega.id)),
        await limit(cast, board_id=str(cast.board.id), period="total"),
    )
    money = await limit(cast, "0.5", unit="cost")
    assert [(one["used"], one["state"]) for one in (daily, ever, money)] == [
        (25, "ok"), (95, "warning"), (1.0, "exceeded"),
    ]  # fmt: skip
    assert (await kinds(before))[-3:] == ["budget.created", "budget.warning", "budget.exceeded"]


async def test_budgets_of_deleted_subjects_are_removed_or_suspended(cast: Cast) -> None:
    await limit(cast, agent_id=str(cast.vega.id))
    await limit(cast, board_id=str(cast.other_board.id))
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    assert [one["subject"] for one in (await cast.ada.get("/budgets")).ok()["items"]] == ["agent"]
    (await cast.ada.post(f"/boards/{cast.other_board.id}/restorations")).ok()
    assert (await cast.ada.get("/budgets")).ok()["total"] == 2
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    assert [one["subject"] for one in (await cast.ada.get("/budgets")).ok()["items"]] == ["board"]


async def test_concurrent_reports_cross_a_threshold_once(cast: Cast) -> None:
    await limit(cast, 100)
    await limit(cast, 100, board_id=str(cast.board.id), period="total")
    before = await head(cast)
    agents = (cast.vega, cast.rigel, cast.atlas)
    answers: list[Answer] = await asyncio.gather(
        *(agents[n % 3].post("/agent/usage", {"input_tokens": 10}) for n in range(12)),
        *(cast.ada.post("/budgets", {"unit": "tokens", "limit": 1000, "agent_id": str(one.id)}) for one in agents),
    )
    assert {answer.status for answer in answers} == {200}
    assert sorted(await kinds(before)) == [
        "budget.created", "budget.created", "budget.created",
        "budget.exceeded", "budget.exceeded", "budget.warning", "budget.warning",
    ]  # fmt: skip
    for budget in await Budget.all():
        entries = UsageEntry.filter(agent_id=budget.agent_id) if budget.agent_id else UsageEntry.all()
        assert budget.used_amount == sum([one.input_tokens for one in await entries])
