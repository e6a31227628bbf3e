"""The query of a board, as people type it, through the API."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from mission_control.core import times
from tests.cast import Cast, ids

pytestmark = pytest.mark.dialect


async def numbers(cast: Cast, query: str) -> list[int]:
    """The numbers of the tasks that a query finds, in order."""
    answer = await cast.ada.get(f"{cast.tasks}?sort=number&query={quote(query)}")
    return [one["number"] for one in answer.ok()["items"]]


async def test_keys_narrow_and_other_words_search(cast: Cast) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Deep sky"})).ok()["id"]
    await cast.add_task(title="Polish the mirror", priority="urgent", assigned_agent_id=str(cast.vega.id))
    await cast.add_task(title="Oil the dome", assigned_user_id=str(cast.ada.id), tag_ids=[tag])
    await cast.add_task(title="Count stars", status="review")
    assert await numbers(cast, "") == [1, 2, 3]
    assert await numbers(cast, "priority:critical") == [1]
    assert await numbers(cast, "priority:critical,low mirror") == [1]
    assert await numbers(cast, "assignee:vega") == await numbers(cast, "assignee:VEGA polish") == [1]
    assert await numbers(cast, "assignee:me") == [2]
    assert await numbers(cast, "assignee:none") == await numbers(cast, "is:unassigned") == [3]
    assert await numbers(cast, "assignee:agent,none") == [1, 3]
    assert await numbers(cast, "-assignee:vega") == [2, 3]
    assert await numbers(cast, 'tag:"deep sky"') == await numbers(cast, "tag:deep-sky") == [2]
    assert await numbers(cast, "-tag:deep-sky dome") == []
    assert await numbers(cast, "status:review") == await numbers(cast, "needs:review") == [3]
    assert await numbers(cast, "is:open needs:person") == [3]


async def test_what_means_nothing_is_searched_for(cast: Cast) -> None:
    await cast.add_task(title="Read http://example.org/due:soon")
    await cast.add_task(title="Other", description="is:nothing and 100%")
    assert await numbers(cast, "http://example.org") == [1]
    assert await numbers(cast, "due:soon") == [1]
    assert await numbers(cast, "is:nothing") == [2]
    for odd in ('"', "-", ":", "a:", 'a:"', "due:", "tag:,", "due:<", "due:9999-99-99", "priority:''", "%", "-x:y"):
        await numbers(cast, odd)


async def test_due_days(cast: Cast) -> None:
    today = times.clock_now().replace(hour=12, minute=0, second=0, microsecond=0)
    days = {1: -1, 2: 0, 3: 1, 4: 10}
    for number, days_from_now in days.items():
        await cast.add_task(title=f"Task {number}", due_at=(today + timedelta(days=days_from_now)).isoformat())
    await cast.add_task(title="Never due")
    assert await numbers(cast, "due:today") == [2]
    assert await numbers(cast, "due:tomorrow") == [3]
    assert await numbers(cast, "due:<today") == [1]
    assert await numbers(cast, "due:<=today") == [1, 2]
    assert await numbers(cast, "due:>tomorrow") == [4]
    assert await numbers(cast, "due:none") == [5]
    assert 1 in await numbers(cast, "due:overdue")
    exact = (today + timedelta(days=10)).date().isoformat()
    assert await numbers(cast, f"due:{exact}") == await numbers(cast, f"due:>={exact}") == [4]
    assert await numbers(cast, "due:+10d") == [4]


async def test_values_of_custom_fields(cast: Cast) -> None:
    for key, kind, default in (("points", "integer", None), ("size", "text", "Small"), ("live", "boolean", None)):
        await cast.ada.post(
            "/organizations/me/custom-fields",
            {"field_key": key, "label": key, "field_type": kind, "default_value": default,
             "board_ids": [str(cast.board.id)]},
        )  # fmt: skip
    await cast.add_task(title="One", custom_field_values={"points": 1, "live": True})
    await cast.add_task(title="Two", custom_field_values={"points": 8, "size": "Very large"})
    await cast.add_task(title="Three points:8")
    assert await numbers(cast, "points:1") == [1]
    assert await numbers(cast, "points:>=2") == [2]
    assert await numbers(cast, "-points:8") == [1, 3]
    assert await numbers(cast, "points:none") == [3]
    assert await numbers(cast, 'size:"very large"') == [2]
    assert await numbers(cast, "size:small") == [1, 3]
    assert await numbers(cast, "live:yes") == [1]
    assert await numbers(cast, "POINTS:>9") == []


@pytest.mark.parametrize("given", ["needs_approval", "needs_review", "flagged"])
async def test_what_waits_for_people_is_a_filter_too(cast: Cast, given: str) -> None:
    waits = await cast.add_task(title="Waits", status="review")
    await cast.add_task(title="Goes on")
    await cast.ada.post(
        f"/boards/{cast.board.id}/approvals",
        {"action_type": "x", "task_id": waits["id"], "confidence": 50, "payload": {"reason": "Why."}},
    )
    found = (await cast.ada.get(f"{cast.tasks}?{given}=true")).ok()["items"]
    others = (await cast.ada.get(f"{cast.tasks}?{given}=false")).ok()["items"]
    assert ids(found) == ([] if given == "flagged" else [waits["id"]])
    assert len(found) + len(others) == 2


async def test_lists_are_sorted_by_more(cast: Cast) -> None:
    await cast.add_task(title="b", status="review")
    await cast.add_task(title="A", assigned_agent_id=str(cast.vega.id))
    await cast.add_task(title="c", assigned_agent_id=str(cast.atlas.id))
    for sort, wanted in (
        ("title", "A b c"), ("-title", "c b A"), ("status", "c A b"), ("assignee", "c A b"), ("-assignee", "A c b"),
    ):  # fmt: skip
        listed = (await cast.ada.get(f"{cast.tasks}?sort={sort}")).ok()["items"]
        found = " ".join(one["title"] for one in listed)
        assert found.split()[-1] == wanted.split()[-1] and set(found.split()) == set(wanted.split()), sort
