"""Deleted and archived tasks: where people find them, and how they come back."""

from tests.cast import Cast
from tests.visitor import visitor


async def test_deleted_task_is_found_and_restored(cast: Cast) -> None:
    task, kept = await cast.add_task(title="Old lens"), await cast.add_task(title="New lens")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}/trash")).is_status(200).has("No deleted tasks")
    (await ada.post(f"{cast.home}/tasks/{task['id']}/deletion", {})).is_status(303)
    seen = (await ada.get(f"{cast.home}/trash")).is_status(200)
    seen.has("Old lens", f"/tasks/{task['id']}/restoration", "Inbox").lacks("New lens", kept["id"])
    (await ada.get(f"{cast.home}/settings")).has(f'href="{cast.home}/trash"')
    back = await ada.post(f"{cast.home}/tasks/{task['id']}/restoration", {})
    assert back.leads_to == f"{cast.home}/tasks/{task['id']}"
    (await ada.get(f"{cast.home}/trash")).lacks("Old lens")


async def test_done_task_is_archived_and_restored(cast: Cast) -> None:
    task = await cast.add_task(title="Seen through", status="done")
    ada, page = await visitor(cast.app, cast.ada), f"{cast.home}/tasks/{task['id']}"
    (await ada.get(page)).has(f'action="{page}/archivals"').lacks("It is not on the board.")
    answer = await ada.with_htmx.post(f"{page}/archivals", {})
    assert f"{page}/archivals/removals" in answer.is_status(204).headers["HX-Trigger"]
    (await ada.get(cast.home)).lacks("Seen through")
    (await ada.get(f"{cast.home}/archive")).has("Seen through", "Put back")
    (await ada.get(f"{cast.home}/trash")).lacks("Seen through")
    (await ada.get(page)).has("It is not on the board.", f'action="{page}/archivals/removals"')
    assert (await ada.post(f"{page}/archivals/removals", {})).leads_to == page
    (await ada.get(cast.home)).has("Seen through")
    (await ada.get(f"{cast.home}/archive")).has("No archived tasks")


async def test_only_done_tasks_are_archived(cast: Cast) -> None:
    task = await cast.add_task(title="Half done")
    ada, page = await visitor(cast.app, cast.ada), f"{cast.home}/tasks/{task['id']}"
    (await ada.get(page)).lacks("/archivals")
    (await ada.post(f"{page}/archivals", {})).is_status(409).has("Only done tasks can be archived.")


async def test_trash_is_readable_for_readers_only(cast: Cast) -> None:
    task = await cast.add_task(title="Old lens")
    await (await visitor(cast.app, cast.ada)).post(f"{cast.home}/tasks/{task['id']}/deletion", {})
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    (await dan.get(f"{cast.home}/trash")).is_status(200).has("Old lens").lacks("restoration")
    for kind in ("trash", "archive"):
        (await eve.get(f"{cast.home}/{kind}")).is_status(404)


async def test_long_trash_is_paged(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    for number in range(52):
        task = await cast.add_task(title=f"Lens {number:02}")
        (await cast.ada.delete(f"{cast.home}/tasks/{task['id']}")).ok()
    seen = await ada.get(f"{cast.home}/trash")
    seen.has("Lens 51", "1-50 of 52 tasks", "from=50").lacks("Lens 01")
    (await ada.get(f"{cast.home}/trash?from=50")).has("Lens 01", "51-52 of 52 tasks").lacks("Lens 51")
    (await ada.get(f"{cast.home}/trash?from=x")).has("Lens 51")
