"""Notes to an agent at work and stopping it, as people do it on pages."""

from datetime import timedelta
from typing import Any

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.runs.models import Note
from mission_control.tasks.models import Task
from tests.agent_sessions import act, begin, put
from tests.cast import Cast, head, kinds
from tests.visitor import visitor


async def working(cast: Cast) -> dict[str, Any]:
    task = await cast.add_task(title="Grind")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    return task


async def test_note_goes_to_the_agent_at_work(cast: Cast) -> None:
    task = await working(cast)
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    (await cleo.get(cast.task(task))).has("Note to <span", ">Vega</span>", "A note informs; it allows nothing.")
    (await dan.get(cast.task(task))).lacks("Send note", "Stop</span>")
    (await cleo.with_htmx.post(f"{cast.task(task)}/notes", {"message": "Prices <changed>."})).is_status(204)
    (await cleo.post(f"{cast.task(task)}/notes", {"message": "Stock too."})).is_status(303)
    assert [one.text for one in await Note.all().order_by("id")] == ["Prices <changed>.", "Stock too."]
    seen = await dan.get(cast.task(task))
    seen.has("<strong>Cleo</strong> to Vega", "Prices &lt;changed&gt;.", "waiting for its next call")
    (await dan.get(f"{cast.task(task)}?show=runs")).lacks("Stock too.")
    (await (await visitor(cast.app, cast.eve)).post(f"{cast.task(task)}/notes", {"message": "Hi"})).is_status(404)
    (await cleo.with_htmx.post(f"{cast.task(task)}/notes", {"message": "  "})).is_status(422)


async def test_note_shows_how_far_it_came(cast: Cast) -> None:
    task = await working(cast)
    cleo = await visitor(cast.app, cast.cleo)
    async with cleo.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        (await cleo.with_htmx.post(f"{cast.task(task)}/notes", {"message": "Prices changed."})).is_status(204)
        await watch.until("waiting for its next call")
    (await cast.vega.get(f"/agent{cast.tasks}")).ok()  # it rides on the answer
    (await cleo.get(cast.task(task))).has("sent with an answer")
    (await cast.vega.get(f"/agent{cast.tasks}")).ok()
    (await cleo.get(cast.task(task))).has(">delivered</span>")
    (await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "Read the new ones."})).ok()
    (await cleo.get(cast.task(task))).has(">read</span>")


async def test_expired_note_can_become_a_comment(cast: Cast) -> None:
    task = await working(cast)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(f"{cast.task(task)}/notes", {"message": "Prices changed."})).is_status(303)
    with times.travelled(timedelta(days=2)):
        (await cleo.get(cast.task(task))).has("expired: it never reached the agent", "Make it a comment")


async def test_note_without_anybody_at_work_is_refused(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.with_htmx.post(f"{cast.task(task)}/notes", {"message": "Hi"})).is_status(409)


async def test_person_stops_an_agent(cast: Cast) -> None:
    task = await working(cast)
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    (await cleo.get(cast.task(task))).has(f'href="{cast.task(task)}/stop"')
    (await cleo.get(f"{cast.task(task)}/stop")).has("Stop Vega?", "Let it work", "<!doctype html>")
    (await cleo.with_htmx.get(f"{cast.task(task)}/stop")).has("Stop Vega?", "<dialog").lacks("<!doctype html>")
    (await dan.get(f"{cast.task(task)}/stop")).is_status(403)
    (await cleo.with_htmx.post(f"{cast.task(task)}/stop", {"reason": "x" * 501})).is_status(422).has("Stop Vega")
    before = await head(cast)
    (await cleo.with_htmx.post(f"{cast.task(task)}/stop", {"reason": "The order was withdrawn."})).is_status(204)
    assert "task.stopped" in [kind for kind, _ in await kinds(cast, before)]
    assert (await Task.get(id=task["id"])).status == "inbox"
    assert not await Run.exists(task_id=task["id"], ended_at=None)
    (await dan.get(cast.task(task))).has(
        "Stopped by Cleo: The order was withdrawn.", "Vega has not heard it yet.", "<span>Stopped,"
    ).lacks("Given back")
    (await cast.vega.get(f"/agent{cast.tasks}")).ok()
    (await cast.vega.get(f"/agent{cast.tasks}")).ok()
    (await dan.get(cast.task(task))).has("Vega heard it").lacks("works on this")
    (await cleo.with_htmx.get(f"{cast.task(task)}/stop")).is_status(409)
    (await cleo.with_htmx.post(f"{cast.task(task)}/stop", {})).is_status(409)
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    (await dan.get(cast.task(task))).has("Stopped by Cleo").lacks("has not heard it yet")


async def test_note_to_a_session_stands_among_what_it_did(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task())
    await act(session, "Read a.md")
    url = f"/boards/{cast.board.id}/sessions/{session.id}"
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    (await cleo.get(url)).has("Note to the agent", f"{url}/stop")
    (await dan.get(url)).lacks("Note to the agent", "/stop")
    async with dan.watching(f"{url}/live") as watch:
        (await cleo.with_htmx.post(f"{url}/notes", {"message": "Prices <changed>."})).is_status(204)
        await watch.until("“Prices &lt;changed&gt;.”")
        (await cast.vega.get(f"/agent{cast.tasks}")).ok()
        await watch.until("sent with an answer")
    await put(session, ended_at=times.clock_now())
    (await cleo.get(url)).has("a note would reach nobody").lacks("Send note", "/stop")
    (await cleo.with_htmx.post(f"{url}/notes", {"message": "Hi"})).is_status(409)
