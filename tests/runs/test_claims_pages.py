"""Work in progress on pages: what a task waits for, its runs, the lease on its card, and the flag a person clears."""

from base64 import b64encode
from datetime import timedelta

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.tasks.models import Task
from tests.cast import Cast, head, kinds
from tests.visitor import visitor

LINK = {"title": "Photo", "url": "https://example.org/p?a=1&b=2"}


async def test_panel_shows_waiting_reasons(cast: Cast) -> None:
    first = await cast.add_task(title="Grind")
    task = await cast.add_task(depends_on_task_ids=[first["id"]])
    dan = await visitor(cast.app, cast.dan)
    seen = (await dan.get(cast.task(task))).has("Waiting for", "before this is done", "#1 Grind", cast.task(first))
    seen.has("No agent that could take it is online.")
    async with dan.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        (await cast.ada.patch(cast.task(first), {"title": "Grind finely"})).ok()
        await watch.until("#1 Grind finely")
        assert f"#task-{task['id']}-panel-waiting" in watch.text
    (await dan.get(cast.task(await cast.add_task(status="done")))).lacks("Waiting for</h2>")
    eve = await visitor(cast.app, cast.eve)
    (await eve.get(f"{cast.home}/live?panel=task:{task['id']}")).is_status(404)


async def test_panel_shows_the_runs(cast: Cast) -> None:
    task = await cast.add_task()
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(cast.task(task))).lacks("Run 1 by")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await dan.get(cast.task(task))).has("Run 1 by Vega", "Running", "Vega works on this")
    file = {"name": "<log>.txt", "content_base64": b64encode(b"x" * 1200).decode()}
    work = {"fence": 1, "summary": "It **shines**.", "evidence": [LINK], "artifacts": [file], "cost_usd": "0.25"}
    (
        await cast.vega.post(
            f"/agent{cast.task(task)}/completions", work | {"input_tokens": 18450, "checked": "By *day*light."}
        )
    ).ok()
    seen = await dan.get(cast.task(task))
    seen.has("Handed in", "It <strong>shines</strong>", "&lt;log&gt;.txt", "1 kB", "18.4k tokens, 0.25 USD")
    seen.has('href="https://example.org/p?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"')
    file_id = seen.text.split("/attachments/")[1].split("/")[0]
    content = await dan.get(f"/api/v1{cast.task(task)}/attachments/{file_id}/content")
    assert content.is_status(200).text == "x" * 1200


async def test_old_runs_are_counted(cast: Cast) -> None:
    task = await cast.add_task()
    for _ in range(22):
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
        (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()
    (await (await visitor(cast.app, cast.dan)).get(cast.task(task))).has("2 earlier runs are not shown.", "Given back")


async def test_card_shows_the_lease_end(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(cast.home)).lacks("card-lease")
    until = times.clock_now().replace(hour=23, minute=58)
    await Run.filter(task_id=task["id"]).update(lease_expires_at=until)
    (await dan.get(cast.home)).has("card-lease", "23:58 UTC</time>")
    (await dan.get(cast.task(task))).has("has it until", "23:58 UTC</time>").lacks("Waiting for</h2>")


async def test_person_clears_a_flag(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.put(task, flagged_at=times.clock_now(), flag_reason="5 attempts failed.", failed_attempts=5)
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    for page in (cast.home, cast.task(task)):
        (await cleo.get(page)).has("Needs a person", "5 attempts failed.", f"{cast.task(task)}/flag/clearance")
        (await dan.get(page)).has("Needs a person").lacks("Clear the flag")
    before = await head(cast)
    (await cleo.with_htmx.post(f"{cast.task(task)}/flag/clearance")).is_status(204)
    assert [kind for kind, _ in await kinds(cast, before)] == ["task.unflagged"]
    freed = await Task.get(id=task["id"])
    assert (freed.flagged_at, freed.failed_attempts) == (None, 0)
    (await cleo.get(cast.home)).lacks("Needs a person")


async def test_person_ends_a_backoff(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.put(task, retry_at=times.clock_now() + timedelta(minutes=5), failed_attempts=3)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(cast.task(task))).has("It is not assigned before", "Hand out now")
    (await cleo.post(f"{cast.task(task)}/flag/clearance")).is_status(303)
    (await cleo.get(cast.task(task))).lacks("It is not assigned before")


async def test_open_panel_updates_its_runs(cast: Cast) -> None:
    task = await cast.add_task()
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
        work = {"fence": 1, "summary": "It shines."}
        (await cast.vega.post(f"/agent{cast.task(task)}/completions", work)).ok()
        text = await watch.until("It shines.")
        assert f"#task-{task['id']}-panel-timeline" in text and "Handed in" in text
