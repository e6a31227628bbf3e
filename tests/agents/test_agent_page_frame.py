"""One agent's page: its head and banner, its tabs, what follows without a reload, and what if the agent goes away."""

import html
import re
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.core import times as clock
from tests.cast import Cast, hire
from tests.statements import counted
from tests.visitor import visitor

TABS = ("", "/inbox", "/runs", "/usage", "/tokens", "/soul", "/activity")


@pytest.mark.parametrize("tab", TABS)
async def test_every_tab_is_a_page(cast: Cast, tab: str) -> None:
    ada, cleo, eve = [await visitor(cast.app, one) for one in (cast.ada, cast.cleo, cast.eve)]
    path = f"/agents/{cast.vega.id}"
    seen = (await ada.get(path + tab)).is_status(200)
    assert ("It has not checked in yet." in seen.text) is (tab == "")
    seen.has("<!doctype html>", "Vega", "Waiting for first check-in", "Pause Vega", "Stop Vega", "/live?tab=")
    for other in TABS:
        seen.has(f'href="{path}{other}"')
    assert seen.text.count('aria-current="page"') >= 2
    (await cleo.get(path + tab)).is_status(403)
    (await eve.get(path + tab)).is_status(404)
    (await ada.get(path + "/nothing")).is_status(404)


