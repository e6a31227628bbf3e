"""Lists of tasks: what is asked for, in which order, at which cost."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, ids, stamp
from tests.statements import cost
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


async def titles(cast: Cast, query: str, by: Any = None) -> list[str]:
    """The titles that a list shows."""
    listed = (await (by or cast.ada).get(f"{cast.tasks}?{query}")).ok()
    assert listed["total"] == len(listed["items"])
    return [one["title"] for one in listed["items"]]


async def test_words_are_found_in_title_and_description(cast: Cast) -> None:
    await cast.add_task(title="Grind the Mirror", description="100% by hand")
    await cast.add_task(title="Mirror stand", description=None)
    await cast.add_task(title="Paint", description="a_b\\c")
    assert await titles(cast, "q=mirror&sort=created_at") == ["Grind the Mirror", "Mirror stand"]
    assert await titles(cast, "q=HAND%20mirror") == ["Grind the Mirror"]
    assert await titles(cast, "q=%25") == ["Grind the Mirror"]
    assert await titles(cast, "q=_b") == await titles(cast, "q=a_b%5Cc") == ["Paint"]
    assert await titles(cast, "q=%232") == await titles(cast, "q=2") == ["Mirror stand"]
    assert await titles(cast, "q=moon") == []
    assert len(await titles(cast, "q=%20")) == 3
    await cast.add_task(title="ÜBER den Wolken", description="Für ALLE")
    assert await titles(cast, f"q={quote('über')}") == await titles(cast, f"q={quote('FÜR')}") == ["ÜBER den Wolken"]


async def test_tags_and_priorities_match_any_of_several(cast: Cast) -> None:
    tags = [(await cast.ada.post("/tags", {"name": name})).ok()["id"] for name in ("a", "b", "c")]
    await cast.add_task(title="A", tag_ids=tags[:1], priority="high")
    await cast.add_task(title="AB", tag_ids=tags[:2], priority="low")
    await cast.add_task(title="None")
    assert await titles(cast, f"tag_id={tags[0]}&sort=created_at") == ["A", "AB"]
    assert await titles(cast, f"tag_id={tags[1]}&tag_id={tags[2]}") == ["AB"]
    assert await titles(cast, f"tag_id={uuid4()}") == []
    assert await titles(cast, "priority=high&priority=low&sort=created_at") == ["A", "AB"]
    assert await titles(cast, f"tag_id={tags[0]}&priority=low&status=inbox&q=ab") == ["AB"]


async def test_filter_by_due_date_and_change(cast: Cast) -> None:
    await cast.add_task(title="Early", due_at="2026-12-01T10:00:00")
    await cast.add_task(title="Late", due_at="2026-12-02T10:00:00")
    old = await cast.add_task(title="Never")
    await cast.put(old, updated_at=stamp(-60))
    assert await titles(cast, "due_before=2026-12-02T10:00:00") == ["Early"]
    assert await titles(cast, "due_after=2026-12-02T10:00:00") == ["Late"]
    assert await titles(cast, "due_after=2026-12-01T12:00:00%2B02:00&due_before=2026-12-01T12:00:01%2B02:00") == [
        "Early"
    ]
    assert await titles(cast, f"updated_since={stamp(-30).isoformat()}&sort=created_at") == ["Early", "Late"]


async def test_filter_by_blocked_and_assignee(cast: Cast) -> None:
    first = await cast.add_task(title="First")
    done = await cast.add_task(title="Done", depends_on_task_ids=[first["id"]])
    await cast.put(done, status="done")
    await cast.add_task(title="Waits", depends_on_task_ids=[first["id"]])
    await cast.add_task(title="Cleo's", assigned_user_id=cast.cleo.id)
    await cast.add_task(title="Vega's", assigned_agent_id=cast.vega.id)
    assert await titles(cast, "blocked=true") == ["Waits"]
    assert sorted(await titles(cast, "blocked=false")) == ["Cleo's", "Done", "First", "Vega's"]
    assert await titles(cast, f"assigned_user_id={cast.cleo.id}") == ["Cleo's"]
    assert await titles(cast, f"assigned_agent_id={cast.vega.id}", cast.vega) == ["Vega's"]
    assert sorted(await titles(cast, "unassigned=true")) == ["Done", "First", "Waits"]
    (await cast.ada.delete(cast.task(first))).ok()
    assert await titles(cast, "blocked=true") == []


async def test_tasks_are_sorted(cast: Cast) -> None:
    moment = stamp()
    rows = [("b", "high", 2, 3.0), ("a", "low", None, 1.0), ("d", "urgent", 1, 2.0), ("c", "odd", 3, 4.0)]
    for at, (title, priority, due, position) in enumerate(rows):
        task = await cast.add_task(title=title, priority=priority)
        due_at = None if due is None else moment + timedelta(days=due)
        changed = moment - timedelta(minutes=at)
        await cast.put(task, due_at=due_at, position=position, updated_at=changed)
    orders = {
        "created_at": "badc", "-created_at": "cdab", "updated_at": "cdab", "-updated_at": "badc",
        "due_at": "dbca", "-due_at": "cbda", "priority": "cabd", "-priority": "dbac",
        "position": "adbc", "-position": "cbda",
    }  # fmt: skip
    for sort, wanted in orders.items():
        assert "".join(await titles(cast, f"sort={sort}")) == wanted, sort
    assert "".join(await titles(cast, "")) == "cdab"
    await Task.all().update(created_at=moment, priority="high")
    for sort in ("created_at", "priority", "-created_at"):
        pages = [(await cast.ada.get(f"{cast.tasks}?sort={sort}&limit=1&offset={at}")).ok()["items"] for at in range(4)]
        assert len({one["id"] for [one] in pages}) == 4


async def test_statement_does_not_depend_on_the_rows(cast: Cast) -> None:
    queries = [
        "", "q=a", "blocked=false&sort=-priority", "archived=true&sort=position", "updated_since=2020-01-01",
    ]  # fmt: skip

    async def costs() -> list[int]:
        return [await cost(cast.vega, f"{cast.tasks}?{one}") for one in queries]

    waits_for = await cast.add_task(title="a")
    for_one = await costs()
    for _ in range(49):
        await cast.add_task(title="a", depends_on_task_ids=[waits_for["id"]])
    assert await costs() == for_one
    assert len(ids((await cast.ada.get(cast.tasks)).ok()["items"])) == 50


@pytest.mark.parametrize("sent", ["urgent", "Highest", " critical "])
async def test_urgent_means_critical_everywhere(cast: Cast, sent: str) -> None:
    task = await cast.add_task(title="Now", priority=sent)
    assert task["priority"] == "critical"
    other = await cast.add_task(title="Someday", priority="Someday")
    assert other["priority"] == "Someday"
    assert (await cast.ada.patch(cast.task(other), {"priority": "normal"})).ok()["priority"] == "medium"
    await Task.filter(id=task["id"]).update(priority=sent.strip())  # as rows of before may be
    for wanted in ("critical", "urgent", "highest"):
        assert await titles(cast, f"priority={wanted}") == ["Now"]
        ada = await visitor(cast.app, cast.ada)
        seen = await ada.get(f"{cast.home}/cards?priority={wanted}")
        assert seen.text.count('class="card"') == 1
        seen.has("Now", "Critical priority")
    [listed] = (await cast.ada.get(f"{cast.tasks}?q=now")).ok()["items"]
    assert listed["priority"] == "critical"
    assert await titles(cast, "priority=medium") == ["Someday"]


async def test_unknown_priority_is_shown_as_medium_with_its_word(cast: Cast) -> None:
    await cast.add_task(title="Odd", priority="P2")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(cast.home)).has('title="P2 priority"')


@pytest.mark.parametrize("query", ["safari fix", "fix SAFARI", "#1", "1", "100%", "a_b", "über", "nothing"])
async def test_board_page_and_api_find_the_same(cast: Cast, query: str) -> None:
    for title in ("Fix the login on Safari", "Safari 100% a_b", "Über 1"):
        await cast.add_task(title=title)
    found = await titles(cast, f"q={quote(query)}")
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(f"{cast.home}/cards?q={quote(query)}")
    assert seen.text.count('class="card"') == len(found)
    seen.has(*found)
