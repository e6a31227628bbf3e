"""Budgets as a page of the settings: the list with bars, making, changing and lifting one."""

import re
from typing import Any

import orjson
import pytest

from mission_control.agents.models import Budget
from tests.cast import Cast
from tests.visitor import visitor

HOME = "/settings/budgets"


def wish(**changes: Any) -> dict[str, Any]:
    """The filled form."""
    return {"subject": "organization", "unit": "tokens", "period": "day", "limit": "1,000", **changes}


async def only() -> Budget:
    return await Budget.get()


async def test_empty_page_explains_budgets(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(HOME)).is_status(200)
    seen.has("No budgets", "What was used", "The whole organization", "Board Telescope", "Telescope / Vega")
    seen.lacks("Nova", "Cellar")
    (await ada.get("/settings")).has(f'href="{HOME}"')


async def test_budgets_are_only_for_admins(cast: Cast) -> None:
    await (await visitor(cast.app, cast.ada)).post(HOME, wish())
    budget = await only()
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get("/settings")).is_status(200).lacks(HOME)
    for path in (HOME, f"{HOME}/live", f"{HOME}/{budget.id}"):
        (await cleo.get(path)).is_status(403)
    (await eve.get(HOME)).is_status(200).lacks(f"budget-{budget.id}")


async def test_budget_is_created_and_shown_with_its_bar(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    subjects = ("organization", f"board:{cast.board.id}", f"agent:{cast.vega.id}")
    for subject in subjects:
        assert (await ada.post(HOME, wish(subject=subject))).leads_to == HOME
    assert (await ada.post(HOME, wish(subject=subjects[2], unit="cost", limit="$2.50"))).leads_to == HOME
    (await cast.vega.post("/agent/usage", {"input_tokens": 850, "cost_usd": "2.6"})).ok()
    seen = (await ada.get(HOME)).is_status(200)
    seen.has(
        "850 of 1,000 tokens", "85 %", "Running out", "2.60 of 2.50 USD", "104 %", "Used up", 'data-state="exceeded"'
    )
    bars = re.findall(r'<progress class="bar" max="([\d.]+)" value="([\d.]+)"', seen.text)
    assert bars == [("1000", "850"), ("1000", "850"), ("1000", "850"), ("2.5", "2.5")]


@pytest.mark.parametrize(("change", "sentence"), [
    ({"limit": ""}, "Fill this in."), ({"limit": "much"}, "Enter a number."),
    ({"limit": "0"}, "Enter more than 0."),
    ({"limit": "1.5"}, "A limit of tokens is a whole number."), ({"limit": "9e99"}, "Enter at most"),
    ({"limit": "nan"}, "Enter at most"), ({"unit": "cost", "limit": "0.0000001"}, "The limit is too small."),
    ({"unit": "hours"}, "Choose one of the options."), ({"subject": "moon"}, "Choose one of the options."),
])  # fmt: skip
async def test_invalid_budget_is_explained(cast: Cast, change: dict[str, str], sentence: str) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.post(HOME, wish(**change))).is_status(422)
    seen.has(sentence, "One thing needs another look")
    assert await Budget.all().count() == 0


async def test_duplicate_budget_is_refused(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await ada.post(HOME, wish())
    (await ada.post(HOME, wish(limit="5"))).is_status(409).has("There is a budget", 'value="5"')
    (await ada.post(HOME, wish(subject=f"agent:{cast.nova.id}"))).is_status(422).has("There is no agent")
    assert (await only()).limit_amount == 1000


async def test_limit_is_changed_in_a_dialog(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await ada.post(HOME, wish(unit="cost", limit="2.5"))
    path = f"{HOME}/{(await only()).id}"
    (await ada.with_htmx.get(path)).is_status(200).has("<dialog", 'value="2.5"', "US dollars").lacks("<!doctype")
    (await ada.get(path)).is_status(200).has("<!doctype html>", 'value="2.5"')
    (await ada.with_htmx.post(path, {"limit": "x"})).is_status(422).has("<dialog", "Enter a number.", 'value="x"')
    (await ada.with_htmx.post(path, {"limit": ""})).is_status(422).has("Fill this in.")
    (await ada.post(path, {"limit": "-1"})).is_status(422).has("<!doctype html>", "Enter more than 0.")
    (await ada.with_htmx.post(path, {"limit": "3"})).is_status(204)
    assert (await only()).limit_amount == 3_000_000
    assert (await ada.post(path, {"limit": "4"})).leads_to == HOME


async def test_deleted_budget_can_be_undone(cast: Cast) -> None:
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    await ada.post(HOME, wish(subject=f"board:{cast.board.id}", unit="cost", period="total", limit="0.000001"))
    seen = (await ada.post(f"{HOME}/{(await only()).id}/deletion")).is_status(204)
    assert await Budget.all().count() == 0
    undo = orjson.loads(seen.headers["HX-Trigger"])["toast"]["undo"]
    (await ada.post(undo["action"], undo["fields"])).is_status(204)
    again = await only()
    assert (again.board_id, again.unit, again.period, again.limit_amount) == (cast.board.id, "cost", "total", 1)


async def test_budget_page_is_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await ada.post(HOME, wish())
    async with ada.watching(f"{HOME}/live") as watch:
        (await cast.vega.post("/agent/usage", {"input_tokens": 10})).ok()
        await watch.until("10 of 1,000 tokens")
        (await cast.ada.patch(f"/budgets/{(await only()).id}", {"limit": 20})).ok()
        await watch.until("10 of 20 tokens")
