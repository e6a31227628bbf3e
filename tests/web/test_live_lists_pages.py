"""Lists of the settings are live: what others change comes in the order and with the filters of the address."""

from typing import Any

import pytest

from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobResult
from mission_control.people.models import Member
from tests.cast import Cast
from tests.people.test_jobs_pages import job_of
from tests.visitor import visitor
from tests.web.test_missed_signals_pages import stream_of

URL = "https://github.com/observatory/skills"
TAG = {"name": "Weather", "slug": "weather", "color": "112233"}
FIELD = {"field_key": "hull", "label": "Hull", "field_type": "text"}
CHANGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "/settings/tags?order=tasks": ("/tags", TAG, "Weather"),
    "/settings/custom-fields": ("/organizations/me/custom-fields", FIELD, "Hull"),
    "/settings/skills?q=star": ("/skills/marketplace", {"source_url": f"{URL}/tree/main/star"}, "star"),
    "/settings/skills/packs": ("/skills/packs", {"source_url": URL, "name": "Sky"}, "Sky"),
}


def field(cast: Cast) -> dict[str, Any]:
    """A new custom field of the board."""
    return FIELD | {"board_ids": [str(cast.board.id)]}


@pytest.mark.parametrize("path", CHANGES)
async def test_what_somebody_makes_comes_into_an_open_list(cast: Cast, path: str) -> None:
    ada, (to, new, name) = await visitor(cast.app, cast.ada), CHANGES[path]
    live = stream_of((await ada.get(path)).is_status(200).text)
    async with ada.watching(live) as watch:
        (await cast.ben.post(to, field(cast) if new is FIELD else new)).ok()
        found = await watch.until('hx-target="#things"')
    assert name in found.partition('hx-target="#things"')[2]


async def test_live_list_keeps_its_filter(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    live = stream_of((await ada.get("/settings/skills?q=moon")).text)
    async with ada.watching(live) as watch:
        for name in ("star", "moon"):
            (await cast.ada.post("/skills/marketplace", {"source_url": f"{URL}/tree/main/{name}"})).ok()
        found = await watch.until("/tree/main/moon")
    assert "/tree/main/star" not in found


async def test_count_of_a_tag_is_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    tag = (await cast.ada.post("/tags", TAG)).ok()
    async with ada.watching(stream_of((await ada.get("/settings/tags")).has("Weather", "0 tasks").text)) as watch:
        (await cast.ada.post(f"/boards/{cast.board.id}/tasks", {"title": "Look", "tag_ids": [tag["id"]]})).ok()
        await watch.until("1 task")


async def test_sync_of_packs_ends_on_their_page(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    job = await job_of(cast, cast.ada)
    page = (await ada.get("/settings/skills/packs")).has("Sync Sky: running").text
    async with ada.watching(stream_of(page)) as watch:
        await jobs.end(job.id, cast.organization.id, "done", result=JobResult(summary="40 skills.", url="/x"))
        await watch.until("Sync Sky: 40 skills.")


async def test_list_ends_with_the_right_to_read_it(cast: Cast) -> None:
    ben = await visitor(cast.app, cast.ben)
    member = await Member.get(user_id=cast.ben.id, organization_id=cast.organization.id)
    async with ben.watching(stream_of((await ben.get("/settings/skills")).is_status(200).text)) as watch:
        (await cast.ada.patch(f"/organizations/me/members/{member.id}", {"role": "member"})).ok()
        (await cast.ada.post("/skills/marketplace", {"source_url": f"{URL}/tree/main/star"})).ok()
        await watch.until("event: signed-out")
    assert "star" not in watch.text


async def test_refused_move_shows_the_list_without_its_stream(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await cast.ada.post("/organizations/me/custom-fields", field(cast))).ok()
    seen = (await ada.post("/settings/custom-fields/order", {"ids": "nonsense"})).text
    assert "/settings/custom-fields/live" not in seen


async def test_trash_and_archive_are_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    task = await cast.add_task(title="Polish the mirror")
    dome = {"name": "Dome", "slug": "dome", "description": "It turns."}
    board = (await cast.ada.post("/boards", dome)).ok()
    async with ada.watching(stream_of((await ada.get("/settings/trash/tasks")).has("No deleted tasks").text)) as watch:
        (await cast.ben.delete(f"/boards/{cast.board.id}/tasks/{task['id']}")).ok()
        await watch.until("Polish the mirror")
    async with ada.watching(stream_of((await ada.get("/settings/trash")).has("No deleted boards").text)) as watch:
        (await cast.ben.delete(f"/boards/{board['id']}")).ok()
        assert 'hx-target="#things"' in await watch.until("Restore Dome")
