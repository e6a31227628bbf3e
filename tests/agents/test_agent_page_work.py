"""An agent's runs and what it did, on its page."""

from typing import Any

from tests.cast import Cast
from tests.visitor import visitor


async def handed_in(cast: Cast, **more: Any) -> dict[str, Any]:
    """A run of Vega that handed something in."""
    await cast.add_task(title="Align <the> mirror", assigned_agent_id=str(cast.vega.id))
    claim = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()
    work = {"fence": claim["lease"]["fence"], "summary": "It **shines**.", **more}
    done: dict[str, Any] = (await cast.vega.post(f"/agent{cast.task(claim['task'])}/completions", work)).ok()
    return done


async def test_run_shows_its_result(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.get(f"{path}/runs")).has("No runs yet")
    async with ada.watching(f"{path}/live?tab=runs") as watch:
        evidence = [{"title": "Graph <1>", "url": "https://example.org/1"}]
        files = [{"name": "log.txt", "content_base64": "Y2xlYXI="}]
        done = await handed_in(cast, evidence=evidence, artifacts=files, input_tokens=900, cost_usd=0.25)
        await watch.until("It <strong>shines</strong>.")
    seen = await ada.get(f"{path}/runs")
    seen.has("#1", "Align &lt;the&gt; mirror", "Handed in", "Graph &lt;1&gt;", "log.txt", "900 tokens · 0.25 USD")
    seen.has(f"/boards/{cast.board.id}/tasks/{done['task']['id']}")
    (await ada.get(path)).has("Latest runs", "All 1", "Handed in")


async def test_other_runs_show_their_end_reason(cast: Cast) -> None:
    ada, task = await visitor(cast.app, cast.ada), await cast.add_task()
    claim = (await cast.vega.post(f"/agent{cast.home}/claims", {"lease_seconds": 600})).ok()
    path = f"/agents/{cast.vega.id}/runs"
    (await ada.get(path)).has("Running", "Its lease lasts until")
    gone = {"fence": claim["lease"]["fence"], "reason": "No <screws>."}
    (await cast.vega.call("DELETE", f"/agent{cast.task(task)}/lease", gone)).ok()
    (await ada.get(path)).has("Given back", "No &lt;screws&gt;.").lacks("Its lease lasts until")


async def test_runs_are_paged(cast: Cast) -> None:
    for _ in range(27):
        await handed_in(cast)
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/runs"
    assert (await ada.get(path)).has("1-25 of 27 runs").text.count('class="run"') == 25
    assert (await ada.get(f"{path}?from=25")).has("26-27 of 27 runs").text.count('class="run"') == 2


async def test_activity_holds_events_by_and_about_the_agent(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    await cast.add_task(title="Of somebody else")
    async with ada.watching(f"{path}/live?tab=activity") as watch:
        await handed_in(cast)
        await watch.until("handed in")
        await ada.post(f"{path}/work-state", {"state": "paused", "reason": "Too fast"})
        await watch.until("Too fast")
    seen = (await ada.get(f"{path}/activity")).has("Today", "made the agent", "moved", "paused")
    seen.lacks("Of somebody else")
    (await ada.get(path)).has("Recent activity", "paused")


async def test_older_activity_is_on_the_next_page(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    for n in range(60):
        (await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": f"Word {n}."})).ok()
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/activity"
    seen = (await ada.get(path)).has("Word 59.", "Word 10.", "?before=").lacks("Word 9.")
    older = seen.text.partition("?before=")[2].partition('"')[0]
    (await ada.get(f"{path}?before={older}")).has("Word 9.", "made the agent", "Back to the newest").lacks("Word 10.")