async def test_head_shows_the_agents_role_and_state(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await Agent.filter(id=cast.atlas.id).update(
        identity_profile={"role": "Head of <optics>"}, last_seen_at=clock.clock_now()
    )
    seen = await ada.get(f"/agents/{cast.atlas.id}")
    seen.has("Lead", "Head of &lt;optics&gt;", "Online", "seen", f'href="/boards/{cast.board.id}"', "Telescope")
    seen.lacks("Told to stop", "Told to pause")


async def test_overview_shows_assigned_tasks_with_lease_end(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/agents/{cast.vega.id}")).has("Nothing at the moment", "without a limit", "tasks with any tag")
    task = await cast.add_task(title="Align the mirror")
    (await cast.vega.post(f"/agent{cast.home}/claims", {"lease_seconds": 900})).ok()
    seen = await ada.get(f"/agents/{cast.vega.id}")
    seen.has("Align the mirror", "lease until", f"/tasks/{task['id']}", "In progress", "Latest runs", "Running")
    done = await cast.add_task(title="Old story", assigned_agent_id=str(cast.vega.id))
    await cast.put(done, status="done")
    (await ada.get(f"/agents/{cast.vega.id}")).lacks('id="open-' + done["id"])


async def test_waiting_tasks_are_separate_from_current_work(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    hers: dict[str, Any] = {"assigned_agent_id": str(cast.vega.id)}
    seen, waiting = await cast.add_task(title="Seen to", **hers), await cast.add_task(title="Not begun", **hers)
    await cast.put(seen, status="review")
    async with ada.watching(f"{path}/live?tab=overview") as watch:
        began = await cast.add_task(title="Begun", **hers)
        await watch.until(">2 assigned</a>")
        (await cast.vega.patch(f"/agent{cast.task(began)}", {"status": "in_progress"})).ok()
        await watch.until(">1 assigned</a>")
    page = (await ada.get(path)).has(f'href="{cast.home}?assignee=agent:{cast.vega.id}"')
    page.lacks(f'id="open-{waiting["id"]}"')
    assert page.text.index(f'id="open-{began["id"]}"') < page.text.index(f'id="open-{seen["id"]}"')
    for one in (seen, began):
        await cast.put(one, status="done")
    (await ada.get(path)).has("It has not started its assigned tasks.", ">1 assigned</a>")
    await cast.put(waiting, status="done")
    (await ada.get(path)).lacks("Next:").has("It claims a task by itself")


async def test_extended_lease_updates_the_page(cast: Cast) -> None:
    ada, task = await visitor(cast.app, cast.ada), await cast.add_task()
    claim = (await cast.vega.post(f"/agent{cast.home}/claims", {"lease_seconds": 60})).ok()
    async with ada.watching(f"/agents/{cast.vega.id}/live?tab=overview") as watch:
        more = {"fence": claim["lease"]["fence"], "lease_seconds": 7200}
        extended = (await cast.vega.post(f"/agent{cast.task(task)}/lease", more)).ok()
        await watch.until(extended["lease"]["expires_at"][:16])


@pytest.mark.parametrize("who", ["agent", "board"])
async def test_page_shows_what_holds_the_agent_back(cast: Cast, who: str) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    home, name = (path, "Vega") if who == "agent" else (cast.home, "The board Telescope")
    async with ada.watching(f"{path}/live?tab=overview") as watch:
        await ada.post(f"{home}/work-state", {"state": "paused", "reason": "A <storm>"})
        text = await watch.until(f"{name} is paused")
        assert "A &lt;storm&gt;" in text and "Told to pause" in text
    await ada.post(f"{home}/work-state", {"state": "stopped"})
    (await ada.get(path)).has(f"{name} is stopped", "Told to stop")
    await ada.post(f"{home}/work-state", {"state": "running"})
    (await ada.get(path)).lacks("work-banner", "Told to stop")


async def test_pause_and_resume_buttons_alternate(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.get(path)).has('id="agent-turn"', "Pause Vega").lacks("Resume Vega")
    await ada.post(f"{path}/work-state", {"state": "stopped"})
    seen = (await ada.get(path)).has("Resume Vega", "Say why").lacks("Pause Vega", "Stop Vega")
    assert seen.text.count('data-key="p"') == 1


async def test_exceeded_budget_is_shown_as_the_reason_to_stop(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await cast.ada.post("/budgets", {"agent_id": str(cast.vega.id), "unit": "tokens", "limit": 10})).ok()
    async with ada.watching(f"{path}/live?tab=usage") as watch:
        (await cast.vega.post("/agent/usage", {"input_tokens": 10})).ok()
        text = await watch.until("is used up.")
        assert "Told to stop" in text and "10 of 10 tokens" in text


async def test_limits_are_changed_and_input_survives_a_refusal(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/limits"
    for name in ("Optics", "Night shift"):
        (await cast.ada.post("/tags", {"name": name})).ok()
    (await ada.with_htmx.get(path)).has("<dialog", 'value="optics"', 'value="night-shift"').lacks("checked")
    bad = (await ada.with_htmx.post(path, {"wip_limit": "0", "claim_tags": "optics"})).is_status(422)
    bad.has("Enter 1 or more.", 'value="0"', 'value="optics" checked')
    (await ada.with_htmx.post(path, {"wip_limit": "2", "claim_tags": ["optics", "night-shift"]})).is_status(204)
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.wip_limit, agent.claim_tags) == (2, ["optics", "night-shift"])
    (await ada.get(f"/agents/{cast.vega.id}")).has("0 of 2 tasks", "Optics", "Night shift")
    tag = next(one for one in (await cast.ada.get("/tags")).ok()["items"] if one["slug"] == "optics")
    (await cast.ada.delete(f"/tags/{tag['id']}")).ok()
    (await ada.get(path)).is_status(200).has("<!doctype html>", 'value="optics" checked')
    assert (await ada.post(path, {"wip_limit": ""})).leads_to == f"/agents/{cast.vega.id}"
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.wip_limit, agent.claim_tags) == (None, None)


def version_in(seen: Any) -> str:
    """The mark that a form carries of what its reader saw."""
    found = re.search(r'name="version" value="([^"]+)"', seen.text)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize(("form", "hers", "his", "now"), [
    ("edit", {"name": "Vega", "role": "Pilot"}, {"name": "Vega II", "role": "Twin"}, ["Twin"]),
    ("limits", {"wip_limit": "7"}, {"wip_limit": "2", "claim_tags": "optics"}, ["“2”", 'value="optics" checked']),
])  # fmt: skip
async def test_second_editor_sees_the_conflicting_change(
    cast: Cast, form: str, hers: dict[str, str], his: dict[str, str], now: list[str]
) -> None:
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    (await cast.ada.post("/tags", {"name": "Optics"})).ok()
    path = f"/agents/{cast.vega.id}/{form}"
    seen = version_in(await ada.with_htmx.get(path))
    (await ben.with_htmx.post(path, his | {"version": version_in(await ben.with_htmx.get(path))})).is_status(204)
    refused = (await ada.with_htmx.post(path, hers | {"version": seen})).is_status(409)
    refused.has("Somebody changed it to", "Saving replaces that.", *now)
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.name, agent.wip_limit) in (("Vega II", None), ("Vega", 2))
    (await ada.with_htmx.post(path, refused.form(path))).is_status(204)
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.name, agent.wip_limit, agent.claim_tags) in (("Vega II", None, None), ("Vega", 7, ["optics"]))


