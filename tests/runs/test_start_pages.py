"""Start on a card: who is ready, handing the task to one, and everything that comes between."""

import asyncio
from html import unescape
from typing import Any

from tests.cast import Cast
from tests.runs.test_ready_workers import state_of, waits
from tests.visitor import visitor


def page_of(cast: Cast, task: dict[str, Any], more: str = "") -> str:
    return cast.task(task).removeprefix("/api/v1") + more


def version_in(html: str) -> str:
    return unescape(html.split('name="version"')[1].split('value="')[1].split('"')[0])


async def test_a_ready_worker_begins_what_a_person_starts(cast: Cast) -> None:
    """The task is a person's, so that no worker takes it by itself."""
    task = await cast.add_task(title="Polish", assigned_user_id=str(cast.cleo.id))
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(page_of(cast, task))).lacks("No worker is ready", "Hand it out")
    (await ada.get(page_of(cast, task, "/start"))).has("client.pyz sign-in", "client.pyz work --agent claude")
    waiting = await waits(cast.vega, program="codex", places=2)
    await state_of(cast, "Vega", "ready")
    (await ada.get(page_of(cast, task))).has("<b>Vega is ready</b>, Codex")
    dialog = (await ada.with_htmx.get(page_of(cast, task, "/start"))).has("ready, 2 free places", "was never here")
    form = {"agent_id": str(cast.vega.id), "version": version_in(dialog.text)}
    (await ada.with_htmx.post(page_of(cast, task, "/start"), form)).is_status(204)
    answer = (await waiting).ok()
    assert (answer["kind"], answer["task"]["id"]) == ("work", task["id"])


async def test_two_people_start_at_once_and_the_second_is_told(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    url = page_of(cast, task, "/start")
    seen = version_in((await ada.with_htmx.get(url)).text)
    forms = [{"agent_id": str(one.id), "version": seen} for one in (cast.vega, cast.rigel)]
    answers = await asyncio.gather(ada.with_htmx.post(url, forms[0]), cleo.with_htmx.post(url, forms[1]))
    assert sorted(one.status for one in answers) == [204, 409]
    [first] = [place for place, one in enumerate(answers) if one.status == 204]
    name = ("Vega", "Rigel Orion")[first]
    answers[1 - first].has(f"Somebody was faster: #{task['number']} is {name}&#39;s now.")
    assert (await cast.ada.get(cast.task(task))).ok()["assigned_agent_id"] == forms[first]["agent_id"]


async def test_what_a_worker_began_meanwhile_stays_its_own(cast: Cast) -> None:
    task, ada = await cast.add_task(title="Polish"), await visitor(cast.app, cast.ada)
    url = page_of(cast, task, "/start")
    seen = version_in((await ada.get(url)).text)
    assert (await cast.rigel.post("/agent/next")).ok()["task"]["id"] == task["id"]
    (await ada.post(url, {"agent_id": str(cast.vega.id), "version": seen})).is_status(409).has(
        "Somebody was faster", "is in the column In progress and is Rigel Orion&#39;s now"
    )
    (await ada.get(url)).is_status(409).has("Only what is in the inbox can be started")
    (await ada.get(page_of(cast, task))).lacks("Start</span>", "Hand it out")


async def test_blocked_and_finished_tasks_are_not_started(cast: Cast) -> None:
    first, task = await cast.add_task(title="First"), await cast.add_task(title="Polish")
    ada, url = await visitor(cast.app, cast.ada), page_of(cast, task, "/start")
    seen = version_in((await ada.get(url)).text)
    (await cast.ada.patch(cast.task(task), {"depends_on_task_ids": [first["id"]]})).ok()
    (await ada.get(url)).is_status(409).has("waits for other tasks")
    (await ada.get(page_of(cast, task))).lacks("Hand it out")
    (await ada.post(url, {"agent_id": str(cast.vega.id), "version": seen})).is_status(409)
    (await cast.ada.patch(cast.task(first), {"status": "done"})).ok()
    (await cast.ada.patch(cast.task(task), {"status": "done"})).ok()
    (await ada.post(url, {"agent_id": str(cast.vega.id), "version": seen})).is_status(409).has("is in the column Done.")


async def test_a_worker_that_dies_before_it_began_leaves_the_task_to_another(cast: Cast) -> None:
    task, ada = await cast.add_task(title="Polish"), await visitor(cast.app, cast.ada)
    (await cast.vega.get("/agent/boards")).ok()
    url = page_of(cast, task, "/start")
    seen = version_in((await ada.get(url)).text)
    (await ada.post(url, {"agent_id": str(cast.vega.id), "version": seen})).is_status(303)
    (await ada.get(page_of(cast, task))).has("<b>Vega has it next</b>", "does not wait for work", "Hand to another")
    again = version_in((await ada.get(url)).text)
    (await ada.post(url, {"agent_id": str(cast.rigel.id), "version": again})).is_status(303)
    assert (await cast.rigel.post("/agent/next")).ok()["task"]["id"] == task["id"]


async def test_readers_see_no_start_and_pages_hear_who_is_ready(cast: Cast) -> None:
    task = await cast.add_task(title="Polish", assigned_user_id=str(cast.cleo.id))
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await dan.get(page_of(cast, task))).lacks("Hand it out")
    (await dan.get(page_of(cast, task, "/start"))).is_status(403)
    page = (await ada.get(page_of(cast, task))).text
    live = unescape(page.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch:
        waiting = await waits(cast.vega)
        await watch.until("<b>Vega is ready</b>")
        waiting.cancel()
        async with asyncio.timeout(20):  # then the task is a person's again
            while "-start" not in (await watch.so_far()).rpartition("Vega is ready")[2]:
                pass
    (await ada.get(page_of(cast, task))).lacks("Vega is ready")
