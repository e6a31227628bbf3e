"""Several tasks at once on a board's page: changed, refused with a reason, and as before."""

import html
import re

from tests.cast import Cast, ids
from tests.visitor import Seen, visitor


def undo_in(seen: Seen) -> str:
    """The changes that the answer offers to take back."""
    found = re.search(r'name="changes" value="([^"]*)"', seen.text)
    assert found is not None, seen.text
    return html.unescape(found[1])


async def columns(cast: Cast) -> list[tuple[str, str]]:
    """The titles of a board with their columns, in order."""
    found = (await cast.ada.get(f"{cast.tasks}?sort=position")).ok()["items"]
    return sorted(((one["status"], one["title"]) for one in found), key=lambda pair: pair[0])


async def test_selected_tasks_move_and_come_back_in_their_order(cast: Cast) -> None:
    tasks = [await cast.add_task(title=title) for title in "abcd"]
    before = await columns(cast)
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    form = {"task_ids": ids(tasks[1:3]), "change": "move:review"}
    seen = (await ada.post(f"{cast.home}/tasks/bulk", form)).is_status(200)
    seen.has("2 tasks moved to Review", 'hx-target="#bulk-result"')
    assert {pair for pair in await columns(cast) if pair[0] == "review"} == {("review", "b"), ("review", "c")}
    (await ada.post(f"{cast.home}/tasks/changes", {"changes": undo_in(seen)})).is_status(204)
    assert await columns(cast) == before


async def test_every_change_is_taken_back(cast: Cast) -> None:
    tag, has = [(await cast.ada.post("/tags", {"name": name})).ok()["id"] for name in ("sky", "sea")]
    cleo, due = str(cast.cleo.id), "2026-12-01T10:00:00"
    task = await cast.add_task(priority="low", assigned_user_id=cleo, due_at=due, tag_ids=[has])
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    for change in (
        f"assign:agent:{cast.vega.id}", "assign:", "priority:critical", "due:fri", "due:none",
        f"tag:{tag}", f"untag:{has}", "delete",
    ):  # fmt: skip
        seen = (await ada.post(f"{cast.home}/tasks/bulk", {"task_ids": task["id"], "change": change})).is_status(200)
        assert "1 task" in seen.text, change
        (await ada.post(f"{cast.home}/tasks/changes", {"changes": undo_in(seen)})).is_status(204)
        now = (await cast.ada.get(cast.task(task))).ok()
        for name in ("priority", "assigned_user_id", "assigned_agent_id", "due_at", "tag_ids", "status"):
            assert now[name] == task[name], (change, name)


async def test_refused_tasks_say_why_and_the_others_change(cast: Cast) -> None:
    ready = await cast.add_task(title="Ready")
    waits = await cast.add_task(title="Waits <long>", depends_on_task_ids=[(await cast.add_task())["id"]])
    ada = await visitor(cast.app, cast.ada)
    form = {"task_ids": ids([ready, waits]), "change": "move:in_progress"}
    seen = (await ada.with_htmx.post(f"{cast.home}/tasks/bulk", form)).is_status(200)
    seen.has("1 task moved to In progress", "1 task could not change", "Waits &lt;long&gt;", waits["id"])
    plain = (await ada.post(f"{cast.home}/tasks/bulk", {**form, "task_ids": ids([waits])})).is_status(200)
    plain.has("nothing was changed", "Back to the board")
    done = await ada.post(f"{cast.home}/tasks/bulk", {"task_ids": ids([ready]), "change": "priority:low"})
    assert done.leads_to == cast.home


async def test_odd_changes_are_refused(cast: Cast) -> None:
    task = (await cast.add_task())["id"]
    ada = await visitor(cast.app, cast.ada)
    for form in (
        {"change": "delete"}, {"task_ids": task}, {"task_ids": task, "change": "paint"},
        {"task_ids": task, "change": "due:"}, {"task_ids": "x", "change": "delete"},
        {"task_ids": task, "change": "move:moon"}, {"task_ids": task, "change": "tag:x"},
    ):  # fmt: skip
        (await ada.post(f"{cast.home}/tasks/bulk", form)).is_status(422)
    (await ada.post(f"{cast.home}/tasks/changes", {"changes": "nonsense"})).is_status(422)
    (await (await visitor(cast.app, cast.dan)).post(f"{cast.home}/tasks/bulk", {"task_ids": task, "change": "delete"})
     ).is_status(403)  # fmt: skip


async def test_bar_is_offered_to_those_who_may_change(cast: Cast) -> None:
    await cast.add_task()
    (await (await visitor(cast.app, cast.ada)).get(cast.home)).has('id="bulk"', 'form="bulk"', "Vega")
    (await (await visitor(cast.app, cast.dan)).get(cast.home)).lacks('id="bulk"', 'form="bulk"')
