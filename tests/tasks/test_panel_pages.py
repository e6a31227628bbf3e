"""The panel of a task: each property and custom field, tags, links, comments, files, and the timeline."""

import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from quart.datastructures import FileStorage

from mission_control.tasks.custom_fields.values import TYPES
from mission_control.tasks.models import Attachment, Comment, Tag, Task
from tests.cast import Cast
from tests.visitor import HERE, Visitor, visitor

TYPED: dict[str, tuple[str, Any]] = {
    "text": ("  Teak ", "Teak"),
    "text_long": ("Two\r\nlines", "Two\nlines"),
    "integer": ("42", 42),
    "decimal": ("2.5", 2.5),
    "boolean": ("false", False),
    "date": ("2026-12-24", "2026-12-24"),
    "date_time": ("2026-12-24T15:30", "2026-12-24T15:30:00Z"),
    "url": ("https://example.org/a?b=1", "https://example.org/a?b=1"),
    "json": ('{"deep": [1, "two"]}', {"deep": [1, "two"]}),
}
WRONG = {
    "integer": ("4.5", "Enter a whole number."),
    "decimal": ("many", "Enter a number."),
    "date": ("soon", "It must be a date such as 2026-12-31."),
    "date_time": ("noon", "Enter a date and time such as 2026-03-14 15:00."),
    "url": ("ftp://example.org", "It must be an http or https address."),
    "json": ("{", "Enter JSON"),
}


async def add_field(cast: Cast, kind: str, key: str = "it", **more: Any) -> None:
    body = {"field_key": key, "label": key.title(), "field_type": kind, "board_ids": [str(cast.board.id)], **more}
    (await cast.ada.post("/organizations/me/custom-fields", body)).ok()


def version_in(text: str, near: str) -> str:
    """The version of the form that follows a text on the page."""
    found = re.search(r'name="version"\s+value="([^"]*)"', text[text.index(near) :])
    assert found
    return unescape(found[1])


def form_of(kind: str, value: str, key: str = "it") -> dict[str, Any]:
    return {"key": key, "kind": kind, "value": value}


async def values_of(cast: Cast, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.cleo.get(cast.task(task))).ok()["custom_field_values"]
    return found


@pytest.mark.parametrize("kind", TYPES)
async def test_field_of_each_type_is_set_and_cleared(cast: Cast, kind: str) -> None:
    await add_field(cast, kind)
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    url, (typed, stored) = f"{cast.task(task)}/fields", TYPED[kind]
    (await cleo.post(url, form_of(kind, typed))).is_status(200).has("-panel-facts")
    assert await values_of(cast, task) == {"it": stored}
    (await (await visitor(cast.app, cast.dan)).get(cast.task(task))).is_status(200).has(">It").lacks("/fields")
    (await cleo.post(url, form_of(kind, ""))).is_status(200)
    assert await values_of(cast, task) == {"it": None}


@pytest.mark.parametrize("kind", WRONG)
async def test_field_refuses_what_does_not_fit_and_says_what_does(cast: Cast, kind: str) -> None:
    await add_field(cast, kind)
    task = await cast.add_task()
    cleo, (typed, sentence) = await visitor(cast.app, cast.cleo), WRONG[kind]
    url = f"{cast.task(task)}/fields"
    (await cleo.with_htmx.post(url, form_of(kind, typed))).is_status(422).has("data-reason", sentence)
    (await cleo.post(url, form_of(kind, typed))).is_status(422).has(sentence, "Nothing was saved.")
    assert await values_of(cast, task) == {"it": None}


async def test_fields_are_shown_always_if_set_or_never(cast: Cast) -> None:
    for visibility in ("always", "if_set", "hidden"):
        await add_field(cast, "text", visibility, ui_visibility=visibility)
    task = await cast.add_task()
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await ada.get(cast.task(task))).has(">Always<", "1 more field", ">If_Set<").lacks(">Hidden<")
    panel = (await dan.get(cast.task(task))).text.partition("data-panel-task")[2]
    assert "Always" in panel and "If_Set" not in panel and "Hidden" not in panel
    (await ada.post(f"{cast.task(task)}/fields", form_of("text", "Set", "if_set"))).is_status(303)
    (await dan.get(cast.task(task))).has("If_Set").lacks("more field")


async def test_pattern_and_required_fields_are_explained(cast: Cast) -> None:
    await add_field(cast, "text", "code", validation_regex="[A-Z]+", required=True, default_value="A")
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    url = f"{cast.task(task)}/fields"
    (await cleo.get(cast.task(task))).has(", required")
    (await cleo.post(url, form_of("text", "abc", "code"))).is_status(422).has("does not match the field")
    (await cleo.post(url, form_of("text", "", "code"))).is_status(422).has("Code: this board requires a value.")


