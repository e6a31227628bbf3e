"""What is new for an agent rides on its answers, is taken by its next call, and is never lost."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.values import to_json
from mission_control.events.commands import Compensations, compensated
from mission_control.events.leases import Delivery
from mission_control.http import slow_answers as late
from mission_control.http.agent_news import AgentCall, news_of, now
from mission_control.runs.models import Note
from mission_control.runs.notes import commands as notes
from mission_control.runs.notes.agent_news import LARGEST
from tests.cast import Cast, Program, events, head
from tests.claiming import claim, taken
from tests.statements import counted

pytestmark = pytest.mark.dialect

HEARTBEAT = "/agent/heartbeat"


async def note(cast: Cast, task: Any, text: str = "Use the new table.") -> dict[str, Any]:
    """A note of Ada to whoever works on a task."""
    sent: dict[str, Any] = (await cast.ada.post(f"{cast.task(task)}/notes", {"text": text})).ok()
    return sent


async def held(cast: Cast, by: Program | None = None, **fields: Any) -> dict[str, Any]:
    """A task that Vega works on, who has heard of everything before."""
    await cast.add_task(**fields)
    task = await taken(cast, by)
    for _ in range(2):
        await (by or cast.vega).post(HEARTBEAT, None)
    return task


async def state_of(cast: Cast, task: Any) -> str:
    """How far the newest note about a task came."""
    newest = (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"][0]
    return str(newest["state"])


async def call(cast: Cast) -> dict[str, Any]:
    """A call of Vega; its answer."""
    body: dict[str, Any] = (await cast.vega.post(HEARTBEAT, None)).ok()
    return body


async def test_note_rides_on_the_next_answer_and_is_taken_by_the_one_after(cast: Cast) -> None:
    task = await held(cast)
    assert "news" not in await call(cast)
    sent = await note(cast, task)
    assert sent["state"] == "waiting" and sent["by"]["name"] == "Ada"
    news = (await call(cast))["news"]
    [item] = news["items"]
    assert (item["kind"], item["task_id"], news["more"]) == ("note", task["id"], 0)
    assert item["text"] == f"Note from Ada #{task['number']} {task['title']}: Use the new table."
    assert await state_of(cast, task) == "offered"
    assert "news" not in await call(cast)
    assert await state_of(cast, task) == "taken"
    (await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "I do."})).ok()
    assert await state_of(cast, task) == "read"


async def test_news_of_an_approved_hand_in_asks_for_nothing(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await held(cast)
    sent = {"fence": 1, "summary": "Polished"}
    handed_in = (await cast.vega.post(f"/agent{cast.task(task)}/completions", sent)).ok()
    (await cast.ada.patch(f"{cast.approvals}/{handed_in['approval']['id']}", {"status": "approved"})).ok()
    [item] = (await call(cast))["news"]["items"]
    assert item["text"].endswith("Decision: approved It is done.")


async def test_note_was_read_when_its_agent_reported_first(cast: Cast) -> None:
    task, read = await held(cast), set()
    await note(cast, task)
    for title in ("Read it", "Looked", "Went on", "Ended"):
        (await cast.vega.post("/agent/reports", {"task_id": task["id"], "items": [{"title": title}]})).ok()
        read.add((await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"][0]["read_at"])
    assert len(read - {None}) == 1


async def test_quiet_calls_cost_nothing_and_news_one_or_two_statements(cast: Cast) -> None:
    task = await held(cast)
    with counted() as quiet:
        await call(cast)
    await note(cast, task)
    with counted() as offering:
        assert "news" in await call(cast)
    with counted() as taking:
        assert "news" not in await call(cast)
    with counted() as again:
        await call(cast)
    assert [len(one) - len(quiet) for one in (offering, taking, again)] == [2, 1, 0], taking


async def test_refusals_and_kept_answers_carry_news(cast: Cast) -> None:
    task = await held(cast)
    path = f"/agent{cast.tasks}"
    first = await cast.vega.get(path)
    same = {"If-None-Match": first.headers["ETag"]}
    assert (await cast.vega.get(path, headers=same)).status == 304
    await note(cast, task, "First.")
    full = await cast.vega.get(path, headers=same)
    assert full.ok()["news"]["items"][0]["text"].endswith("First.") and full.headers["ETag"] == first.headers["ETag"]
    assert (await cast.vega.get(path, headers=same)).status == 304
    assert "news" not in (await cast.vega.get(path)).ok()
    await note(cast, task, "Second.")
    refused = await cast.vega.post(f"/agent{cast.task(task)}/lease", {"fence": 99})
    assert refused.code == "lease_lost" and refused.body["news"]["items"][0]["text"].endswith("Second.")
    await note(cast, task, "Third.")
    invalid = await cast.vega.post(f"/agent{cast.task(task)}/lease", {"fence": "x"})
    assert invalid.status == 422 and invalid.body["news"]["items"][0]["text"].endswith("Third.")


async def test_answers_on_the_paths_of_people_carry_news_to_agents_only(cast: Cast) -> None:
    task = await held(cast)
    await note(cast, task, "First.")
    assert "news" not in (await cast.ada.get(cast.task(task))).ok()
    read = (await cast.vega.get(cast.task(task))).ok()
    assert read["news"]["items"][0]["text"].endswith("First.")
    await note(cast, task, "Second.")
    written = (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "I do."})).ok()
    assert written["news"]["items"][0]["text"].endswith("Second.")
    await note(cast, task, "Third.")
    refused = await cast.vega.patch(cast.task(task), {"status": "done", "fence": 99})
    assert refused.code == "lease_lost" and refused.body["news"]["items"][0]["text"].endswith("Third.")
    await note(cast, task, "Fourth.")
    listed = (await cast.vega.get(f"{cast.tasks}?limit=1")).ok()
    assert listed["news"]["items"][0]["text"].endswith("Fourth.")
    await call(cast)
    assert await state_of(cast, task) == "taken"


async def test_replay_of_a_lost_answer_carries_its_news_again(cast: Cast) -> None:
    task = await held(cast)
    await note(cast, task)
    path, said, key = f"/agent{cast.task(task)}/comments", {"message": "So far."}, {"Idempotency-Key": "one"}
    first = (await cast.vega.post(path, said, headers=key)).ok()
    again = await cast.vega.post(path, said, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.ok() == first
    assert await state_of(cast, task) == "offered"
    assert "news" not in await call(cast) and await state_of(cast, task) == "taken"
    assert "news" not in (await cast.vega.post(path, said, headers=key)).ok()


async def test_lists_that_are_arrays_carry_nothing_and_lose_nothing(cast: Cast) -> None:
    task = await held(cast)
    (await cast.ada.post("/tags", {"name": "Red"})).ok()
    await note(cast, task)
    tags = (await cast.vega.get(f"/agent{cast.home}/tags")).ok()
    assert isinstance(tags, list) and await state_of(cast, task) == "waiting"
    assert (await call(cast))["news"]["items"][0]["kind"] == "note"


async def test_large_answer_carries_news(cast: Cast) -> None:
    task = await held(cast)
    (await cast.ada.patch(cast.task(task), {"description": "x" * 90_000})).ok()
    for _ in range(12):
        (await cast.ada.post(f"{cast.task(task)}/duplicates")).ok()
    await call(cast)
    await call(cast)
    plain = await cast.vega.get(f"/agent{cast.tasks}?limit=50")
    await note(cast, task)
    carried = await cast.vega.get(f"/agent{cast.tasks}?limit=50", headers={"Accept-Encoding": "identity"})
    news = carried.body.pop("news")
    assert news["items"][0]["kind"] == "note" and carried.body == plain.body
    assert int(carried.headers["Content-Length"]) > 2**20


async def test_inbox_still_has_what_rode_on_answers(cast: Cast) -> None:
    """A program that reads its inbox only, and no member `news`, misses nothing."""
    task = await held(cast)
    (await cast.vega.get("/agent/inbox?after=0")).ok()
    sent = await note(cast, task)
    for _ in range(3):
        await call(cast)
    inbox = (await cast.vega.get("/agent/inbox")).ok()
    assert sent["id"] in [one["id"] for one in inbox["items"]] and "news" not in inbox
    assert (await Delivery.get(id=sent["id"])).state == "sent"
    before = await head(cast)
    (await cast.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()
    assert (await cast.vega.get("/agent/inbox")).ok()["items"] == []
    assert await events(before, kind="task.assignee_notified") == []  # recorded when it was taken
    assert await state_of(cast, task) == "taken"


async def test_token_that_may_only_read_takes_nothing(cast: Cast) -> None:
    task = await held(cast)
    made = (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"scopes": ["read"]})).ok()
    watcher = Program(cast.app, {"X-Agent-Token": made["token"]}, cast.vega.id)
    await note(cast, task)
    for _ in range(2):
        assert "news" not in (await watcher.get(f"/agent{cast.tasks}")).ok()
    assert await state_of(cast, task) == "waiting"
    assert "news" in await call(cast)
    await watcher.get(f"/agent{cast.tasks}")
    assert await state_of(cast, task) == "offered"


async def test_news_fit_a_kilobyte_and_count_what_does_not(cast: Cast) -> None:
    task = await held(cast)
    whole = "Überprüfe die Messung noch einmal. " * 100
    await note(cast, task, whole)
    news = (await call(cast))["news"]
    [item] = news["items"]
    assert 900 < len(to_json(news)) <= LARGEST
    kept, _, rest = item["text"].partition(" … (")
    assert kept.split()[-1] in whole.split() and rest.endswith(" more characters are in your inbox)")
    inbox = (await cast.vega.get("/agent/inbox")).ok()["items"]
    assert whole.strip() in inbox[-1]["text"]
    for number in range(30):
        await note(cast, task, f"{number} " + "word " * 60)
    news = (await call(cast))["news"]
    assert len(to_json(news)) <= LARGEST and len(news["items"]) >= 2
    assert len(news["items"]) + news["more"] == 30
    assert ": 29 word" in news["items"][0]["text"] and ": 28 word" in news["items"][1]["text"]
    assert "news" not in await call(cast)


async def test_two_calls_at_once_both_tell_and_none_takes(cast: Cast) -> None:
    task = await held(cast)
    await note(cast, task)
    answers = await asyncio.gather(*(cast.vega.post(HEARTBEAT, None) for _ in range(4)))
    assert any("news" in one.ok() for one in answers)
    assert await state_of(cast, task) in ("offered", "taken")
    await call(cast)
    assert await state_of(cast, task) == "taken"


async def test_note_that_comes_during_a_long_poll_rides_on_its_answer(cast: Cast) -> None:
    task = await held(cast)
    waiting = asyncio.create_task(claim(cast, wait_seconds=1))
    await asyncio.sleep(0.3)
    await note(cast, task)
    answer = (await waiting).ok()
    assert answer["task"] is None and answer["news"]["items"][0]["kind"] == "note"
    again = (await claim(cast, wait_seconds=1)).ok()
    assert "news" not in again and await state_of(cast, task) == "taken"


async def test_stop_ends_the_run_and_the_next_answer_says_so(cast: Cast) -> None:
    task = await held(cast)
    before = await head(cast)
    run = (await cast.cleo.post(f"{cast.task(task)}/stop", {"reason": "The dome is closed."})).ok()
    assert (run["state"], run["end_reason"]) == ("released", "Stopped by Cleo: The dome is closed.")
    assert run["notified_at"] is None
    stopped = (await cast.ada.get(cast.task(task))).ok()
    assert (stopped["status"], stopped["assigned_agent_id"]) == ("inbox", None) and stopped["flagged_at"]
    assert (await claim(cast)).ok()["task"] is None  # nobody is given it
    assert (await claim(cast, cast.rigel)).ok()["task"] is None
    late = await cast.vega.post(f"/agent{cast.task(task)}/lease", {"fence": task["lease"]["fence"]})
    assert late.code == "lease_lost"
    (again,) = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert again["notified_at"] is not None
    (await cast.ada.delete(f"{cast.task(task)}/flag")).ok()
    assert (await taken(cast))["id"] == task["id"]
    (await cast.ada.post(f"{cast.task(task)}/notes", {"text": "Go on."})).ok()
    assert "Cleo" not in str([(one.data, one.message) for one in await events(before)])


async def test_stop_rides_as_a_directive(cast: Cast) -> None:
    task = await held(cast)
    (await cast.ada.post(f"{cast.task(task)}/stop", {})).ok()
    news = (await call(cast))["news"]
    assert (news["directive"], news["directive_task_id"]) == ("stop", task["id"])
    assert news["directive_reason"] == "Stopped by Ada." and news["items"][0]["kind"] == "stop"
    assert len([one for one in news["items"] if one["kind"] == "task_taken_away"]) == 0
    refused = await cast.ada.post(f"{cast.task(task)}/stop", {})
    assert "nothing to stop" in refused.refused_as(409, "nobody_works")
    (await cast.ada.post(f"{cast.task(task)}/notes", {"text": "x"})).refused_as(409, "nobody_works")


@pytest.mark.parametrize(("state", "directive"), [("paused", "pause"), ("stopped", "stop")])
async def test_work_state_rides_as_a_directive(cast: Cast, state: str, directive: str) -> None:
    task = await held(cast)
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": state, "reason": "Storm."})).ok()
    news = (await cast.vega.get(f"/agent{cast.task(task)}/comments")).ok()["news"]
    assert news["directive"] == directive and "Storm." in news["directive_reason"]
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "running"})).ok()
    assert "directive" not in (await cast.vega.get(f"/agent{cast.task(task)}/comments")).ok()["news"]


async def test_used_up_budget_rides_on_the_answer_to_the_report(cast: Cast) -> None:
    await held(cast)
    (await cast.ada.post("/budgets", {"agent_id": str(cast.vega.id), "unit": "tokens", "limit": 10})).ok()
    news = (await cast.vega.post("/agent/usage", {"input_tokens": 12})).ok()["news"]
    assert news["directive"] == "stop" and news["items"][0]["kind"] == "budget_used_up"


async def test_decisions_and_leads_have_news(cast: Cast) -> None:
    await held(cast)
    asked = await cast.ask(cast.vega)
    (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"decision": "approved"})).ok()
    [item] = (await call(cast))["news"]["items"]
    assert item["kind"] == "decision" and "Decision: approved" in item["text"]
    lead = (await cast.atlas.post(HEARTBEAT, None)).ok()["news"]
    assert "decision" in [one["kind"] for one in lead["items"]]


async def test_callback_is_sent_what_was_taken(cast: Cast) -> None:
    task = await held(cast)
    await Agent.filter(id=cast.vega.id).update(callback_url="https://example.org/hook")
    sent = await note(cast, task)
    await call(cast)
    await call(cast)
    row = await Delivery.get(id=UUID(sent["id"]))
    assert row.state in ("waiting", "sending") and row.taken_at is not None
    assert await state_of(cast, task) == "taken" and "news" not in await call(cast)


async def test_note_rides_on_an_answer_that_was_begun_with_white_space(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "QUIET_SECONDS", 0.05)
    task = await held(cast)
    await note(cast, task, "First.")
    await call(cast)  # it is offered, and the call below takes it
    waiting = asyncio.create_task(cast.vega.post("/agent/next", {"wait_seconds": 20, "keep_alive": True}))
    await asyncio.sleep(0.4)
    assert await state_of(cast, task) == "taken"
    await note(cast, task, "Second.")
    answer = (await waiting).ok()
    assert answer["kind"] == "note" and answer["news"]["items"][0]["text"].endswith("Second.")


async def test_note_that_does_not_arrive_in_a_day_expires_and_its_author_is_notified(cast: Cast) -> None:
    task = await held(cast)
    sent = await note(cast, task)
    await notes.expire_due()
    assert await state_of(cast, task) == "waiting"
    with times.travelled(timedelta(hours=25)):
        await notes.expire_due()
        await notes.expire_due()
    [found] = (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"]
    assert (found["state"], found["expired_at"] is None) == ("expired", False)
    assert not await Delivery.filter(id=sent["id"]).exists() and "news" not in await call(cast)
    [told] = (await cast.ada.get("/users/me/notifications")).ok()["items"]
    assert (told["kind"], told["task_id"], told["by"]["kind"]) == ("note", task["id"], "system")


async def test_note_expires_with_its_run_but_not_when_it_was_offered(cast: Cast) -> None:
    task = await held(cast)
    await note(cast, task, "In time.")
    await call(cast)
    await note(cast, task, "Too late.")
    (await cast.ada.patch(cast.task(task), {"status": "inbox", "assigned_agent_id": None})).ok()
    await notes.expire_due()
    late, early = (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"]
    assert (early["state"], late["state"]) == ("offered", "expired")


async def test_note_to_a_session_without_a_task(cast: Cast) -> None:
    reported = (await cast.vega.post("/agent/reports", {"items": [{"title": "Looked around"}]})).ok()
    path = f"{cast.home}/sessions/{reported['session_id']}/notes"
    assert (await cast.ada.post(path, {"text": "Look up."})).ok()["session_id"] == reported["session_id"]
    [item] = (await call(cast))["news"]["items"]
    assert (item["task_id"], item["text"]) == (None, "Note from Ada: Look up.")
    await call(cast)
    (await cast.vega.post("/agent/reports", {"items": [{"title": "Looked up"}]})).ok()
    [found] = (await cast.ada.get(path)).ok()["items"]
    assert found["state"] == "read"


async def test_changed_title_and_description_of_a_held_task_are_news_once(cast: Cast) -> None:
    task = await held(cast)
    for title in ("Write it", "Write it all"):
        (await cast.ada.patch(cast.task(task), {"title": title, "description": "Anew."})).ok()
    news = (await call(cast))["news"]
    [item] = news["items"]
    assert item["kind"] == "task_changed" and item["text"].startswith(
        f"Task changed #{task['number']} Write it all: Its"
    )
    await call(cast)
    (await cast.ada.patch(cast.task(task), {"priority": "high"})).ok()
    (await cast.vega.patch(cast.task(task), {"comment": "So far."})).ok()
    assert "news" not in await call(cast)


async def test_note_is_for_the_process_that_works_on_its_task(cast: Cast) -> None:
    one = await held(cast, title="One")
    two = await held(cast, title="Two")
    await note(cast, one)
    elsewhere, here = (f"/agent{cast.task(task)}/comments" for task in (two, one))
    for _ in range(2):
        assert "news" not in (await cast.vega.post(elsewhere, {"message": "On."})).ok()
    reported = {"task_id": two["id"], "items": [{"title": "Looked up"}]}
    assert "news" not in (await cast.vega.post("/agent/reports", reported)).ok()
    assert await state_of(cast, one) == "waiting"
    assert "news" in (await cast.vega.post(here, {"message": "So far."})).ok()
    (await cast.vega.post(elsewhere, {"message": "On."})).ok()
    assert await state_of(cast, one) == "offered"
    (await cast.vega.post(here, {"message": "Done so."})).ok()
    assert await state_of(cast, one) == "read"
    third = await cast.add_task(title="Three")
    await note(cast, one)
    looked = await cast.vega.get(f"/agent{cast.task(third)}/comments")
    assert "news" in looked.ok()  # it works on no task of that name


async def test_news_on_an_answer_that_a_client_of_mcp_left_ride_again(cast: Cast) -> None:
    task, actions = await held(cast), Compensations()
    await note(cast, task)
    with compensated(actions):
        assert await news_of(AgentCall.of(await cast.vega.actor(), now())) is not None
    await actions.run()
    assert await state_of(cast, task) == "waiting" and "news" in await call(cast)


async def test_notes_of_an_erased_task_and_the_name_of_a_deleted_author_are_gone(cast: Cast) -> None:
    task, kept = await held(cast, title="One"), await held(cast, title="Two")
    sent = (await cast.ben.post(f"{cast.task(task)}/notes", {"text": "Secret."})).ok()
    (await cast.ben.post(f"{cast.task(kept)}/notes", {"text": "Kept."})).ok()
    (await cast.ada.delete(cast.task(task))).ok()
    (await cast.ada.post(f"{cast.task(task)}/erasures")).ok()
    assert not await Note.filter(id=sent["id"]).exists() and not await Delivery.filter(id=sent["id"]).exists()
    (await cast.ben.delete("/users/me")).ok()
    [found] = (await cast.ada.get(f"{cast.task(kept)}/notes")).ok()["items"]
    assert found["by"] == {"kind": "user", "id": None, "name": "Somebody"}


async def test_parked_run_is_stopped_and_told_of_notes_when_it_goes_on(cast: Cast) -> None:
    await held(cast)
    (task,) = (await cast.ada.get(cast.tasks)).ok()["items"]
    asked = {"content": "Which one?", "task_id": task["id"], "park": True}
    question = (await cast.vega.post(f"/agent{cast.home}/questions", asked)).ok()
    await note(cast, task)
    (await cast.ada.post(f"{cast.home}/questions/{question['id']}/answers", {"answer": "The first."})).ok()
    resumed = (await cast.vega.post("/agent/next", {})).ok()
    assert resumed["kind"] == "resume" and "note" in [one["kind"] for one in resumed["news"]["items"]]
    again = (await cast.vega.post(f"/agent{cast.home}/questions", asked)).ok()
    (await cast.ada.post(f"{cast.task(task)}/stop", {})).ok()
    closed = (await cast.ada.get(f"{cast.home}/questions/{again['id']}")).ok()
    assert closed["state"] != "open" or closed["closed_at"] is not None
    assert (await cast.vega.post("/agent/next", {})).ok()["news"]["directive"] == "stop"


async def test_news_of_a_message_say_no_way_of_http(cast: Cast) -> None:
    await held(cast)
    (await cast.ada.post(f"{cast.home}/memory", {"content": "@Vega, which glass?", "tags": ["chat"]})).ok()
    [item] = (await call(cast))["news"]["items"]
    assert item["text"] == "Board chat mention: From: Ada @Vega, which glass?"
    [notice] = (await cast.vega.get("/agent/inbox?limit=200")).ok()["items"][-1:]
    assert "Reply with POST" in notice["text"]


async def test_note_that_arrived_is_known_after_its_agent_is_deleted(cast: Cast) -> None:
    task = await held(cast)
    await note(cast, task)
    for title in ("Read it", "Went on"):
        (await cast.vega.post("/agent/reports", {"task_id": task["id"], "items": [{"title": title}]})).ok()
    (await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "Used it."})).ok()
    [before] = (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"]
    await note(cast, task, "Hurry.")
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    await notes.expire_due()
    waited, after = (await cast.ada.get(f"{cast.task(task)}/notes")).ok()["items"]
    assert before["state"] == "read" and after == before | {"agent_id": None}
    assert waited["state"] == "expired"
    assert len(await events(kind="task.note_expired")) == 1
    kept = await Delivery.get(id=before["id"])
    assert (kept.agent_id, kept.text, kept.state) == (None, "", "sent")
