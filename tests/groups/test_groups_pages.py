"""Board groups as pages: the list, boards side by side, chat and notes, how often agents report, deleting."""

import re
from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.groups.models import BoardGroup
from mission_control.groups.page import in_words
from mission_control.memory.models import GroupMemory
from tests.cast import Cast
from tests.visitor import Seen, visitor


def live_of(seen: Seen) -> str:
    """The stream of a page."""
    [found] = re.findall(r'hx-sse:connect="([^"]+)"', seen.text)
    return str(found).replace("&amp;", "&")


async def a_group(cast: Cast, *boards: Board, **fields: Any) -> str:
    """A group of these boards; returns the address of its page."""
    new = {"name": "Night sky", "slug": "", "board_ids": [str(board.id) for board in boards], **fields}
    return f"/groups/{(await cast.ada.post('/board-groups', new)).ok()['id']}"


async def test_empty_list_says_what_a_group_is(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    (await ada.get("/groups")).is_status(200).has("No groups yet", "New group")
    (await cleo.get("/groups")).is_status(200).has("Owners and admins").lacks("New group")
    (await cleo.get("/groups/new")).is_status(403)


async def test_group_is_made_with_boards_and_shows_them(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/groups/new")).is_status(200).has(cast.board.name, cast.other_board.name)
    sent = {"name": "Night sky", "board_ids": [str(cast.board.id), str(cast.other_board.id)]}
    url = (await ada.post("/groups/new", sent)).leads_to
    (await ada.get(url)).is_status(200).has("Night sky", cast.board.name, cast.other_board.name)
    (await ada.get("/groups")).has("Night sky", cast.board.name)


async def test_refused_group_keeps_what_was_typed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    sent = {"name": " ", "description": "Stars", "board_ids": [str(cast.board.id)]}
    seen = (await ada.post("/groups/new", sent)).is_status(422).has("Stars", 'id="field-name-error"')
    assert re.search(rf'value="{cast.board.id}"[^>]* checked', seen.text)
    gone = {"name": "Sky", "board_ids": [str(cast.foreign_board.id)]}
    (await ada.post("/groups/new", gone)).is_status(422).has("no longer exists")
    assert not await BoardGroup.exists()


async def test_checklist_says_which_board_is_in_another_group(cast: Cast) -> None:
    await a_group(cast, cast.board, name="Planets")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/groups/new")).has("Now in Planets. Choosing it takes it out of there.")
    url = await a_group(cast)
    await ada.post(f"{url}/edit", {"name": "Night sky", "board_ids": [str(cast.board.id)]})
    assert str((await Board.get(id=cast.board.id)).board_group_id) in url


async def test_tasks_and_done_ones_are_chosen_in_the_address(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    for number in range(4):
        (await cast.ada.post(f"{cast.home}/tasks", {"title": f"Star {number}"})).ok()
    (await cast.ada.post(f"{cast.home}/tasks", {"title": "Old star", "status": "done"})).ok()
    ada = await visitor(cast.app, cast.ada)
    assert len(re.findall(r'id="group-task-', (await ada.get(f"{url}?tasks=3")).text)) == 3
    assert "group-task-" not in (await ada.get(f"{url}?tasks=0")).text
    (await ada.get(url)).lacks("Old star")
    (await ada.get(f"{url}?done=1")).has("Old star", "Hide done tasks")
    (await ada.get(f"{url}?tasks=9999&panel=x")).is_status(200)


async def test_new_task_and_new_board_come_live(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching(live_of(await ada.get(url))) as watch:
        (await cast.ada.post(f"{cast.home}/tasks", {"title": "Halley"})).ok()
        await watch.until("Halley")
        (await cast.ada.patch(f"/boards/{cast.other_board.id}", {"board_group_id": url[-36:]})).ok()
        await watch.until(cast.other_board.name)


async def test_reader_sees_their_boards_and_that_there_are_more(cast: Cast) -> None:
    url = await a_group(cast, cast.board, cast.other_board)
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    seen = (await dan.get(url)).is_status(200).has(cast.board.name, "1 more board is")
    seen.lacks(cast.other_board.name, "Edit the group", "How often agents are looked after")
    (await dan.get(f"{url}?panel=chat")).has("needs write access").lacks("<textarea")
    (await dan.get(f"{url}/edit")).is_status(403)
    (await dan.get(f"{url}/pace")).is_status(403)
    for part in ("", "/edit", "/pace", "/delete", "/live"):
        (await eve.get(url + part)).is_status(404)


async def test_message_to_a_group_comes_live(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    async with ada.watching(live_of(await ada.get(f"{url}?panel=chat"))) as watch:
        (await cleo.with_htmx.post(f"{url}/chat", {"content": "Clear tonight", "broadcast": "true"})).is_status(204)
        text = await watch.until("Clear tonight")
        assert cast.cleo.name in text and "to every agent" in text
    assert (await GroupMemory.get()).tags == ["chat", "broadcast"]


async def test_note_of_a_group_is_written_changed_and_deleted(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    ada = await visitor(cast.app, cast.ada)
    (await ada.post(f"{url}/memory", {"content": "Dark until four", "tags": "moon"})).is_status(303)
    entry = await GroupMemory.get()
    (await ada.get(f"{url}?panel=memory&memory_tag=moon")).has("Dark until four")
    (await ada.get(f"{url}/memory/{entry.id}/edit")).is_status(200).has("Dark until four")
    await ada.post(f"{url}/memory/{entry.id}/edit", {"content": "Dark until five", "tags": "moon"})
    (await ada.get(f"{url}?panel=memory")).has("Dark until five")
    await ada.post(f"{url}/memory/{entry.id}/deletion")
    assert not await GroupMemory.exists()


async def test_pace_is_applied_and_says_for_how_many(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{url}/pace")).is_status(200).has(cast.vega.name, "Every 10 minutes")
    (await ada.post(f"{url}/pace", {"every": "5m"})).is_status(200).has("2 agents are now looked after every 5 minutes")
    (await ada.post(f"{url}/pace", {"every": "other", "number": "", "unit": "h"})).is_status(422).has("Enter a number.")
    sent = {"every": "other", "number": "2", "unit": "h", "include_board_leads": "true"}
    (await ada.post(f"{url}/pace", sent)).has("3 agents are now looked after every 2 hours")
    assert (await Agent.get(id=cast.atlas.id)).heartbeat_config["every"] == "2h"


async def test_group_is_deleted_when_its_name_is_typed(cast: Cast) -> None:
    url = await a_group(cast, cast.board)
    ada = await visitor(cast.app, cast.ada)
    await ada.post(f"{url}/memory", {"content": "A note"})
    (await ada.get(f"{url}/delete")).is_status(200).has("1 board stays", "1 message or note is")
    (await ada.post(f"{url}/deletion", {"name": "Sky"})).is_status(422).has("Type the group")
    assert (await ada.post(f"{url}/deletion", {"name": "Night sky"})).leads_to == "/groups"
    assert not await BoardGroup.exists()


def test_intervals_in_words() -> None:
    assert [in_words(one) for one in ("30s", "1h", "0m", "odd")] == ["every 30 seconds", "every hour", "never", "odd"]


async def test_many_boards_of_a_group_are_searched(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    few = await a_group(cast, cast.board)
    (await ada.get(few)).lacks("Search the boards")
    made = [
        await Board.create(organization_id=cast.organization.id, name=f"Mirror {number}", slug=f"mirror-{number}")
        for number in range(8)
    ]
    await Board.filter(id=made[0].id).update(description="Made of beryllium")
    url = await a_group(cast, cast.board, *made, name="Many")
    seen = (await ada.get(f"{url}?tasks=3")).has("Search the boards", "Mirror 7", 'name="tasks" value="3"')
    found = await ada.get(f"{url}?tasks=3&q=BERYL")
    shown = found.text[found.text.index('id="group-boards"') :]
    assert "Mirror 0" in shown and "Mirror 1" not in shown
    found.has(f'href="{url}?tasks=5&amp;q=BERYL"', f'href="{url}?tasks=3&amp;done=1&amp;q=BERYL"')
    (await ada.get(f"{url}?q=%00nothing")).has("No board matches", "Show all boards")
    async with ada.watching(live_of(found)) as page:
        await cast.ada.patch(f"/boards/{made[1].id}", {"name": "Beryllium, too"})
        told = await page.until("Beryllium, too")
        boards = told[told.index('hx-target="#group-boards"') :].partition("</hx-partial>")[0]
        assert "Mirror 0" in boards and "Mirror 2" not in boards
    assert live_of(seen) != live_of(found)


async def test_boards_of_a_long_form_are_searched(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/groups/new")).lacks("data-narrow-lines")
    for number in range(8):
        await Board.create(organization_id=cast.organization.id, name=f"Mirror {number}", slug=f"mirror-{number}")
    (await ada.get("/groups/new")).has("data-narrow-lines", "Mirror 7")
