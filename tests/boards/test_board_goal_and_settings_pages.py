"""The goal and the live feed beside a board, its settings, and the list of boards."""

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from mission_control.boards.models import Board
from mission_control.boards.schemas import as_rows
from mission_control.core import times
from mission_control.gateway_agents.onboarding.chat_pages import time_left
from tests.cast import Cast
from tests.visitor import Seen, visitor


def live_of(seen: Seen) -> str:
    """The stream of a page."""
    [found] = re.findall(r'hx-sse:connect="([^"]+)"', seen.text)
    return str(found).replace("&amp;", "&")


async def typed(cast: Cast, **fields: Any) -> dict[str, Any]:
    """What the form of the settings sends."""
    board = await Board.get(id=cast.board.id)
    sent = {"name": board.name, "description": board.description, "max_agents": board.max_agents, "metrics": ""}
    return {**sent, "board_type": board.board_type, **fields}


async def test_goal_shows_metrics_date_and_progress_live(cast: Cast) -> None:
    goal = {"objective": "See **further**.", "success_metrics": {"new_stars": 5, "nights": {"clear": 3}}}
    target = (times.clock_now() + timedelta(days=9)).isoformat()
    (await cast.ada.patch(cast.home, {**goal, "target_date": target})).ok()
    task = await cast.add_task()
    dan, ada = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.ada)
    seen = (await ada.get(f"/boards/{cast.board.id}?panel=goal")).is_status(200)
    seen.has(
        "<strong>further</strong>", "new stars", "clear 3", "9 days left", "Not confirmed", "0 of 1 done", "/setup"
    )
    (await dan.get(f"/boards/{cast.board.id}?panel=goal")).has("needs write access").lacks("/setup")
    async with ada.watching(live_of(seen)) as watch:
        (await cast.ada.patch(cast.task(task), {"status": "done"})).ok()
        await watch.until("1 of 1 done, 100 %")


async def test_board_without_goal_says_what_one_is_for(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/boards/{cast.board.id}?panel=goal")).has("No goal yet", "Set a goal", "no tasks yet")


@pytest.mark.parametrize(("days", "words"), [(0, "today"), (1, "tomorrow"), (-1, "one day late"), (-3, "3 days late")])
def test_time_left_in_words(days: int, words: str) -> None:
    assert time_left(times.today(times.reader()) + timedelta(days=days)) == words


async def test_target_dates_are_days_where_the_reader_is(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"target_date": "2027-03-01T23:30:00Z"})).ok()
    ada, goal = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}?panel=goal"
    settings = f"/boards/{cast.board.id}/settings"
    there = {"America/New_York": ("1 Mar 2027", "2027-03-01"), "Asia/Tokyo": ("2 Mar 2027", "2027-03-02")}
    for zone, (shown, typed_day) in there.items():
        await ada.post("/settings/profile", {"name": "Ada", "timezone": zone})
        (await ada.get(goal)).has(shown)
        (await ada.get(settings)).has(f'value="{typed_day}"')
    day = times.clock_now().date() + timedelta(days=1)
    now = datetime.combine(day, time(15, 30))  # in New York noon has passed, in Tokyo the next day has begun
    late, midnight = f"{day}T23:30:00Z", f"{day + timedelta(days=1)}T00:00:00Z"
    with times.travelled(now - times.clock_now()):
        for zone, left, then in (
            ("America/New_York", "today", "tomorrow"),
            ("Asia/Tokyo", "today", "today"),
            ("Atlantic/Reykjavik", "today", "tomorrow"),
        ):
            await ada.post("/settings/profile", {"name": "Ada", "timezone": zone})
            (await cast.ada.patch(cast.home, {"target_date": late})).ok()
            (await ada.get(goal)).has(f">{left}<")
            (await cast.ada.patch(cast.home, {"target_date": midnight})).ok()
            (await ada.get(goal)).has(f">{then}<")


async def test_chosen_target_date_ends_where_its_reader_is(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    await ada.post("/settings/profile", {"name": "Ada", "timezone": "America/New_York"})
    (await ada.post(url, await typed(cast, target_date="2027-03-01"))).is_status(303)
    assert str((await Board.get(id=cast.board.id)).target_date) == "2027-03-02 04:59:00"
    (await ada.get(url)).has('value="2027-03-01"')
    (await ada.post(url, await typed(cast, target_date="2027-03-01", name="Renamed"))).is_status(303)
    assert str((await Board.get(id=cast.board.id)).target_date) == "2027-03-02 04:59:00"
    (await ada.post(url, await typed(cast, target_date=""))).is_status(303)
    assert (await Board.get(id=cast.board.id)).target_date is None


def test_metrics_as_rows() -> None:
    assert as_rows({"a_b": 5, "c": [1, "x"]}) == [("a b", "5"), ("c", "1, x")]


async def test_feed_beside_a_board_is_live_and_narrowed(cast: Cast) -> None:
    await cast.add_task(title="Polish the mirror")
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(f"/boards/{cast.board.id}?panel=feed")).is_status(200).has("Polish the mirror")
    async with ada.watching(live_of(seen)) as watch:
        await cast.add_task(title="Open the dome")
        assert "feed-beside-new" in await watch.until("Open the dome")
    narrowed = (await ada.get(f"/boards/{cast.board.id}?panel=feed&feed_kind=comments")).has('aria-current="true"')
    assert "Polish the mirror" not in narrowed.text.partition('id="aside-feed"')[2]
    assert "feed_kind=comments" in live_of(narrowed)