async def test_unrelated_change_is_no_conflict(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/limits"
    seen = version_in(await ada.with_htmx.get(path))
    (await cast.ben.patch(f"/agents/{cast.vega.id}", {"name": "Vega II"})).ok()
    (await ada.with_htmx.post(path, {"wip_limit": "7", "version": seen})).is_status(204)


async def test_open_page_reports_the_deleted_agent(cast: Cast) -> None:
    ada, ben, cleo = [await visitor(cast.app, one) for one in (cast.ada, cast.ben, cast.cleo)]
    path = f"/agents/{cast.vega.id}"
    async with ada.watching(f"{path}/live?tab=soul") as watch:
        (await cast.ben.delete(path)).ok()
        assert "signed-out" not in await watch.until("This agent is gone")
    async with ben.watching(f"{path}/live?tab=tokens&after=0") as later:
        await later.until("This agent is gone")
    (await cleo.get(f"{path}/live")).is_status(404)
    (await ada.get(path)).is_status(404)


@pytest.mark.parametrize(
    ("form", "typed"),
    [("edit", {"name": "Vega the second"}), ("limits", {"wip_limit": "7"}), ("soul/edit", {"soul": "Be <b>."}),
     ("tokens", {"name": "laptop of Ben"}), ("callback", {"url": "https://kept.example/"}),
     ("budgets", {"limit": "4321"})],
)  # fmt: skip
async def test_typed_text_survives_the_agents_deletion(cast: Cast, form: str, typed: dict[str, str]) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await cast.ben.delete(path)).ok()
    for browser in (ada, ada.with_htmx):
        seen = (await browser.post(f"{path}/{form}", typed)).is_status(404)
        seen.has(
            "was deleted while the page was open. Nothing was saved.",
            next(iter(typed.values())).replace("<b>", "&lt;b&gt;"),
        )


async def test_page_updates_for_two_viewers(cast: Cast) -> None:
    ada, ben, path = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben), f"/agents/{cast.vega.id}"
    async with ada.watching(f"{path}/live?tab=overview") as hers, ben.watching(f"{path}/live?tab=tokens") as his:
        await ben.post(f"{path}/edit", {"name": "Vega II", "role": "Twin"})
        for watch in (hers, his):
            assert "Vega II" in await watch.until("Twin")


async def test_events_of_other_agents_do_not_update_the_page(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    other = await hire(cast.app, cast.ada, cast.other_board, "Far away")
    async with ada.watching(f"/agents/{cast.vega.id}/live?tab=overview") as watch:
        (await other.post("/agent/heartbeat", {})).ok()
        await watch.until('hx-target="[data-online-count]"')
        (await cast.vega.post("/agent/heartbeat", {})).ok()
        assert (await watch.until('hx-target="#agent-head"')).count('hx-target="#agent-head"') == 1


@pytest.mark.parametrize("tab", TABS)
async def test_long_tabs_use_the_same_statements(cast: Cast, tab: str) -> None:
    ada, costs = await visitor(cast.app, cast.ada), []
    (await cast.vega.post("/agent/heartbeat", {})).ok()
    await _busy(cast, 1)
    for more in (0, 8):
        await _busy(cast, more)
        with counted() as found:
            (await ada.get(f"/agents/{cast.vega.id}{tab}")).is_status(200)
        costs.append(list(found))
    assert len(costs[0]) == len(costs[1]), "\n".join(costs[1])


async def _busy(cast: Cast, times: int) -> None:
    """So many runs, notices, reports, tokens and souls of Vega, and tasks in its hands."""
    for n in range(times):
        await cast.add_task(assigned_agent_id=str(cast.vega.id))
        claim = (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()
        work = {"fence": claim["lease"]["fence"], "summary": "Done.", "input_tokens": 5}
        (await cast.vega.post(f"/agent{cast.task(claim['task'])}/completions", work)).ok()
        await cast.add_task(assigned_agent_id=str(cast.vega.id))
        (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 3600})).ok()
        soul = {"content": f"Soul {clock.clock_now()} {n}", "reason": "Because."}
        path = f"/agent{cast.home}/agents/{cast.vega.id}/soul"
        (await cast.atlas.call("PUT", path, soul)).ok()
