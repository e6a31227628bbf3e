"""Pausing, stopping and resuming with one click: on the board, in the list of agents, and for everybody."""

from typing import Any

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.people.models import Organization
from tests.cast import Cast
from tests.visitor import visitor


def path_of(cast: Cast, who: str) -> str:
    """Where the buttons of Vega, of the board, or of the organization lead."""
    home = {"agent": f"/agents/{cast.vega.id}", "board": cast.home, "organization": "/organization"}[who]
    return f"{home}/work-state"


async def state(cast: Cast, who: str) -> tuple[str, str | None]:
    found: Any = {
        "agent": Agent.get(id=cast.vega.id),
        "board": Board.get(id=cast.board.id),
        "organization": Organization.get(id=cast.organization.id),
    }[who]
    thing = await found
    return thing.work_state, thing.work_state_reason


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
async def test_pause_and_resume_take_one_click_each(cast: Cast, who: str) -> None:
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    path = path_of(cast, who)
    seen = (await ada.post(path, {"state": "paused"})).is_status(204)
    assert await state(cast, who) == ("paused", None)
    toast = orjson.loads(seen.headers["HX-Trigger"])["toast"]
    assert "paused" in toast["message"]
    assert toast["undo"] == {"action": path, "fields": {"state": "running", "reason": "", "expects": "paused"}}
    await ada.post(path, {"state": "stopped", "reason": "Storm"})
    (await ada.post(path, toast["undo"]["fields"])).is_status(409).has("it is stopped now")
    assert await state(cast, who) == ("stopped", "Storm")
    seen = await ada.post(path, {"state": "running"})
    undo = orjson.loads(seen.headers["HX-Trigger"])["toast"]["undo"]
    assert await state(cast, who) == ("running", None)
    await ada.post(undo["action"], undo["fields"])
    assert await state(cast, who) == ("stopped", "Storm")


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
async def test_reason_is_asked_for_afterwards(cast: Cast, who: str) -> None:
    ada, path = await visitor(cast.app, cast.ada), path_of(cast, who)
    await ada.post(path, {"state": "paused"})
    (await ada.with_htmx.get(path)).is_status(200).has("<dialog", "paused?").lacks("<!doctype")
    (await ada.get(path)).is_status(200).has("<!doctype html>", "paused?")
    long = (await ada.with_htmx.post(path, {"state": "paused", "reason": "x" * 501})).is_status(422)
    long.has("<dialog", "Use at most 500 characters.")
    (await ada.post(path, {"state": "paused", "reason": "x" * 501})).is_status(422).has("<!doctype html>", "500")
    (await ada.with_htmx.post(path, {"state": "paused", "reason": "Night"})).is_status(204)
    assert await state(cast, who) == ("paused", "Night")
    (await ada.post(path, {"state": "asleep"})).is_status(422)


@pytest.mark.parametrize("who", ["agent", "board", "organization"])
async def test_stop_dialog_lists_returned_tasks_and_changes_nothing(cast: Cast, who: str) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"{path_of(cast, who)}?to=stopped"
    (await ada.get(path)).has("<!doctype html>", "No task is in progress.", "Cancel")
    task = (await cast.ada.post(f"/boards/{cast.board.id}/tasks", {"title": "Track a comet"})).ok()
    (await cast.vega.patch(f"/agent/boards/{cast.board.id}/tasks/{task['id']}", {"status": "in_progress"})).ok()
    where = "#1 of Telescope" if who == "organization" else "#1"
    dialog = (await ada.with_htmx.get(path)).has("<dialog", f"{where} goes back to the inbox.", 'value="stopped"')
    dialog.has({"agent": "Stop Vega?", "board": "agents?", "organization": "agents?"}[who]).lacks("<!doctype")
    assert await state(cast, who) == ("running", None)


async def test_pause_without_javascript_redirects_back(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    there = {"Referer": "http://localhost/agents?x=1"}
    assert (await ada.post(path_of(cast, "agent"), {"state": "paused"}, **there)).leads_to == "/agents?x=1"
    elsewhere = {"Referer": "https://evil.example/agents"}
    assert (await ada.post(path_of(cast, "board"), {"state": "paused"}, **elsewhere)).leads_to == cast.home
    assert (await ada.post(path_of(cast, "organization"), {"state": "paused"})).leads_to == "/boards"


async def test_buttons_depend_on_rights(cast: Cast) -> None:
    ada, cleo, dan = [await visitor(cast.app, one) for one in (cast.ada, cast.cleo, cast.dan)]
    for person in (ada, cleo):
        await person.post(path_of(cast, "board"), {"state": "running"})
        (await person.get(cast.home)).has("Pause Telescope", "Stop Telescope")
        for who in ("board", "agent"):
            (await person.post(path_of(cast, who), {"state": "paused"})).is_status(303)
    (await dan.get(cast.home)).has("This board is paused").lacks("Resume Telescope", "Say why")
    (await ada.get(cast.home)).has("Pause all agents")
    (await cleo.get(cast.home)).lacks("Pause all agents")
    for who in ("agent", "board", "organization"):
        (await dan.get(path_of(cast, who))).is_status(403)
    assert await state(cast, "board") == ("paused", None)


async def test_board_state_updates_all_viewers(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await dan.get(cast.home)).lacks("work-banner")
    async with dan.watching(f"{cast.home}/live") as watch:
        await ada.post(path_of(cast, "board"), {"state": "stopped", "reason": "A <storm>"})
        text = await watch.until("This board is stopped")
        assert "A &lt;storm&gt;" in text and "Resume" not in text
    (await ada.get(cast.home)).has("This board is stopped", "A &lt;storm&gt;", "Resume Telescope", "Change the reason")


async def test_every_page_shows_that_all_agents_are_held(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    async with ada.watching("/settings/live") as mine, cleo.watching(f"{cast.home}/live") as hers:
        await ada.post(path_of(cast, "organization"), {"state": "paused", "reason": "Audit"})
        text = await mine.until('hx-target="#more-work"')
        assert "All agents are paused" in text and "Resume all agents" in text and "Pause all agents" not in text
        assert "Resume all agents" not in await hers.until("All agents are paused")
    for path in ("/settings", "/agents", "/boards", cast.home, "/approvals"):
        (await ada.get(path)).has("All agents are paused", "Audit")
    await ada.post(path_of(cast, "organization"), {"state": "running"})
    (await ada.get("/settings")).lacks("All agents are paused")


async def test_agent_list_shows_states_and_buttons(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/agents")).has("Pause Vega", "Stop Vega", "Pause Dome").lacks("Resume Vega")
    async with ada.watching("/agents/live") as watch:
        await ada.post(path_of(cast, "agent"), {"state": "paused", "reason": "Too fast"})
        assert "Too fast" in await watch.until("Resume Vega")
    await ada.post(path_of(cast, "board"), {"state": "stopped"})
    (await ada.get("/agents")).has("Resume Vega", "Resume Telescope", "Stopped").lacks("Pause Telescope")


async def test_activity_names_who_paused_what_and_why(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await ada.post(path_of(cast, "agent"), {"state": "paused", "reason": "Too fast"})
    await ada.post(path_of(cast, "board"), {"state": "stopped"})
    await ada.post(path_of(cast, "board"), {"state": "running"})
    (await ada.get("/activity")).has("Too fast", "resumed", "stopped")
