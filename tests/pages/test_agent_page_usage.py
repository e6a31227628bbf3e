"""What an agent uses up, on its page: today, the last days, its budgets and those it shares."""

import re
from datetime import timedelta

from mission_control.agents.models import Budget, UsageEntry
from mission_control.core import times
from tests.cast import Cast
from tests.pages.visitor import visitor


async def test_reports_update_figures_and_bars(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.get(f"{path}/usage")).has("0 tokens, days of UTC", "No limit", "The last 14 days")
    async with ada.watching(f"{path}/live?tab=usage") as watch:
        report = {"input_tokens": 1200, "output_tokens": 34, "cost_usd": "0.5"}
        (await cast.vega.post("/agent/usage", report)).ok()
        text = await watch.until("1,234")
        assert "1,200 tokens in, 34 tokens out" in text and "0.50 USD" in text
    (await ada.get(path)).has("1,234", "0.50 USD", "No budget applies to it.")


async def test_last_fourteen_days_have_bars(cast: Cast) -> None:
    for back, used in ((0, 10), (13, 1000), (14, 5000)):
        day = times.clock_now().date() - timedelta(days=back)
        await UsageEntry.create(
            organization_id=cast.organization.id, board_id=cast.board.id, agent_id=cast.vega.id,
            day=day.isoformat(), input_tokens=used, output_tokens=0, cost_micros=0,
        )  # fmt: skip
    seen = await (await visitor(cast.app, cast.ada)).get(f"/agents/{cast.vega.id}/usage")
    seen.has("1,010 tokens, days of UTC", "at most 1k a day", "6,010")
    assert re.findall(r'class="bars-used"[^>]* height="(\d+)"', seen.text) == ["48", "2"]
    assert seen.text.count('class="bars-none"') == 12 and seen.text.count("<tr><td>") == 14


async def test_budget_is_set_on_the_page(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.with_htmx.get(f"{path}/budgets/new")).has("<dialog", "All agents of Telescope", f"agent:{cast.vega.id}")
    wish = {"subject": f"agent:{cast.vega.id}", "unit": "tokens", "period": "day", "limit": "1,000"}
    bad = (await ada.with_htmx.post(f"{path}/budgets", wish | {"limit": "much"})).is_status(422)
    bad.has("Enter a number.", 'value="much"', "All agents of Telescope").lacks("<dialog")
    async with ada.watching(f"{path}/live?tab=usage") as watch:
        (await ada.with_htmx.post(f"{path}/budgets", wish)).is_status(204)
        await watch.until("0 of 1,000 tokens")
    assert (await ada.post(f"{path}/budgets", wish | {"subject": "organization"})).leads_to == f"{path}/usage"
    twice = (await ada.with_htmx.post(f"{path}/budgets", wish | {"limit": "77"})).is_status(409)
    twice.has("There is a budget of this unit and period already", 'value="77"')
    assert {(one.subject, one.limit_amount) for one in await Budget.all()} == {("agent", 1000), ("organization", 1000)}
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    for person, status in ((cleo, 403), (eve, 404)):
        (await person.post(f"{path}/budgets", wish)).is_status(status)
        (await person.get(f"{path}/budgets/new")).is_status(status)


async def test_shared_budgets_are_shown_and_updated(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await cast.ada.post("/budgets", {"board_id": str(cast.board.id), "unit": "cost", "limit": 2})).ok()
    (await cast.ada.post("/budgets", {"unit": "tokens", "period": "total", "limit": 500})).ok()
    (await cast.ada.post("/budgets", {"agent_id": str(cast.rigel.id), "unit": "tokens", "limit": 9})).ok()
    async with ada.watching(f"{path}/live?tab=usage") as watch:
        (await cast.rigel.post("/agent/usage", {"input_tokens": 400, "cost_usd": 2})).ok()
        text = await watch.until("400 of 500 tokens")
        assert "2.00 of 2.00 USD" in text and "Running out" in text and "Used up" in text
    (await ada.get(f"{path}/usage")).has("Telescope", "The whole organization").lacks("9 tokens")
