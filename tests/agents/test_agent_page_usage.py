"""What an agent uses up, on its page: today, the last days, its budgets and those it shares."""

import re
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Budget, UsageEntry
from mission_control.core import times
from mission_control.runs.hooks import queue as hook_queue
from tests.cast import Cast
from tests.hooks import SESSION
from tests.visitor import visitor


async def test_reports_update_figures_and_bars(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.get(f"{path}/usage")).has("0 tokens, days of UTC", "No limit", "The last 14 days")
    async with ada.watching(f"{path}/live?tab=usage") as watch:
        report = {"input_tokens": 1200, "output_tokens": 34, "cost_usd": "0.5"}
        (await cast.vega.post("/agent/usage", report)).ok()
        text = await watch.until("1,234")
        assert "1,200 tokens in, 34 tokens out" in text and "0.50 USD" in text
    (await ada.get(path)).has("1,234", "0.50 USD", "No budget applies to it.")


TOLD: dict[str, tuple[str, dict[str, Any]]] = {  # what leaves out requests, as three sources tell it
    "opencode": ("session.titled", {}),
    "claude-code": ("NotReachable", {"seconds": 600, "late": 1, "lost": 0}),
    "other": ("", {"input_tokens": 0, "source": "acp", "gaps": 1}),
}


@pytest.mark.parametrize("client", TOLD)
async def test_every_page_says_at_least_where_requests_are_missing(cast: Cast, client: str) -> None:
    (await cast.ada.post("/budgets", {"agent_id": str(cast.vega.id), "unit": "tokens", "limit": 9000})).ok()
    task = await cast.add_task()
    lease = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()["lease"]
    given = {"session": {"external_id": SESSION, "client": client}, "task_id": task["id"], "fence": lease["fence"]}
    source = {"source": "acp" if client == "other" else "program"}
    usage = [{"input_tokens": 4000, "output_tokens": 800, "cost_usd": "0.5", **source}]
    (await cast.vega.post("/agent/reports", given | {"usage": usage})).ok()
    ada, session = await visitor(cast.app, cast.ada), (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"][0]
    session_page, agent = f"/boards/{cast.board.id}/sessions/{session['id']}", f"/agents/{cast.vega.id}"
    pages = {
        session_page: ("4,000", "800", "0.50 USD"),
        "/agents/sessions": ("0.50 USD",),
        f"/boards/{cast.board.id}/tasks/{task['id']}": ("4.8k tokens", "0.50 USD"),
        f"{agent}/usage": ("4,800", "4,800 of 9,000 tokens", "0.50 USD"),
        agent: ("4,800", "0.50 USD"),
        "/agents": ("4.8k tokens",),
        "/agents/usage": ("4.8k", "0.50 USD", "800"),
        "/agents/usage?by=task": ("4k", "0.50 USD"),
    }
    for page in pages:
        (await ada.get(page)).has("4,000" if page == session_page else "").lacks("at least")
    event, body = TOLD[client]
    if event:
        hooked = {"hook_event_name": event, "session_id": SESSION, **body}
        (await cast.vega.post(f"/connect/{client}/hooks", hooked)).ok()
        await hook_queue.write()
    else:
        (await cast.vega.post("/agent/reports", given | {"usage": [body]})).ok()
    for page, amounts in pages.items():
        (await ada.get(page)).has(*(f"at least {one}" for one in amounts))
    read = [
        (await cast.ada.get(f"{cast.home}/sessions/{session['id']}")).ok(),
        (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"][0],
        (await cast.ada.get("/usage")).ok()["sums"],
        (await cast.ada.get("/budgets")).ok()["items"][0],
        (await cast.vega.post("/agent/usage", {})).ok()["total"],
    ]
    assert [one["gaps"] for one in read] == [1] * len(read)


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