async def test_required_fields_without_values_are_filled_in_together(cast: Cast) -> None:
    task = await cast.add_task()
    for key in ("one", "two"):
        await add_field(cast, "integer", key, required=True)
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    (await cleo.get(cast.task(task))).has("Fill them in together", "Save the fields")
    url = f"{cast.task(task)}/fields"
    both = {"key": ["one", "two"], "kind": ["integer", "integer"]}
    (await cleo.post(url, both | {"value": ["1", ""]})).is_status(422).has("Fill in every field")
    (await cleo.post(url, both | {"value": ["1", "2"]})).is_status(200).lacks("Fill them in together")
    assert await values_of(cast, task) == {"one": 1, "two": 2}


async def test_second_of_two_people_reads_what_the_first_typed(cast: Cast) -> None:
    await add_field(cast, "text")
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    url = f"{cast.task(task)}/fields"
    version = version_in((await cleo.get(cast.task(task))).text, "fact-field-")
    (await cleo.post(url, form_of("text", "Teak") | {"version": version})).is_status(200)
    late = (await cleo.post(url, form_of("text", "Oak") | {"version": version})).is_status(409)
    late.has("Somebody changed this to “Teak” while you were writing. Save again to use yours.").lacks("-panel-facts")
    again = version_in(late.text, "hx-partial")
    (await cleo.post(url, form_of("text", "Oak") | {"version": again})).is_status(200)
    assert await values_of(cast, task) == {"it": "Oak"}


async def test_key_of_a_field_is_text_wherever_it_stands(cast: Cast) -> None:
    key = "'\"><i>"
    await add_field(cast, "text", key)
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    text = (await cleo.get(cast.task(task))).lacks("<i>").text
    version = version_in(text, "fact-field-")
    url = f"{cast.task(task)}/fields"
    (await cleo.post(url, form_of("text", "Teak", key) | {"version": version})).is_status(200).lacks("<i>")
    (await cleo.post(url, form_of("text", "Oak", key) | {"version": version})).is_status(409).lacks("<i>")


