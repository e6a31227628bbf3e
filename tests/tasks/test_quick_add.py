"""A task in one line, and the places of a column."""

from datetime import timedelta

import pytest

from mission_control.core import times
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def test_signs_are_taken_and_the_rest_is_the_title(cast: Cast) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Deep sky"})).ok()["id"]
    made = (
        await cast.cleo.post(f"{cast.tasks}/lines", {"text": 'Oil @VEGA the #"deep sky" dome !urgent due:tomorrow'})
    ).ok()
    assert (made["title"], made["assigned_agent_id"]) == ("Oil the dome", str(cast.vega.id))
    assert (made["priority"], made["tag_ids"], made["status"]) == ("critical", [tag], "inbox")
    tomorrow = (times.clock_now() + timedelta(days=1)).date().isoformat()
    assert made["due_at"].startswith(f"{tomorrow}T23:59")
    person = (await cast.cleo.post(f"{cast.tasks}/lines", {"text": "Call @cleo #deep-sky", "status": "review"})).ok()
    assert (person["assigned_user_id"], person["status"], person["tag_ids"]) == (str(cast.cleo.id), "review", [tag])


@pytest.mark.parametrize("text", [
    "Mail to a@b.org", "Fix #12 and #nothing", "Ask @nobody", "Wow! !really", "due:someday", "@vega", "!high",
    "Price#shop due: now", "Émile !",
])  # fmt: skip
async def test_what_matches_nothing_stays_in_the_title(cast: Cast, text: str) -> None:
    made = (await cast.cleo.post(f"{cast.tasks}/lines", {"text": text})).ok()
    assert made["title"] == text
    assert (made["assigned_agent_id"], made["priority"], made["due_at"]) == (None, "medium", None)


async def test_ambiguous_and_second_names_stay(cast: Cast) -> None:
    made = (await cast.cleo.post(f"{cast.tasks}/lines", {"text": "Plan @vega @cleo !high !low"})).ok()
    assert made["title"] == "Plan @cleo !low"
    (await cast.cleo.post(f"{cast.tasks}/lines", {"text": " "})).refused(422)
    (await cast.cleo.post(f"{cast.tasks}/lines", {"text": "x", "strange": 1})).refused(422)


async def test_cards_move_by_place(cast: Cast) -> None:
    made = {title: await cast.add_task(title=title) for title in "dcba"}

    async def order(title: str, place: str, status: str = "inbox") -> str:
        (await cast.cleo.post(f"{cast.task(made[title])}/moves", {"status": status, "place": place})).ok()
        listed = (await cast.ada.get(f"{cast.tasks}?status={status}&sort=position")).ok()["items"]
        return "".join(one["title"] for one in listed)

    assert await order("a", "bottom") == "bcda"
    assert await order("a", "up") == "bcad"
    assert await order("b", "down") == "cbad"
    assert await order("d", "top") == "dcba"
    assert await order("d", "up") == await order("a", "down") == "dcba"
    assert await order("a", "bottom", "review") == "a"
    assert await order("c", "bottom", "review") == "ac"
    (await cast.cleo.post(f"{cast.task(made['a'])}/moves", {"status": "inbox", "place": "aside"})).refused(422)
