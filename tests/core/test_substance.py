"""An answer names what was seen: when something else is there by now, nothing is decided, and who looked reads what."""

from typing import Any

import pytest
from quart import Quart

from mission_control.core.secrets import encrypt
from mission_control.core.times import clock_now as now
from mission_control.webhooks.models import OutgoingWebhook
from tests.cast import Cast, stamp
from tests.claiming import taken
from tests.needs.test_needs import ask_question, needs, one_of
from tests.needs.test_needs_answers import answer, overdue

pytestmark = pytest.mark.dialect

DROP = {"description": "Now drop the production database."}


def told(refusal: Any) -> str:
    """The words of a refusal, which must be about a change."""
    assert (refusal.status, refusal.code) == (409, "need_changed"), refusal.body
    assert refusal.detail["substance"] and refusal.detail["changed"]
    return str(refusal.detail["message"])


async def handed_in(cast: Cast) -> dict[str, Any]:
    """A task that Vega handed in, for whose end an approval is asked."""
    await cast.rule(require_approval_for_done=True)
    await cast.add_task(title="Tidy up")
    task = await taken(cast)
    body = {"summary": "It is tidy.", "evidence": [{"url": "https://example.org/1", "title": "Before"}]}
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": task["fence"], **body})).ok()
    return task


async def test_answer_to_something_else_by_now_is_refused(cast: Cast) -> None:
    task = await cast.add_task(title="Tidy up", description="Remove old logs.")
    asked = await cast.ask(cast.vega, task)
    one = await one_of(cast.cleo, "approval")
    (await cast.ada.patch(cast.task(task), DROP)).ok()
    refusal = await answer(cast.cleo, one, "approve", substance=one["substance"])
    assert "The description is now: “Now drop the production database.”. Look again." in told(refusal)
    assert [one["part"] for one in refusal.detail["changed"]] == ["description"]
    again = await one_of(cast.cleo, "approval")
    assert again["substance"] == refusal.detail["substance"]
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "pending"
    (await answer(cast.cleo, again, "approve", substance=again["substance"])).ok()


async def test_answer_without_substance_decides_whatever_is_there(cast: Cast) -> None:
    task = await cast.add_task(title="Tidy up")
    asked = await cast.ask(cast.vega, task)
    (await cast.ada.patch(cast.task(task), DROP)).ok()
    (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()


@pytest.mark.parametrize(
    "change", [{"priority": "critical"}, {"due_at": "2031-01-01T00:00:00Z"}, {"assigned_user_id": None}]
)
async def test_substance_stays_when_something_else_changes(cast: Cast, change: dict[str, Any]) -> None:
    task = await cast.add_task(title="Tidy up")
    asked = await cast.ask(cast.vega, task)
    one = await one_of(cast.cleo, "approval")
    (await cast.ada.patch(cast.task(task), change)).ok()
    deadline = {"decide_by": stamp(60).isoformat() + "Z", "otherwise": "remind"}
    (await cast.ada.call("PUT", f"{cast.approvals}/{asked['id']}/deadline", deadline)).ok()
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Soon?"})).ok()
    again = await one_of(cast.cleo, "approval")
    assert (again["substance"], again["version"] == one["version"]) == (one["substance"], False)
    (await answer(cast.cleo, one, "approve", substance=one["substance"])).ok()


async def test_each_way_to_decide_an_approval_takes_what_was_seen(cast: Cast) -> None:
    task = await handed_in(cast)
    [asked] = (await cast.cleo.get(cast.approvals)).ok()["items"]
    path, seen = f"{cast.approvals}/{asked['id']}", {"substance": asked["substance"]}
    (await cast.ada.patch(cast.task(task), {"title": "Tidy up all of it"})).ok()
    refused = [
        await cast.cleo.patch(path, {"status": "approved", **seen}),
        await cast.cleo.post(f"{path}/decisions", {"decision": "approved", **seen}),
        await cast.cleo.post(f"/needs/approval:{asked['id']}/answers", {"answer": "approve", **seen}),
    ]
    for one in refused:
        assert "The title is now: “#1 Tidy up all of it”" in told(one)
    many = {"answers": [{"id": f"approval:{asked['id']}", "answer": "approve", **seen}]}
    result = (await cast.cleo.post("/needs/answers", many)).ok()
    assert (result["results"][0]["outcome"], result["failed"]) == ("changed", 1)
    present = (await cast.cleo.get(path)).ok()
    assert (present["status"], present["substance"]) == ("pending", refused[0].detail["substance"])
    decided = (
        await cast.cleo.post(f"{path}/decisions", {"decision": "approved", "substance": present["substance"]})
    ).ok()
    assert decided["substance"] is None


async def test_questions_and_reviews_take_what_was_seen(cast: Cast) -> None:
    asked = await ask_question(cast)
    path = f"{cast.home}/questions/{asked['id']}/answers"
    other = {"option_id": asked["options"][0]["id"], "substance": "question:0"}
    assert "The question is now: “Which lens?" in told(await cast.cleo.post(path, other))
    (await cast.cleo.post(path, other | {"substance": (await one_of(cast.cleo, "question"))["substance"]})).ok()
    task = await cast.add_task(status="review")
    one = await one_of(cast.cleo, "review")
    (await cast.ada.patch(cast.task(task), DROP)).ok()
    seen = {"decision": "approved", "substance": one["substance"]}
    told(await cast.cleo.post(f"{cast.task(task)}/reviews", seen))
    told(await answer(cast.cleo, one, "approve", substance=one["substance"]))


async def test_tasks_that_went_wrong_or_are_late_take_what_was_seen(cast: Cast) -> None:
    late = await overdue(cast)
    task = await cast.add_task()
    await cast.put(task, flagged_at=now(), flag_reason="It failed.", failed_attempts=5)
    flagged = await one_of(cast.cleo, "flagged")
    for one, name in ((late, "done"), (flagged, "drop")):
        (await cast.ada.patch(cast.task(one["tasks"][0]["id"]), DROP)).ok()
        told(await answer(cast.cleo, one, name, substance=one["substance"]))
    assert {one["kind"] for one in (await needs(cast.cleo))["items"]} == {"overdue", "flagged"}


async def test_every_need_says_its_substance(cast: Cast) -> None:
    await cast.ask(cast.vega)
    await ask_question(cast)
    await overdue(cast)
    for one in (await needs(cast.cleo))["items"]:
        assert one["substance"], one
        assert (await cast.cleo.get(f"/needs/{one['id']}")).ok()["substance"] == one["substance"]


async def test_new_address_of_a_webhook_is_said_by_its_host(cast: Cast, app: Quart) -> None:
    fields = {"description": "Warehouse", "url": "https://one.example.org/hooks?key=hidden"}
    hook = (await cast.ada.post("/outgoing-webhooks", fields)).ok()
    row = OutgoingWebhook.filter(id=hook["id"])
    await row.update(state="failed")
    one = await one_of(cast.ada, "outgoing_webhook")
    await row.update(url=encrypt("https://two.example.org/hooks?key=hidden", app.config["SECRET_KEY"]))
    refusal = await answer(cast.ada, one, "resume", substance=one["substance"])
    assert "The address is now: “two.example.org”. Look again." in told(refusal)
    assert refusal.detail["changed"] == [{"part": "address", "now": "two.example.org"}]
    await row.update(url=encrypt("https://two.example.org/hooks?key=hidden", "the key before"))
    refusal = await answer(cast.ada, one, "resume", substance=one["substance"])
    assert "This changed while you looked. The address changed. Look again." in told(refusal)
