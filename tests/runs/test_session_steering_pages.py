"""Stop, attach and take off, on the page of a session and on the card."""

from html import unescape
from typing import Any

from tests.cast import Cast
from tests.hooks import hook, hooks, sessions
from tests.runs.test_permissions import asking, decision_of, request
from tests.runs.test_session_steering import CALL, at_keyboard
from tests.visitor import visitor


async def page_of_session(cast: Cast) -> str:
    return (await at_keyboard(cast)).removeprefix("/api/v1")


def page_of(cast: Cast, task: dict[str, Any]) -> str:
    return cast.task(task).removeprefix("/api/v1")


async def test_stop_says_what_became_of_it(cast: Cast) -> None:
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    (await ada.get(url)).has("Attach to a task", f'href="{url}/stop"')
    (await ada.with_htmx.get(f"{url}/stop")).has("Every further call of this turn is refused", "Stop Vega?")
    (await ada.with_htmx.post(f"{url}/stop", {"reason": "Rain."})).is_status(204)
    (await ada.get(url)).has("Stopped by Ada: Rain.", "Its next call will be refused").lacks(f'href="{url}/stop"')
    assert (await hooks(cast.vega, {**CALL, "tool_use_id": "toolu_2"}))[0]["hookSpecificOutput"]
    (await ada.get(url)).has("Its call was refused", "told to end its turn")
    await hooks(cast.vega, {**CALL, "hook_event_name": "Stop"})
    (await ada.get(url)).lacks("Stopped by Ada")
    (await ada.with_htmx.post(f"{url}/stop", {})).is_status(409).has("There is nothing to stop")


async def test_stop_of_a_session_at_a_task_stops_its_run(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.post("/agent/next", {"task_id": task["id"]})).ok()
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    (await ada.get(f"{url}/stop")).has(f"#{task['number']} goes to the inbox")
    (await ada.post(f"{url}/stop", {"reason": ""})).is_status(303)
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "inbox"


async def test_a_session_is_put_to_a_task_and_taken_off(cast: Cast) -> None:
    task, other = await cast.add_task(title="Polish"), await cast.add_task(title="Sweep")
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    (await ada.with_htmx.get(f"{url}/task")).has("On which task does it work?", "Polish", "Sweep")
    (await ada.get(f"{url}/task?q=pol")).has("Polish").lacks("Sweep")
    (await ada.get(f"{url}/task?q=nothing")).has("No task in the inbox matches")
    (await ada.with_htmx.post(f"{url}/task", {"task_id": task["id"]})).is_status(204)
    (await ada.get(url)).has(f"Take it off #{task['number']}", f'href="{url}/stop"').lacks("Attach to a task")
    (await ada.get(page_of(cast, task))).has("Vega works on this", "Take off")
    taken = {"task_id": other["id"]}
    (await ada.with_htmx.post(f"{url}/task", taken)).is_status(409).has("Take it off that first")
    (await ada.post(f"{url}/task/removals", {})).is_status(303)
    (await ada.get(url)).has("Attach to a task")
    (await ada.get(page_of(cast, task))).lacks("Vega works on this")


async def test_start_offers_sessions_that_work_on_nothing(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    (await ada.get(f"{page_of(cast, task)}/start")).has("a session works on it already", f'action="{url}/task"')
    (await ada.post(f"{url}/task", {"task_id": task["id"]})).is_status(303)
    [session] = await sessions(cast)
    assert session["task_id"] == task["id"]
    assert await hook(cast.vega, {**CALL, "tool_use_id": "toolu_5"}) == {}


async def test_readers_neither_stop_nor_attach(cast: Cast) -> None:
    url, dan = await page_of_session(cast), await visitor(cast.app, cast.dan)
    (await dan.get(url)).lacks("Attach to a task", f'href="{url}/stop"')
    for path in ("/stop", "/task"):
        (await dan.get(f"{url}{path}")).is_status(403)


async def test_what_it_asked_before_it_was_put_to_a_task_is_in_the_panel_too(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    async with asking(cast, request(given={"command": "npm run import"})):
        (await ada.post(f"{url}/task", {"task_id": task["id"]})).is_status(303)
        (await ada.get(page_of(cast, task))).has("npm run import", "Allow once")


async def test_what_it_asks_is_answered_on_its_page_and_in_the_panel(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    url, ada = await page_of_session(cast), await visitor(cast.app, cast.ada)
    (await ada.post(f"{url}/task", {"task_id": task["id"]})).is_status(303)
    live = unescape((await ada.get(url)).text.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch, asking(cast, request(given={"command": "npm run import"})) as asked:
        approval, waiting = asked
        row = await watch.until("npm run import")
        assert "Allow once" in row
        for page in (url, page_of(cast, task)):
            seen = (await ada.get(page)).has("npm run import", "Allow once", f'id="approval-{approval["id"]}"')
            seen.has(f"Run a command for #{task['number']}: npm run import</h2>", f'name="next" value="{page}"')
        (await ada.get("/")).has(f"Vega asks to run a command for #{task['number']}")
        dan = await visitor(cast.app, cast.dan)
        (await dan.get(url)).has("npm run import").lacks("Allow once: ")
        form = {"decision": "approved", "substance": approval["substance"], "from": "row", "next": url}
        (await ada.post(f"{cast.home.removeprefix('/api/v1')}/approvals/{approval['id']}/decisions", form)).is_status(
            303
        )
        assert decision_of(await waiting) == {"behavior": "allow"}
    (await ada.get(url)).lacks(f'id="approval-{approval["id"]}"')
    (await ada.get(page_of(cast, task))).lacks(f'id="approval-{approval["id"]}"')
