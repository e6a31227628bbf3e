"""The page of metrics: which figures, over which boards, and what the address keeps."""

from datetime import timedelta
from html import unescape

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.metrics.dashboard import overview, total
from mission_control.metrics.pages import charts_of, compared, duration_in_words
from mission_control.metrics.schemas import DashboardRangeSeries
from tests.cast import Cast
from tests.visitor import give_password, visitor


async def test_figures_are_compared_with_the_range_before(cast: Cast) -> None:
    await give_password(cast.ada)
    for days in (1, 2, 16):
        with times.travelled(timedelta(days=-days, hours=-2)):
            asked = await cast.ask()
        with times.travelled(timedelta(days=-days)):
            (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    page = (await (await visitor(cast.app, cast.ada)).get("/metrics")).is_status(200)
    page.has("1 more than in the 14 days before, when it was 1.", "Answered by you 2.", "As fast as in the 14 days")
    page.has('data-value="1.0"', "14 days before")


async def test_range_and_board_are_in_the_address(cast: Cast) -> None:
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    page = (await ada.get(f"/metrics?range=7d&board={cast.board.id}")).is_status(200)
    page.has(f"/metrics?range=1m&amp;board={cast.board.id}", "Telescope, 7 days", "7 days before")
    (await ada.get("/metrics?range=odd&board=odd")).is_status(200).has("All boards, 14 days")


async def test_other_peoples_boards_are_not_counted(cast: Cast) -> None:
    await give_password(cast.ada)
    task = await cast.add_task(title="Polish the mirror")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    eve = await visitor(cast.app, cast.eve)
    (await eve.get(f"/metrics?board={cast.board.id}")).is_status(200).lacks("Polish the mirror", "Telescope")
    (await (await visitor(cast.app, cast.dan)).get("/metrics")).is_status(200).has("Polish the mirror").lacks("Dome")


async def test_overview_agrees_with_the_dashboard(cast: Cast) -> None:
    for days in (1, 3, 17):
        with times.travelled(timedelta(days=-days)):
            task = await cast.add_task()
            (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
            (await cast.vega.patch(cast.task(task), {"status": "done"})).ok()
            (await cast.vega.post("/agent/usage", {"input_tokens": 10, "cost_usd": 0.5})).ok()
    reopened = await cast.add_task()
    (await cast.ada.patch(cast.task(reopened), {"status": "done"})).ok()
    (await cast.ada.patch(cast.task(reopened), {"status": "inbox"})).ok()
    flow = (await cast.ada.get("/metrics/dashboard?range_key=14d")).ok()["flow"]
    actor: Actor = await cast.ada.actor()
    found, finished = await overview(actor, "14d")
    for name, series in (("throughput", finished), ("answered", found.answered), ("spent", found.spent)):
        both = [DashboardRangeSeries.model_validate(flow[name][one]) for one in ("primary", "comparison")]
        assert [total(series.primary), total(series.comparison)] == [total(one) for one in both], name
    assert total(finished.primary) == 3
    tasks, spent = charts_of(found, finished, cast.ada.id)[2:]
    assert (tasks.value, tasks.note, spent.note) == ("3", "was 1", "0.33 a task")


def test_figures_are_words() -> None:
    assert [duration_in_words(hours) for hours in (0, 0.004, 0.3, 2.5, 72)] == [
        "0 min", "under 1 min", "18 min", "2.5 h", "3 d",
    ]  # fmt: skip
    say = "{:.0f}".format
    assert compared(0, 0, say, "7 days") == "The same as in the 7 days before."
    assert compared(3, 0, say, "7 days") == "There was nothing in the 7 days before."
    assert compared(3, 5, say, "7 days") == "2 less than in the 7 days before, when it was 5."


async def test_open_page_gets_new_figures(cast: Cast) -> None:
    await give_password(cast.ada)
    ada = await visitor(cast.app, cast.ada)
    asked = await cast.ask()
    page = (await ada.get(f"/metrics?range=7d&board={cast.board.id}")).is_status(200)
    live = unescape(page.text.split('hx-sse:connect="')[1].split('"')[0])
    assert live.startswith(f"/metrics/live?range=7d&board={cast.board.id}&after=")
    async with ada.watching(live) as watch:
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        await watch.until("Answered by you 1.")
        assert 'hx-target="#metrics"' in watch.text


async def test_page_without_boards_says_when_there_is_something(cast: Cast) -> None:
    (await cast.eve.delete(f"/boards/{cast.foreign_board.id}")).ok()
    eve = await visitor(cast.app, cast.eve)
    (await eve.get("/metrics")).is_status(200).has("Nothing to measure yet").lacks('id="metrics"')
