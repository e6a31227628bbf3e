"""Usage and prices as pages: what was spent, by whose word, and what is not known; setting a price of one's own."""

from datetime import timedelta

from mission_control.agents.models import ModelPrice
from mission_control.core import times
from mission_control.core.times import travelled
from tests.cast import Cast
from tests.visitor import visitor

USAGE, PRICES = "/agents/usage", "/settings/prices"


async def test_usage_says_what_it_does_not_know(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(USAGE)).has("Nothing was used in these days")
    session = {"external_id": "one", "client": "codex", "title": "Fix"}
    usage = [
        {"key": "1", "model": "local-qwen", "input_tokens": 1000, "output_tokens": 10},
        {"key": "2", "model": "gpt-5", "output_tokens": 10_000, "input_tokens": 1000, "cached_tokens": 1000},
    ]
    (await cast.vega.post("/agent/reports", {"session": session, "usage": usage[:1]})).ok()
    seen = await ada.get(USAGE)
    seen.has("not known", "1 session", "no price for local-qwen", "without 1", "/settings/prices?model=local-qwen")
    seen.lacks("0.00 USD</dd>")
    found = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"][0]
    page = f"/boards/{cast.board.id}/sessions/{found['id']}"
    (await ada.get(page)).has("not known", "no price for 1,010 tokens")
    (await ada.get("/agents/sessions")).has("cost not known")
    async with ada.watching(f"{USAGE}/live") as watch:
        (await cast.vega.post("/agent/reports", {"session": session, "usage": usage[1:]})).ok()
        await watch.until("at least 0.10 USD")
    (await ada.get(page)).has("at least 0.10 USD", "by price list of 5 Sep 2026, no price for 1,010 tokens")
    (await ada.get(f"/agents/{cast.vega.id}/usage")).has("at least 0.10 USD", "by price list of 5 Sep 2026")
    (await ada.get(f"{USAGE}?by=model&days=1")).has("gpt-5", "local-qwen", "By model")
    for by in ("board", "task", "person", "odd"):
        (await ada.get(f"{USAGE}?by={by}")).is_status(200)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(USAGE)).has("Vega").lacks(PRICES)


async def test_session_says_where_its_sources_differ(cast: Cast) -> None:
    ada, session = await visitor(cast.app, cast.ada), {"external_id": "one", "client": "codex"}
    for source, used in (("program", 1000), ("acp", 1050), ("agent", 1300)):
        usage = {"source": source, "input_tokens": used, "model": "gpt-5"}
        (await cast.vega.post("/agent/reports", {"session": session, "usage": [usage]})).ok()
    [found] = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"]
    seen = await ada.get(f"/boards/{cast.board.id}/sessions/{found['id']}")
    seen.has("The agent itself says 1,300 tokens, 30 % more than its program.").lacks("1,050")


async def test_windows_of_a_subscription_are_gauges_until_they_begin_anew(cast: Cast) -> None:
    ada, session = await visitor(cast.app, cast.ada), {"external_id": "one", "client": "codex"}
    soon = (times.clock_now() + timedelta(minutes=90)).isoformat() + "Z"
    windows = [{"name": "5 hours", "used_percent": 91.6, "resets_at": soon}, {"name": "week", "used_percent": 40}]
    (await cast.vega.post("/agent/reports", {"session": session, "windows": windows})).ok()
    (await cast.vega.post("/agent/reports", {"session": session})).ok()
    [found] = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"]
    read = [(one["name"], one["used_percent"], one["resets_at"] is None) for one in found["usage_windows"]]
    assert read == [("5 hours", 92, False), ("week", 40, True)]
    pages = f"/boards/{cast.board.id}/sessions/{found['id']}", f"/agents/{cast.vega.id}/usage"
    for page in pages:
        (await ada.get(page)).has("Subscription", "92 %", 'data-state="warning"', "week", "as the program said")
    with travelled(timedelta(hours=2)):
        (await ada.get(pages[1])).has("week").lacks("5 hours")
    for wrong in ({"used_percent": -1}, {"name": " "}, {"resets_at": "soon"}):
        given = {"session": session, "windows": [windows[0] | wrong]}
        (await cast.vega.post("/agent/reports", given)).refused(422)


async def test_own_price_is_set_and_deleted(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    seen = await ada.get(f"{PRICES}?model=local-qwen")
    seen.has('value="local-qwen"', "No prices of your own", "claude-opus-5-5", "above 272,000 tokens", "2026-10-24")
    form = {"model": "local-qwen", "since": "", "input_usd": "0.10", "output_usd": "much", "cached_usd": ""}
    (await ada.post(PRICES, form)).is_status(422).has("Enter a number.")
    (await cleo.get(PRICES)).is_status(403)
    assert (await ada.post(PRICES, form | {"output_usd": "$1,000", "written_usd": "2"})).leads_to == PRICES
    made = await ModelPrice.get()
    assert (made.output_micros, made.cached_micros, made.written_micros) == (1_000_000_000, None, 2_000_000)
    (await ada.get(PRICES)).has("Delete the price of local-qwen", "1,000").lacks("No prices of your own")
    (await ada.post(PRICES, form | {"output_usd": "1"})).has("There is a price of this model since that day already")
    assert (await ada.post(f"{PRICES}/{made.id}/deletion", {})).leads_to == PRICES
    assert await ModelPrice.all().count() == 0
