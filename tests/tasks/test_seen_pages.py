"""Pages send what they showed with an answer; what changed meanwhile is shown instead of decided."""

import json
import re
from typing import Any

from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.questions.models import Question
from tests.cast import Cast
from tests.needs.test_needs import ask_question, one_of
from tests.visitor import visitor

NOW = "The description is now: “Drop the database.”"


def substance_in(html: str) -> str:
    """The first substance that a page would send."""
    found = re.search(r'name="substance" value="([^"]+)"', html)
    assert found is not None, html
    return found[1]


async def changed_task(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.ada.patch(cast.task(task), {"description": "Drop the database."})).ok()


async def test_every_page_with_an_approval_sends_what_it_shows(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    one = await one_of(cast.cleo, "approval")
    cleo, page = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}/approvals/{asked['id']}"
    selection = f"/needs/selection?need={one['id']}"
    panel = f"/boards/{cast.board.id}/tasks/{task['id']}"
    for path in ("/", f"/needs/{one['id']}", selection, "/approvals", page, f"{page}/send-back", panel):
        assert substance_in((await cleo.get(path)).is_status(200).text) == one["substance"], path
    (await cleo.get(panel)).has(f'name="substance" value="{one["substance"]}"')
    (await cleo.post(f"{page}/decisions", {"decision": "approved"})).is_status(303)
    (await cleo.get(f"{page}/send-back")).has('name="substance" value=""')


async def test_what_nobody_said_is_left_out(cast: Cast) -> None:
    asked, question = await cast.ask(cast.vega, await cast.add_task()), await ask_question(cast)
    now, cleo, board = times.clock_now(), await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}"
    await Approval.filter(id=asked["id"]).update(status="rejected", decision="closed", resolved_at=now)
    await Question.filter(id=question["id"]).update(state="withdrawn", closed_at=now)
    for path in (f"{board}/approvals/{asked['id']}", f"{board}/questions/{question['id']}"):
        (await cleo.get(path)).is_status(200).has("It closed").lacks("None")
    await Question.filter(id=question["id"]).update(state="answered", answered_at=now, closed_at=None)
    (await cleo.get(f"{board}/questions/{question['id']}")).is_status(200).has("<q></q>").lacks("None")


async def test_card_sends_what_its_approval_decided_about(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "It shines", "is_criterion": True})).ok()
    asked = await cast.ask(cast.vega, task)
    one = await one_of(cast.cleo, "approval")
    cleo, board = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}"
    page = await cleo.get(board)
    page.is_status(200).has(f'data-substance="{one["substance"]}"')
    assert substance_in(page.text) == one["substance"]
    await changed_task(cast, task)
    seen = {"decision": "approved", "substance": one["substance"]}
    (await cleo.with_htmx.post(f"{board}/approvals/{asked['id']}/decisions", seen)).is_status(409).has(NOW)
    (await cleo.get(board)).lacks(one["substance"])


async def test_decision_about_something_else_by_now_shows_what_it_is(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    one = await one_of(cast.cleo, "approval")
    await changed_task(cast, task)
    cleo, page = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}/approvals/{asked['id']}"
    seen = {"decision": "approved", "substance": one["substance"]}
    row = (await cleo.with_htmx.post(f"{page}/decisions", seen | {"from": "row"})).is_status(409).has(NOW, "Look again")
    (await cleo.post(f"{page}/decisions", seen)).is_status(409).has(NOW, "<!doctype html>")
    (await cleo.with_htmx.post(f"{page}/decisions", seen)).is_status(409).has(NOW)
    back = {"decision": "changes_requested", "note": "No.", "from": "dialog", "substance": one["substance"]}
    (await cleo.with_htmx.post(f"{page}/decisions", back)).is_status(409).has(NOW)
    answer = {"answer": "approve", "substance": one["substance"]}
    (await cleo.with_htmx.post(f"/needs/{one['id']}/answers", answer)).is_status(409).has(NOW)
    (await cleo.post(f"/needs/{one['id']}/answers", answer)).is_status(409).has(NOW)
    many = (await cleo.post("/needs/answers", answer | {"need": one["id"]})).is_status(303)
    assert many.leads_to == "/"
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "pending"
    now_seen = {"decision": "approved", "substance": substance_in(row.text)}
    (await cleo.post(f"{page}/decisions", now_seen)).is_status(303)
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "approved"


async def test_many_answers_each_send_what_was_shown_of_it(cast: Cast) -> None:
    tasks = [await cast.add_task() for _ in range(3)]
    for task in tasks:
        await cast.ask(cast.vega, task)
    needs = (await cast.cleo.get("/needs")).ok()["items"]
    await changed_task(cast, tasks[1])
    cleo = await visitor(cast.app, cast.cleo)
    form = {"answer": "approve", "need": [one["id"] for one in needs], "substance": [one["substance"] for one in needs]}
    seen = (await cleo.with_htmx.post("/needs/answers", form)).is_status(204)
    said = json.loads(seen.headers["HX-Trigger"])["toast"]["message"]
    assert said.startswith("Approved: 2. 1 was not: “Publish #2 Write the report”: This changed while you looked.")
    assert [one["id"] for one in (await cast.cleo.get("/needs")).ok()["items"]] == [needs[1]["id"]]


async def test_question_sends_what_was_shown(cast: Cast) -> None:
    asked = await ask_question(cast)
    cleo, page = await visitor(cast.app, cast.cleo), f"/boards/{cast.board.id}/questions/{asked['id']}"
    option = asked["options"][0]["id"]
    other = {"option": option, "substance": "question:0"}
    (await cleo.with_htmx.post(f"{page}/answers", other)).is_status(409).has("This changed while you looked.")
    shown = substance_in((await cleo.get(page)).text)
    (await cleo.post(f"{page}/answers", other | {"substance": shown})).is_status(303)
