"""What a task's panel shows beside its facts: tags, steps and files."""

from io import BytesIO

from quart.datastructures import FileStorage

from mission_control.tasks.models import Tag
from tests.cast import Cast
from tests.visitor import visitor


async def test_panel_shows_every_tag(cast: Cast) -> None:
    tags = [await Tag.create(organization_id=cast.organization.id, name=name, slug=name) for name in "abcde"]
    task = await cast.add_task(tag_ids=[str(tag.id) for tag in tags])
    seen = await (await visitor(cast.app, cast.ada)).get(f"{cast.home}/tasks/{task['id']}")
    panel = seen.text[seen.text.index("data-panel-task") :]
    assert all(f'<span class="truncate">{name}</span>' in panel for name in "abcde")


async def test_steps_are_added_ticked_and_removed(cast: Cast) -> None:
    task = await cast.add_task()
    ada, page = await visitor(cast.app, cast.ada), f"{cast.home}/tasks/{task['id']}"
    for text in ("Clean it", "Dry it"):
        assert (await ada.post(f"{page}/checklist", {"text": text})).leads_to == page
    (await ada.get(page)).has("Clean it", "Dry it", "0 of 2 done")
    clean, _ = (await cast.ada.get(f"{page}/checklist")).ok()["items"]
    (await ada.post(f"{page}/checklist/{clean['id']}/ticks", {"is_done": "true"})).is_status(303)
    (await ada.get(page)).has("1 of 2 done", 'aria-checked="true"')
    answer = await ada.with_htmx.post(f"{page}/checklist/{clean['id']}/removals", {})
    assert "Step removed" in answer.is_status(204).headers["HX-Trigger"]
    (await ada.get(page)).has("0 of 1 done").lacks("Clean it")
    (await ada.post(f"{page}/checklist", {"text": "Clean it", "is_done": "true"})).is_status(303)
    (await ada.get(page)).has("1 of 2 done")
    (await ada.post(f"{page}/checklist", {"text": " "})).is_status(422)
    (await ada.post(f"{page}/checklist/{clean['id']}/ticks", {"is_done": "true"})).is_status(404)


async def test_criteria_are_marked_and_stay_criteria_when_put_back(cast: Cast) -> None:
    task = await cast.add_task()
    ada, page = await visitor(cast.app, cast.ada), f"{cast.home}/tasks/{task['id']}"
    (await ada.get(page)).has("As criterion").lacks("Criterion:")
    (await ada.post(f"{page}/checklist", {"text": "No scratch", "is_criterion": "true"})).is_status(303)
    (await ada.get(page)).has("Criterion:", "No scratch")
    [step] = (await cast.ada.get(f"{page}/checklist")).ok()["items"]
    answer = await ada.with_htmx.post(f"{page}/checklist/{step['id']}/removals", {})
    assert "is_criterion" in answer.is_status(204).headers["HX-Trigger"]


async def test_readers_see_steps_and_files_only(cast: Cast) -> None:
    task = await cast.add_task()
    dan, page = await visitor(cast.app, cast.dan), f"{cast.home}/tasks/{task['id']}"
    (await cast.ada.post(f"{page}/checklist", {"text": "Clean it"})).ok()
    content = b"x" * 12_345
    file = FileStorage(BytesIO(content), filename="sky.txt", content_type="text/plain")
    client, to = cast.app.test_client(use_cookies=False), f"/api/v1{page}/attachments"
    sent = await client.post(to, headers=cast.ada.headers, files={"file": file})
    file_id = (await sent.get_json())["id"]
    url = f"{to}/{file_id}/content"
    (await dan.get(page)).has("Clean it", "sky.txt", "12 kB", f'href="{page}/files/{file_id}"').lacks(
        "/ticks", "Add a step"
    )
    assert (await dan.get(url)).is_status(200).text == content.decode()