async def test_settings_hold_goal_group_and_metrics(cast: Cast) -> None:
    group = (await cast.ada.post("/board-groups", {"name": "Sky", "slug": ""})).ok()
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    (await ada.get(url)).is_status(200).has("Success metrics", "In no group", "Sky", "/settings/people", "/webhooks")
    goal = {"objective": "See further", "metrics": "Stars: 5\nNights: 3", "target_date": "2027-03-01"}
    assert (await ada.post(url, await typed(cast, **goal, board_group_id=group["id"]))).status == 303
    board = await Board.get(id=cast.board.id)
    assert board.success_metrics == {"Stars": "5", "Nights": "3"}
    assert (str(board.board_group_id), f"{board.target_date:%Y-%m-%d}") == (group["id"], "2027-03-01")
    sent = await typed(cast, **goal, metrics_json='{"Stars": 7}', board_group_id="")
    assert (await ada.post(url, sent)).status == 303
    board = await Board.get(id=cast.board.id)
    assert (board.success_metrics, board.board_group_id) == ({"Stars": 7}, None)


async def test_settings_hold_what_is_kept_of_sessions(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    (await ada.get(url)).has("What is kept of sessions", "Names of tools and files")
    (await ada.post(url, await typed(cast, session_detail="commands"))).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["session_detail"] == "commands"


async def test_settings_hold_the_brief_and_the_wait_for_an_agent(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"resume_after_seconds": 90, "brief": "Be *quiet*."})).ok()
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    (await ada.get(url)).has("How we work here", "Be *quiet*.", 'name="resume_after_minutes"', 'value="2"')
    (await ada.post(url, await typed(cast, brief="Be loud.", resume_after_minutes="2"))).is_status(303)
    board = await Board.get(id=cast.board.id)
    assert (board.brief, board.resume_after_seconds) == ("Be loud.", 90)
    (await ada.post(url, await typed(cast, brief="Be loud.", resume_after_minutes="30"))).is_status(303)
    assert (await Board.get(id=cast.board.id)).resume_after_seconds == 1800


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("metrics", "no colon", "a colon and how much"),
        ("metrics_json", "{", "This is not valid JSON."),
        ("metrics_json", "[1]", "Write an object"),
    ],
    ids=["line", "json", "no object"],
)
async def test_wrong_metrics_are_explained(cast: Cast, field: str, value: str, sentence: str) -> None:
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    seen = (await ada.post(url, await typed(cast, objective="Kept words", **{field: value}))).is_status(422)
    seen.has(sentence, "Kept words", f'id="field-{field}-error"')


async def test_goal_without_metrics_is_refused_when_it_is_chosen(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(board_type="general")
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/settings"
    (await ada.post(url, await typed(cast, board_type="goal"))).is_status(422).has("A board with a goal needs it")
    assert (await ada.post(url, await typed(cast))).status == 303


async def test_settings_name_no_group_that_is_out_of_reach(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(board_group_id=await group_named(cast, "Near"))
    await Board.filter(id=cast.other_board.id).update(board_group_id=await group_named(cast, "Far"))
    await group_named(cast, "Empty")
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    (await ada.get(f"{cast.home}/settings")).has(">Near<", ">Far<", ">Empty<")
    (await cleo.get(f"{cast.home}/settings")).has(">Near<").lacks(">Far<", ">Empty<")


async def group_named(cast: Cast, name: str) -> str:
    """The id of a new group."""
    return str((await cast.ada.post("/board-groups", {"name": name, "slug": name.lower()})).ok()["id"])


async def test_list_of_boards_is_searched(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/boards?q=tele")).has(f'id="board-{cast.board.id}"').lacks(f'id="board-{cast.other_board.id}"')
    seen = (await ada.get("/boards?q=nothing")).has("No board matches", "Show all boards")
    assert "q=nothing" in live_of(seen)


async def test_list_of_boards_is_ordered_as_asked(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    names = [one["name"] for one in (await cast.ada.get("/boards")).ok()["items"]]
    (await ada.get("/boards")).has(*[f"{name}</a></h2>" for name in names])
    for _ in range(3):
        (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Turn the dome"})).ok()
    for order in ("open", "changed"):
        page = await ada.get(f"/boards?order={order}")
        assert page.text.index(f'id="board-{cast.other_board.id}"') < page.text.index(f'id="board-{cast.board.id}"')
        assert f"order={order}" in live_of(page)
    assert (await ada.get("/boards?order=%00odd")).status == 200


async def test_board_is_created_in_a_group(cast: Cast) -> None:
    group = (await cast.ada.post("/board-groups", {"name": "Sky", "slug": ""})).ok()
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/boards/new?group={group['id']}")).has("Sky", "Work without an end")
    sent = {"name": "Radio", "board_group_id": group["id"], "board_type": "general"}
    assert (await ada.post("/boards", sent)).status == 303
    board = await Board.get(name="Radio")
    assert (str(board.board_group_id), board.board_type) == (group["id"], "general")
    (await ada.get("/boards")).has("Sky")
