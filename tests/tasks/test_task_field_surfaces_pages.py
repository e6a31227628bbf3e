"""Every field of a task is seen and typed wherever the table of fields says; a place that lacks it fails here."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from mission_control.tasks.fields import BY_NAME, EVERYWHERE, FIELDS, Surface, TaskField, shown_at
from tests.cast import Cast
from tests.tasks.test_bulk_pages import undo_in
from tests.tasks.test_task_fields import sample
from tests.visitor import visitor

# Plain fields that some surfaces leave out, with the reason.
LEFT_OUT = {
    "title": "it is what a card, a row and a line are; the words of a query search it",
    "description": "it is a text of its own in the panel; the words of a query search it",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A value that no new task has: as it is sent, as people type it, and as pages show it."""

    sent: dict[str, Any]
    typed: str
    shown: str


async def sample_of(cast: Cast, one: TaskField) -> Sample:
    match one.name:
        case "title":
            return Sample({"title": "Polish the mirror"}, "", "Polish the mirror")
        case "status":
            return Sample({"status": "review"}, "review", "Review")
        case "priority":
            return Sample({"priority": "high"}, "high", "High")
        case "due_at":
            return Sample({"due_at": "2031-03-14T23:59:00Z"}, "2031-03-14", "Fri 14 Mar 2031")
        case "not_before":
            return Sample({"not_before": "2031-03-14T22:00:00Z"}, "2031-03-14T22:00", "Fri 14 Mar 2031 22:00")
        case "assignee":
            return Sample({"assigned_agent_id": str(cast.vega.id)}, "vega", cast.vega.name)
        case "tags":
            tag = (await cast.ada.post("/tags", {"name": "sky"})).ok()
            return Sample({"tag_ids": [tag["id"]]}, "sky", "sky")
        case "parent_id":
            found = (await cast.ada.get(cast.tasks)).ok()["items"]
            parent = found[0] if found else await cast.add_task()
            return Sample({"parent_id": parent["id"]}, str(parent["number"]), f"#{parent['number']}")
        case "number" | "created_at" | "updated_at":
            return Sample({}, "", {"number": "#2"}.get(one.name, "<time"))
    value = sample(one)
    return Sample({one.name: value}, str(value), str(value))


async def two_tasks(cast: Cast, one: TaskField) -> tuple[Sample, dict[str, Any]]:
    """Make two tasks, of which the second has the sample."""
    await cast.add_task()
    given = await sample_of(cast, one)
    return given, await cast.add_task(**given.sent)


def named(place: Surface) -> list[str]:
    return [one.name for one in shown_at(place)]


def test_a_plain_field_is_everywhere_or_says_why_not() -> None:
    assert {one.name for one in FIELDS if one.is_plain and one.on != EVERYWHERE} == set(LEFT_OUT)


@pytest.mark.parametrize("name", named(Surface.CARD))
async def test_card_shows_the_field(cast: Cast, name: str) -> None:
    given, task = await two_tasks(cast, BY_NAME[name])
    page = (await (await visitor(cast.app, cast.ada)).get(cast.home)).text
    card = page.partition(f'id="task-{task["id"]}"')[2].partition("</li>")[0]
    assert given.shown in card


@pytest.mark.parametrize("name", named(Surface.TABLE))
async def test_table_has_a_column_and_lists_are_sorted_by_it(cast: Cast, name: str) -> None:
    one = BY_NAME[name]
    given, task = await two_tasks(cast, one)
    seen = await (await visitor(cast.app, cast.ada)).get(
        f"{cast.home}?view=table&columns={one.word}&columns=status&sort=-{one.word}"
    )
    if name != "number":  # it stands beside the title
        seen.has(f'id="sort-{one.word}"', one.label, 'aria-sort="descending"')
    assert given.shown in seen.text.partition(f'id="task-{task["id"]}"')[2].partition("</tr>")[0]
    greatest = (await cast.ada.get(f"{cast.tasks}?sort=-{name}")).ok()["items"][0]
    assert greatest["id"] == task["id"] or not given.sent or name == "title"


@pytest.mark.parametrize("name", named(Surface.PANEL))
async def test_panel_shows_and_changes_the_field(cast: Cast, name: str) -> None:
    one = BY_NAME[name]
    given, task = await two_tasks(cast, one)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(cast.task(task))).has(one.label, given.shown)
    (await (await visitor(cast.app, cast.dan)).get(cast.task(task))).has(one.label, given.shown)
    if one.form is None:
        return
    (await ada.get(f"{cast.home}/tasks/new")).has(f'name="{one.word}"')
    for url in (f"{cast.home}/tasks/new", f"{cast.task(await cast.add_task())}/changes"):
        (await ada.post(url, {"title": "A new one", one.word: given.typed}))
    found = (await cast.ada.get(f"{cast.tasks}?query={quote(f'{one.word}:{given.typed}')}")).ok()
    assert found["total"] == 3


@pytest.mark.parametrize("name", named(Surface.FILTER))
async def test_query_finds_the_field(cast: Cast, name: str) -> None:
    one = BY_NAME[name]
    given, task = await two_tasks(cast, one)
    ada = await visitor(cast.app, cast.ada)
    for word, ids in ((one.word, [task["id"]]), (f"-{one.word}", None)):
        found = (await cast.ada.get(f"{cast.tasks}?query={quote(f'{word}:{given.typed}')}")).ok()["items"]
        assert [each["id"] for each in found] == ids or (ids is None and task["id"] not in [e["id"] for e in found])
        (await ada.get(f"{cast.home}?q={quote(f'{word}:{given.typed}')}")).has(f"Remove {word}:", "1 of 2")
    if one.is_nullable or name in ("assignee", "tags"):
        found = (await cast.ada.get(f"{cast.tasks}?query={one.word}:none")).ok()["items"]
        assert len(found) == 1 and found[0]["id"] != task["id"]


@pytest.mark.parametrize("name", named(Surface.QUICK))
async def test_quick_add_takes_the_field_out_of_a_line(cast: Cast, name: str) -> None:
    one = BY_NAME[name]
    given = await sample_of(cast, one)
    line = {"text": f"Look {one.quick_sign}{given.typed} up"}
    made = (await cast.ada.post(f"{cast.tasks}/lines", line)).ok()
    assert made["title"] == "Look up"
    [field] = given.sent
    assert made[field] == given.sent[field]


@pytest.mark.parametrize("name", named(Surface.BULK))
async def test_many_tasks_get_the_field_and_lose_it_again(cast: Cast, name: str) -> None:
    one = BY_NAME[name]
    given, task = await sample_of(cast, one), await cast.add_task()
    [field] = given.sent
    change = {"changes": [{"task_id": task["id"], **given.sent}]}
    (await cast.ada.post(f"{cast.tasks}/changes", change)).ok()
    assert (await cast.ada.get(cast.task(task))).ok()[field] == given.sent[field]
    if not one.is_plain:
        return
    ada, task = (await visitor(cast.app, cast.ada)).with_htmx, await cast.add_task()
    form = {"task_ids": task["id"], "change": f"{one.word}:{given.typed}"}
    seen = (await ada.post(f"{cast.home}/tasks/bulk", form)).is_status(200)
    assert (await cast.ada.get(cast.task(task))).ok()[field] == given.sent[field]
    (await ada.post(f"{cast.home}/tasks/changes", {"changes": undo_in(seen)})).is_status(204)
    assert (await cast.ada.get(cast.task(task))).ok()[field] == task[field]
