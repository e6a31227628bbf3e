"""Tasks as pages: added, opened, moved, written, changed, talked about, linked, deleted and restored."""

import asyncio
import json

import pytest

from mission_control.approvals.models import Approval
from mission_control.core.text import markdown
from mission_control.tasks.forms import TextForm
from mission_control.tasks.models import Comment, Task
from tests.cast import Cast, head, kinds
from tests.visitor import visitor


async def test_add_move_and_comment_with_plain_forms(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(cast.tasks, {"title": "Align the finder", "status": "inbox"})).is_status(303)
    task = await Task.get(title="Align the finder")
    assert (await cleo.post(f"{cast.task(task)}/moves", {"status": "in_progress"})).leads_to == cast.home
    (await cleo.post(f"{cast.task(task)}/comments", {"message": "Two degrees off"})).is_status(303)
    assert (await Task.get(id=task.id)).status == "in_progress"
    (await cleo.get(cast.task(task))).is_status(200).has("Two degrees off", "Align the finder", "Cleo")


async def test_rendering_yields_between_comments(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await cast.add_task(description="What to **do**")
    for number in range(20):
        (await cast.vega.post(f"{cast.task(task)}/comments", {"message": f"Report **{number}**"})).ok()
    read, turns = markdown.render, 0
    read_in: dict[str, int] = {}

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def reading(text: str, names: tuple[str, ...] = ()) -> str:
        read_in.setdefault(text, turns)
        return read(text, names)

    monkeypatch.setattr(markdown, "render", reading)
    cleo = await visitor(cast.app, cast.cleo)
    waiting = asyncio.create_task(others())
    (await cleo.get(cast.task(task))).has("Report <strong>19</strong>")
    waiting.cancel()
    assert len(set(read_in.values())) == len(read_in) == 21


async def test_empty_title_is_refused(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(cast.tasks, {"title": "  "})).is_status(422).has("Title")
    assert await Task.all().count() == 0


async def test_task_without_a_title_can_be_opened(cast: Cast) -> None:
    task = (await cast.cleo.post(f"{cast.home}/tasks", {"title": " "})).ok()
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(cast.home)).has(">Untitled</a></h3>")
    (await cleo.get(cast.task(task))).has(">Untitled</h2>")


async def test_move_can_be_undone_with_its_assignee(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=str(cast.vega.id))
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    moved = (await cleo.post(f"{cast.task(task)}/moves", {"status": "inbox"})).is_status(204)
    undo = json.loads(moved.headers["HX-Trigger"])["toast"]["undo"]
    assert (await Task.get(id=task["id"])).assigned_agent_id is None
    (await cleo.post(undo["action"], undo["fields"])).is_status(204)
    back = await Task.get(id=task["id"])
    assert (back.status, back.assigned_agent_id) == ("in_progress", cast.vega.id)


async def test_refused_move_explains_and_shows_the_facts(cast: Cast) -> None:
    await cast.rule(require_review_before_done=True)
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    seen = (await cleo.post(f"{cast.task(task)}/moves", {"status": "done"})).is_status(409)
    seen.has("data-reason", "only after review", f"#task-{task['id']}-panel-facts")