async def test_facts_that_changed_meanwhile_are_not_overwritten(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    text = (await cleo.get(cast.task(task))).text
    changed = {"priority": "high", "due_at": "2030-01-02T10:00:00Z", "assigned_user_id": str(cast.ada.id)}
    (await cast.ada.patch(cast.task(task), changed)).ok()
    for name, value in (("priority", "low"), ("due", "2031-01-01"), ("assignee", f"user:{cast.cleo.id}")):
        form = {name: value, "version": version_in(text, f'id="fact-{name}-{task["id"]}"')}
        seen = (await cleo.post(f"{cast.task(task)}/changes", form)).is_status(409)
        seen.has("Somebody changed this meanwhile", "-panel-facts")
        fresh = {name: value, "version": version_in(seen.text, f'id="fact-{name}-{task["id"]}"')}
        (await cleo.post(f"{cast.task(task)}/changes", fresh)).is_status(200)
    assert (await Task.get(id=task["id"])).priority == "low"


@pytest.mark.parametrize("word", ["today", "fri", "2w", "2030-05-06", ""])
async def test_due_date_is_a_day_or_a_word(cast: Cast, word: str) -> None:
    task = await cast.add_task()
    cleo = (await visitor(cast.app, cast.cleo)).with_htmx
    (await cleo.post(f"{cast.task(task)}/changes", {"due": word})).is_status(200)
    due = (await Task.get(id=task["id"])).due_at
    assert (due is None) if not word else (due.hour, due.minute) == (23, 59)


async def test_tags_are_put_on_taken_off_and_created(cast: Cast) -> None:
    tag = await Tag.create(organization_id=cast.organization.id, name="hull", slug="hull")
    task = await cast.add_task()
    cleo, ada = (await visitor(cast.app, cast.cleo)).with_htmx, (await visitor(cast.app, cast.ada)).with_htmx
    url = f"{cast.task(task)}/tags"
    for _ in range(2):  # somebody else put it on before: it stays
        (await cleo.post(url, {"toggle": str(tag.id)})).is_status(200).has('aria-pressed="true"')
    (await cleo.post(url, {"toggle": str(tag.id), "tag_ids": str(tag.id)})).is_status(200).has('aria-pressed="false"')
    (await cleo.post(f"{url}/new", {"name": "sail"})).is_status(403)
    made = (await ada.post(f"{url}/new", {"name": "sail"})).is_status(200).has('hx-trigger="load"')
    new = await Tag.get(name="sail")
    made.has(str(new.id))
    (await ada.post(f"{url}/new", {"name": "Sail"})).is_status(409).has("already")
    (await ada.get(cast.task(task))).has("Create the tag")
    (await cleo.get(cast.task(task))).lacks("Create the tag")


async def test_tasks_to_link_are_found_by_number_and_words(cast: Cast) -> None:
    first, second = await cast.add_task(title="Grind"), await cast.add_task(title="Polish")
    number = (await Task.get(id=second["id"])).number
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    url = f"{cast.task(first)}/links"
    (await cleo.get(f"{url}?q=polish")).is_status(200).has("What does #", f'value="{second["id"]}"')
    (await cleo.get(f"{url}?q=%23{number}&way=needed")).has(f"/tasks/{second['id']}/dependencies")
    (await cleo.with_htmx.get(f"{url}?q=nothing")).has("No task matches.", "data-auto-open")
    refused = {"task_id": first["id"]}
    (await cleo.post(f"{cast.task(second)}/dependencies", refused)).is_status(303)
    (await cleo.get(f"{url}?q=polish&way=needed")).lacks(f"/tasks/{second['id']}/dependencies")
    cycle = await cleo.with_htmx.post(f"{cast.task(first)}/dependencies", {"task_id": second["id"]})
    cycle.is_status(409).has("cycle", 'role="alert"').lacks("<!doctype")
    (await dan.get(cast.task(first))).has("Needed by", "Polish").lacks("/links?way")


async def comment_of(cast: Cast, visitor_: Visitor, task: dict[str, Any], message: str) -> Comment:
    (await visitor_.post(f"{cast.task(task)}/comments", {"message": message})).is_status(303)
    return await Comment.get(message=message)


async def test_people_edit_and_delete_their_own_comments(cast: Cast) -> None:
    task = await cast.add_task()
    cleo, ada, dan = [await visitor(cast.app, one) for one in (cast.cleo, cast.ada, cast.dan)]
    comment = await comment_of(cast, cleo, task, "Two degrees off")
    url = f"{cast.task(task)}/comments/{comment.id}"
    (await cleo.get(cast.task(task))).has(f"{url}/edit", f"{url}/deletion")
    (await ada.get(cast.task(task))).has(f"{url}/deletion").lacks(f"{url}/edit")
    (await dan.get(cast.task(task))).lacks(f"{url}/deletion", f"{url}/edit")
    form = (await cleo.get(f"{url}/edit")).is_status(200).has("Two degrees off", "<!doctype")
    version = version_in(form.text, "Edit a comment")
    (await cleo.with_htmx.get(f"{url}/edit")).has("data-editing").lacks("<!doctype")
    (await ada.post(f"{url}/edits", {"message": "x", "version": version})).is_status(403)
    (await cleo.post(f"{url}/edits", {"message": " ", "version": version})).is_status(422).has("Fill this in.")
    (await cleo.post(f"{url}/edits", {"message": "Three degrees", "version": version})).is_status(303)
    late = await cleo.with_htmx.post(f"{url}/edits", {"message": "Four", "version": version})
    late.is_status(409).has("Somebody changed it to “Three degrees”", ">Four<")
    (await cleo.get(cast.task(task))).has("Three degrees", "edited")
    (await ada.post(f"{url}/deletion")).is_status(303)
    (await cleo.get(cast.task(task))).has("A comment by Cleo was deleted by Ada.").lacks("Three degrees")


async def test_link_to_a_comment_marks_it(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    comment = await comment_of(cast, cleo, task, "Two degrees off")
    (await cleo.get(f"{cast.task(task)}?comment={comment.id}")).has("data-linked", f"comment={comment.id}")
    (await cleo.get(f"{cast.task(task)}?comment=nonsense")).is_status(200).lacks("data-linked")


async def test_message_to_an_agent_says_whether_it_was_read(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    cleo = await visitor(cast.app, cast.cleo)
    await comment_of(cast, cleo, task, "Number it by its farm")
    (await cleo.get(cast.task(task))).has("Vega has not read it yet")
    async with cleo.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        [*_, last] = (await cast.vega.get("/agent/inbox")).ok()["items"]
        (await cast.vega.get(f"/agent/inbox?after={last['seq']}")).ok()
        await watch.until("Vega has read it")


async def test_timeline_merges_folds_and_narrows(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    for priority in ("low", "high"):
        (await cast.cleo.patch(cast.task(task), {"priority": priority})).ok()
    await comment_of(cast, cleo, task, "Said once")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    everything = (await cleo.get(cast.task(task))).has("2 changes by Cleo", "Said once", "Run 1 by Vega", "last sign")
    at = [everything.text.index(one) for one in ("2 changes by Cleo", "Said once", "Run 1 by Vega")]
    assert at == sorted(at)
    talk = (await cleo.get(f"{cast.task(task)}?show=talk")).has("Said once", 'data-look="show=talk"', "show=talk")
    talk.lacks("Run 1 by Vega", "2 changes by")
    (await cleo.get(f"{cast.task(task)}?show=runs")).has("Run 1 by Vega").lacks("Said once")
    part = await cleo.with_htmx.get(f"{cast.task(task)}?show=runs", HX_Target=f"div#task-{task['id']}-panel-timeline")
    part.has("-panel-timeline", "Run 1 by Vega").lacks("-panel-facts", "<!doctype")


async def test_decided_approvals_are_in_the_timeline(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(None, task)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(cast.task(task))).has("panel-approval-")
    (await ada.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).is_status(303)
    (await ada.get(cast.task(task))).has("Ada</strong> approved:", f"decided-{asked['id']}").lacks("panel-approval-")


async def test_title_is_edited_where_it_stands(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    cleo = await visitor(cast.app, cast.cleo)
    form = (await cleo.get(f"{cast.task(task)}?edit=title")).has("title-form-", 'value="Grind"')
    version = version_in(form.text, "title-form-")
    url = f"{cast.task(task)}/title"
    (await cleo.post(url, {"title": " ", "version": version})).is_status(422).has("Fill this in.")
    (await cleo.post(url, {"title": "Polish", "version": version})).is_status(303)
    late = (await cleo.post(url, {"title": "Wax", "version": version})).is_status(409)
    late.has("Somebody changed it to “Polish”", 'value="Wax"')
    (await cleo.get(f"{cast.home}/tasks/{task['id']}")).has(">Polish</h2>", "Edit the title")


async def send(cast: Cast, who: Any, task: dict[str, Any], name: str, content: bytes, kind: str) -> int:
    client = cast.app.test_client(use_cookies=False)
    seen = await visitor(cast.app, who)
    file = FileStorage(BytesIO(content), filename=name, content_type=kind)
    headers = {"Cookie": f"mission_control={seen.cookie}", **HERE}
    answer = await client.post(f"{cast.task(task)}/files", headers=headers, files={"file": file})
    return answer.status_code


FILES = {
    "notes.md": (b"# Notes\n\n* **bold**", "text/markdown", "<strong>bold</strong>"),
    "list.csv": (b"name,size\n<b>,2\n", "text/csv", "<td>&lt;b&gt;</td>"),
    "fix.diff": (b"@@ -1 +1 @@\n-old\n+new\n", "text/plain", '+</span><span class="diff-text">new</span>'),
    "log.txt": (b"<script>alert(1)</script> said", "text/plain", None),
    "say.txt": (b"plain & simple", "text/plain", "plain &amp; simple"),
}


@pytest.mark.parametrize("name", FILES)
async def test_files_are_attached_shown_safely_and_deleted(cast: Cast, name: str) -> None:
    task = await cast.add_task()
    content, kind, shown = FILES[name]
    if name == "log.txt":  # looks like markup, so that browsers only download it
        content, kind = content, "application/octet-stream"
    assert await send(cast, cast.cleo, task, name, content, kind) == 303
    file = await Attachment.get(name=name)
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    url = f"{cast.task(task)}/files/{file.id}"
    page = (await cleo.get(cast.task(task))).has(name, f"{url}/removals", "up to")
    if shown is None:
        page.lacks(f'href="{url}"').has("download")
    else:
        (await dan.get(url)).is_status(200).has(shown, "Download")
        (await dan.with_htmx.get(url)).has(shown, "data-auto-open").lacks("<!doctype")
    (await dan.get(cast.task(task))).has(name).lacks("/removals")
    (await cleo.post(f"{url}/removals")).is_status(303)
    (await dan.get(url)).is_status(404)


async def test_files_of_readers_and_empty_forms_are_refused(cast: Cast) -> None:
    task = await cast.add_task()
    assert await send(cast, cast.dan, task, "a.txt", b"x", "text/plain") == 403
    assert await send(cast, cast.eve, task, "a.txt", b"x", "text/plain") == 404
    assert (await (await visitor(cast.app, cast.cleo)).post(f"{cast.task(task)}/files", {})).status == 422
    (await (await visitor(cast.app, cast.dan)).get(cast.task(task))).has("Ask an admin for access to write.")


async def test_folded_column_is_opened_by_its_address(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(cast.task(task))).has('data-open="review"', 'href="?open=done"')
    (await cleo.get(f"{cast.task(task)}?open=done")).has('data-open="done review"')
    (await cleo.get(f"{cast.home}?open=nonsense")).has('data-open=""')