async def test_moving_to_done_offers_to_approve_and_finish(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task, other = await cast.add_task(title="Paint & <varnish>"), await cast.add_task()
    await cast.put(other, status="done")
    cleo = await visitor(cast.app, cast.cleo)
    where, form = f"{cast.task(task)}/moves", {"status": "done", "after_task_id": other["id"]}
    offer = (await cleo.with_htmx.post(where, form)).is_status(409)
    offer.has('hx-target="#dialogs"', "Approve and finish", "Paint &amp; &lt;varnish&gt;", f'value="{other["id"]}"')
    offer.has(f"#task-{task['id']}-panel-facts").lacks("data-reason")
    page = (await cleo.post(where, form)).is_status(409).has("<!doctype html>", "Approve and finish", 'name="approve"')
    assert page.text.count("autofocus") >= 1 and (await Task.get(id=task["id"])).status == "inbox"
    before = await head(cast)
    answer = (await cleo.with_htmx.post(where, form | {"approve": "true"})).is_status(204)
    assert "approved and moved to Done" in answer.headers["HX-Trigger"]
    done = await Task.get(id=task["id"])
    assert (done.status, done.position > (await Task.get(id=other["id"])).position) == ("done", True)
    approval = await Approval.get()
    assert (approval.action_type, approval.decision, approval.resolved_by_kind) == ("task.finish", "approved", "user")
    assert approval.resolved_by_user_id == approval.requested_by_user_id == cast.cleo.id
    found = await kinds(cast, before)
    assert [kind for kind, _ in found][:2] == ["approval.requested", "task.status_changed"]
    (await cleo.get(cast.task(task))).is_status(200).has("approved:", "Finish this task").lacks("% sure")
    (await cast.cleo.patch(cast.task(task), {"status": "inbox"})).ok()
    refused = (await cast.cleo.patch(cast.task(task), {"status": "done"})).refused(409)
    assert refused["code"] == "task_approval_required"


async def test_approve_and_finish_decides_the_pending_request(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    await cast.put(task, status="review")
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    cleo = await visitor(cast.app, cast.cleo)
    form = {"status": "done", "approve": "true"}
    (await cleo.post(f"{cast.task(task)}/moves", form)).is_status(303)
    approval = await Approval.get()
    assert (str(approval.id), approval.status, approval.resolved_by_user_id) == (asked["id"], "approved", cast.cleo.id)
    assert (await Task.get(id=task["id"])).status == "done"


async def test_approve_and_finish_is_refused_as_a_whole(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True, require_review_before_done=True)
    task, before = await cast.add_task(), await head(cast)
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    form = {"status": "done", "approve": "true"}
    (await cleo.with_htmx.post(f"{cast.task(task)}/moves", form)).is_status(409).has("only after review")
    (await dan.post(f"{cast.task(task)}/moves", form)).is_status(403)
    assert await Approval.all().count() == 0 and await head(cast) == before


async def test_strangers_find_no_task(cast: Cast) -> None:
    (await (await visitor(cast.app, cast.eve)).get(cast.task(await cast.add_task()))).is_status(404)


async def test_title_and_description_are_edited_in_place(cast: Cast) -> None:
    task = await cast.add_task(description="Old **words**")
    cleo = await visitor(cast.app, cast.cleo)
    form = (await cleo.get(f"{cast.task(task)}?edit=text")).has("Old **words**", "data-editing")
    version = form.form(f"{cast.home}/tasks/{task['id']}/text")["version"]
    (await cleo.post(f"{cast.task(task)}/text", {"title": "", "version": version})).is_status(422).has("Fill this in.")
    saved = {"title": "New title", "description": "New *words*", "version": version}
    (await cleo.post(f"{cast.task(task)}/text", saved)).is_status(303)
    late = {"title": "Mine", "description": "My draft", "version": version}
    seen = (await cleo.post(f"{cast.task(task)}/text", late)).is_status(409)
    seen.has("Somebody changed it to “New title”", "Somebody changed it to “New *words*”", "My draft")
    assert (await Task.get(id=task["id"])).title == "New title"


async def test_task_without_description_gets_one(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    cleo = await visitor(cast.app, cast.cleo)
    form = await cleo.get(f"{cast.task(task)}?edit=text")
    version = form.form(f"{cast.home}/tasks/{task['id']}/text")["version"]
    first = {"title": "Grind", "description": "First words", "version": version}
    (await cleo.post(f"{cast.task(task)}/text", first)).is_status(303)
    assert (await Task.get(id=task["id"])).description == "First words"


async def test_facts_change_one_by_one(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    url = f"{cast.task(task)}/changes"
    for form in ({"priority": "critical"}, {"due": "2030-05-06"}, {"assignee": f"user:{cast.cleo.id}"}):
        (await cleo.post(url, form)).is_status(200).has("-panel-facts")
    changed = await Task.get(id=task["id"])
    assert (changed.priority, str(changed.due_at), changed.assigned_user_id) == (
        "critical", "2030-05-06 23:59:00", cast.cleo.id,
    )  # fmt: skip
    (await cleo.post(url, {"assignee": f"agent:{cast.vega.id}"})).is_status(200)
    (await cleo.post(url, {"assignee": ""})).is_status(200)
    (await cleo.post(url, {"due": "soon"})).is_status(422).has("data-reason")
    plain = (await (await visitor(cast.app, cast.cleo)).post(url, {"due": "soon"})).is_status(422)
    plain.has("or a word such as today or fri. Nothing was saved.").lacks("in the meantime")
    after = await Task.get(id=task["id"])
    assert (after.assigned_agent_id, after.assigned_user_id) == (None, None)


async def test_dependencies_are_added_and_removed(cast: Cast) -> None:
    first, second = await cast.add_task(title="Grind"), await cast.add_task(title="Polish")
    cleo = await visitor(cast.app, cast.cleo)
    form = {"task_id": first["id"]}
    (await cleo.post(f"{cast.task(second)}/dependencies", form)).is_status(303)
    (await cleo.get(cast.task(second))).has("Waits for", "Grind")
    (await cleo.get(cast.task(first))).has("Needed by", "Polish")
    (await cleo.post(f"{cast.task(first)}/dependencies", {"task_id": second["id"]})).is_status(409).has("cycle")
    (await cleo.post(f"{cast.task(second)}/dependencies/{first['id']}/removals")).is_status(303)
    (await cleo.get(cast.task(second))).lacks(f"link-waits-{second['id']}")


async def test_removed_dependency_can_be_undone(cast: Cast) -> None:
    first = await cast.add_task()
    second = await cast.add_task(depends_on_task_ids=[first["id"]])
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    removed = (await cleo.post(f"{cast.task(second)}/dependencies/{first['id']}/removals")).is_status(204)
    undo = json.loads(removed.headers["HX-Trigger"])["toast"]["undo"]
    (await cleo.post(undo["action"], undo["fields"])).is_status(204)
    assert (await cast.cleo.get(cast.task(second))).ok()["depends_on_task_ids"] == [first["id"]]


async def test_dependencies_that_people_add_at_the_same_moment_are_all_there(cast: Cast) -> None:
    task, others = await cast.add_task(), [(await cast.add_task())["id"] for _ in range(6)]
    people = [await visitor(cast.app, person) for person in (cast.cleo, cast.ada)]
    url = f"{cast.task(task)}/dependencies"
    posts = [people[number % 2].post(url, {"task_id": other}) for number, other in enumerate(others)]
    assert {seen.status for seen in await asyncio.gather(*posts)} == {303}
    assert set((await cast.cleo.get(cast.task(task))).ok()["depends_on_task_ids"]) == set(others)


async def test_deleted_task_can_be_restored(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    assert (await cleo.post(f"{cast.task(task)}/deletion")).leads_to == cast.task(task)
    (await cleo.get(cast.task(task))).is_status(200).has("This task was deleted", "Restore")
    (await cleo.post(f"{cast.task(task)}/restoration")).is_status(303)
    (await cleo.get(cast.task(task))).lacks("This task was deleted")


async def test_panel_is_sent_alone_to_an_open_board(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ask(None, task)
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    seen = (await cleo.get(cast.task(task), HX_Target="section#panel")).is_status(200)
    seen.has("data-panel-task", "Publish", "It is ready.", "Approve").lacks("<!doctype", 'id="columns"')


async def test_panel_history_reads_as_sentences(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(f"{cast.task(task)}/moves", {"status": "review"})).is_status(303)
    (await cleo.get(cast.task(task))).has("</strong> moved this to Review</p>")


async def test_open_panel_updates_comments(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    async with cleo.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        (await cleo.post(f"{cast.task(task)}/comments", {"message": "Clear **tonight**"})).is_status(303)
        await watch.until("<strong>tonight</strong>")
    assert await Comment.filter(task_id=task["id"]).count() == 1


async def test_one_of_two_edits_at_the_same_moment_is_refused(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    people = [await visitor(cast.app, person) for person in (cast.cleo, cast.ada)]
    version = TextForm.version_of(await Task.get(id=task["id"]))
    forms = [{"title": title, "version": version} for title in ("Polish", "Paint")]
    posts = [one.post(f"{cast.task(task)}/text", form) for one, form in zip(people, forms, strict=True)]
    assert sorted(seen.status for seen in await asyncio.gather(*posts)) == [303, 409]
