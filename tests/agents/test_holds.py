"""Workers that wait for their limit: what they keep, what people tell them, and how they go on."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.holds.commands import end_silent_holds
from mission_control.agents.holds.models import HoldWorker
from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.runs.claims.leases import expire_due
from mission_control.tasks.models import Task
from tests.cast import Answer, Caller, Cast, events, head
from tests.claiming import extend, later, taken, title_of_next
from tests.hand_ins import hand_in
from tests.needs.test_needs import needs, one_of
from tests.needs.test_needs_answers import answer
from tests.things import hold, make_connection
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


async def tell(cast: Cast, held: dict[str, Any], what: str, by: Caller | None = None, **more: Any) -> Answer:
    return await (by or cast.cleo).post(f"{cast.home}/holds/{held['id']}/answers", {"answer": what, **more})


async def kept(cast: Cast, title: str = "Polish") -> tuple[dict[str, Any], dict[str, Any]]:
    """A task that Vega began, and the hold of the worker that keeps it."""
    await cast.add_task(title=title)
    task = await taken(cast, lease_seconds=60)
    return task, await hold(cast.vega, task)


async def test_kept_task_waits_without_a_lease_and_comes_back_with_its_fence(cast: Cast) -> None:
    before = await head(cast)
    task, held = await kept(cast)
    assert (held["answer"], held["lost"], held["ended_at"]) == (None, [], None)
    assert [one["title"] for one in held["tasks"]] == ["Polish"]
    with later(4_000):
        await expire_due()
        row = await Task.get(id=task["id"])
        assert (row.status, row.assigned_agent_id, row.failed_attempts) == ("in_progress", cast.vega.id, 0)
        assert await title_of_next(cast, cast.rigel) is None
        assert await title_of_next(cast) is None
        ended = (await cast.vega.delete(f"/agent/holds/{held['id']}")).ok()
        assert ended["ended_at"] is not None
        again = await taken(cast)
        assert (again["id"], again["lease"]["fence"]) == (task["id"], 1)
        await hand_in(cast, {"task": task, "lease": again["lease"]}, cast.vega)
    kinds = [event.kind for event in await events(before, organization_id=cast.organization.id)]
    found = [kind for kind in kinds if kind.startswith("worker.") or kind in ("task.parked", "task.resumed")]
    assert found == ["worker.held", "task.parked", "worker.continued", "task.resumed"]


async def test_same_account_on_the_same_machine_shares_a_hold(cast: Cast) -> None:
    _, held = await kept(cast)
    assert (await hold(cast.vega))["id"] == held["id"]
    assert (await hold(cast.rigel))["id"] == held["id"]
    other = await hold(cast.rigel, account="77")
    assert other["id"] != held["id"]
    shared = (await cast.ada.get(f"{cast.home}/holds")).ok()["items"]
    assert [[one["name"] for one in each["agents"]] for each in shared] == [["Rigel Orion", "Vega"], ["Rigel Orion"]]
    assert (await cast.vega.get("/agent/healthz")).ok()["hold"]["id"] == held["id"]
    (await cast.rigel.delete(f"/agent/holds/{held['id']}")).ok()
    assert (await cast.vega.get("/agent/healthz")).ok()["hold"] is None
    assert (await cast.rigel.get("/agent/healthz")).ok()["hold"]["id"] == other["id"]


async def test_lost_fences_and_unknown_tasks_are_listed_and_the_rest_is_kept(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    mine = await taken(cast)
    await cast.add_task(title="Sweep")
    theirs = await taken(cast, cast.rigel)
    stale = {**mine, "id": "01a20f89-2bd7-774c-8be4-ab89967d70a3"}
    held = await hold(cast.vega, mine, theirs, stale)
    assert set(held["lost"]) == {theirs["id"], stale["id"]}
    assert [one["id"] for one in held["tasks"]] == [mine["id"]]
    again = await hold(cast.vega, {**mine, "lease": {"fence": 9}})
    assert again["lost"] == [mine["id"]]


async def test_worker_may_take_up_what_it_kept_while_it_waits(cast: Cast) -> None:
    task, held = await kept(cast)
    (await extend(cast, task, fence=1, lease_seconds=60)).ok()
    with later(120):
        await expire_due()
        assert (await Task.get(id=task["id"])).status == "inbox"
    assert (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()["tasks"] == []


async def test_need_is_one_for_a_worker_and_says_until_when(cast: Cast) -> None:
    task, held = await kept(cast)
    await hold(cast.rigel)
    [need] = (await needs(cast.cleo, "?kind=hold"))["items"]
    assert (need["id"], need["group"]) == (f"hold:{held['id']}", "paused")
    assert need["title"].startswith("Claude Code on ada-laptop waits for its limit to reset at ")
    assert need["reason"] == f"#{task['number']} stays with Vega. No attempt was counted."
    assert [one["id"] for one in need["answers"]] == ["continue", "stop"], "Rigel waits as well"
    assert need["otherwise"]["at"] is not None
    for person in (cast.dan, cast.eve):
        assert (await needs(person, "?kind=hold"))["items"] == []


async def test_overloaded_provider_is_a_need_after_an_hour(cast: Cast) -> None:
    await hold(cast.vega, kind="overload", words="529 Overloaded")
    assert (await needs(cast.cleo, "?kind=hold"))["items"] == []
    with times.travelled(timedelta(minutes=61)):
        [need] = (await needs(cast.cleo, "?kind=hold"))["items"]
    assert "its provider is overloaded" in need["title"]


async def test_taking_over_puts_what_was_kept_into_the_inbox_without_a_failed_attempt(cast: Cast) -> None:
    task, held = await kept(cast)
    need = await one_of(cast.cleo, "hold")
    assert [one["label"] for one in need["answers"]][1] == "Let Rigel Orion take over"
    (await answer(cast.cleo, need, "take_over", substance=need["substance"])).ok()
    row = await Task.get(id=task["id"])
    assert (row.status, row.assigned_agent_id, row.failed_attempts, row.retry_at) == ("inbox", None, 0, None)
    assert await title_of_next(cast) is None, "Vega gave it away"
    assert await title_of_next(cast, cast.rigel) == "Polish"
    read = (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()
    assert (read["answer"], read["answered_by"]["name"], read["ended_at"]) == ("take_over", cast.cleo.name, None)
    assert (await needs(cast.cleo, "?kind=hold"))["items"] == []


async def test_worker_that_waits_learns_the_answer_at_once(cast: Cast) -> None:
    _, held = await kept(cast)
    waits = asyncio.create_task(cast.vega.get(f"/agent/holds/{held['id']}?wait_seconds=40"))
    await asyncio.sleep(0.1)
    (await tell(cast, held, "continue")).ok()
    async with asyncio.timeout(20):
        assert (await waits).ok()["answer"] == "continue"
    again = await hold(cast.vega)
    assert again["answer"] is None, "it tried, and waits again"
    assert (await needs(cast.cleo, "?kind=hold"))["total"] == 1


async def test_answer_that_its_worker_was_not_told_stays(cast: Cast) -> None:
    _, held = await kept(cast)
    (await tell(cast, held, "continue")).ok()
    assert (await hold(cast.rigel))["answer"] == "continue"
    assert (await hold(cast.vega))["answer"] == "continue"
    assert (await hold(cast.vega))["answer"] is None


async def test_stop_waits_until_the_next_morning_of_who_answers_and_can_be_taken_back(cast: Cast) -> None:
    _, held = await kept(cast)
    need = await one_of(cast.cleo, "hold")
    (await answer(cast.cleo, need, "stop")).ok()
    read = (await cast.vega.get(f"/agent/holds/{held['id']}?known=")).ok()
    assert (read["answer"], read["resumes_at"][11:16]) == ("stop", "08:00")
    assert (await cast.ada.get(f"/agents/{cast.vega.id}")).ok()["hold"]["until"] == read["resumes_at"]
    results = (await cast.cleo.post("/needs/undos", {"ids": [need["id"]]})).ok()["results"]
    assert [one["outcome"] for one in results] == ["undone"], results
    read = (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()
    assert (read["answer"], read["resumes_at"]) == (None, None)
    assert (await one_of(cast.cleo, "hold"))["id"] == need["id"]


async def test_first_answer_counts_but_stopped_workers_may_go_on(cast: Cast) -> None:
    _, held = await kept(cast)
    (await tell(cast, held, "stop")).ok()
    (await tell(cast, held, "stop")).refused_as(409, "hold_answered")
    (await tell(cast, held, "take_over")).refused_as(409, "hold_answered")
    (await tell(cast, held, "continue")).ok()
    (await tell(cast, held, "continue")).refused_as(409, "hold_answered")
    (await cast.vega.delete(f"/agent/holds/{held['id']}")).ok()
    (await cast.vega.delete(f"/agent/holds/{held['id']}")).ok()
    (await tell(cast, held, "continue")).refused_as(409, "hold_ended")


async def test_two_processes_report_one_hold_and_one_answer_wins(cast: Cast) -> None:
    made = await asyncio.gather(*(hold(by) for by in (cast.vega, cast.rigel, cast.vega, cast.rigel)))
    assert len({one["id"] for one in made}) == 1
    answers = await asyncio.gather(*(tell(cast, made[0], "stop", by) for by in (cast.cleo, cast.ben, cast.ada)))
    assert sorted(one.status for one in answers) == [200, 409, 409]


async def test_hold_without_a_sign_ends_ten_minutes_after_its_time(cast: Cast) -> None:
    task, held = await kept(cast)
    with later(hours=2, minutes=9):
        await end_silent_holds()
        assert (await cast.ada.get(f"{cast.home}/holds")).ok()["total"] == 1
        (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()
    with later(hours=2, minutes=11):
        await end_silent_holds()
        assert (await cast.ada.get(f"{cast.home}/holds")).ok()["total"] == 1, "it gave a sign"
    with later(hours=2, minutes=20):
        await end_silent_holds()
        await end_silent_holds()
        assert (await cast.ada.get(f"{cast.home}/holds")).ok()["total"] == 0
        assert (await Agent.get(id=cast.vega.id)).hold is None
        assert (await taken(cast))["id"] == task["id"]


async def test_task_that_asks_people_too_waits_for_both(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task = await taken(cast)
    asked = (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which cloth?", "park": True})).ok()
    held = await hold(cast.vega, task)
    (await cast.cleo.post(f"{cast.home}/questions/{asked['id']}/answers", {"answer": "Soft."})).ok()
    assert await title_of_next(cast) is None
    (await cast.vega.delete(f"/agent/holds/{held['id']}")).ok()
    assert (await taken(cast))["id"] == task["id"]


async def test_person_who_moves_the_card_takes_it_from_the_worker(cast: Cast) -> None:
    task, held = await kept(cast)
    (await cast.cleo.patch(cast.task(task), {"status": "inbox", "assigned_agent_id": None})).ok()
    assert (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()["tasks"] == []
    assert (await hold(cast.vega, task))["lost"] == [task["id"]]


async def test_holds_of_others_are_hidden(cast: Cast) -> None:
    _, held = await kept(cast)
    for program in (cast.rigel, cast.nova):
        (await program.get(f"/agent/holds/{held['id']}")).refused(404)
        (await program.delete(f"/agent/holds/{held['id']}")).refused(404)
    (await tell(cast, held, "stop", cast.eve)).refused(404)
    (await tell(cast, held, "stop", cast.dan)).refused(403)


@pytest.mark.parametrize(
    "wrong", [{"account": "Ada"}, {"kind": "lazy"}, {"program": "nano"}, {"words": "x" * 501}, {"until": "soon"}]
)
async def test_unknown_reports_are_refused(cast: Cast, wrong: dict[str, str]) -> None:
    sent = {"program": "codex", "host_label": "desk", "account": "5f0c", "kind": "overload", "words": "529"}
    (await cast.vega.post("/agent/holds", {**sent, "until": "2099-01-01T00:00:00Z", **wrong})).refused(422)


async def test_task_says_for_which_worker_it_waits(cast: Cast) -> None:
    task, _ = await kept(cast)
    [reason] = (await cast.ada.get(f"{cast.task(task)}/waiting")).ok()["reasons"]
    assert reason["kind"] == "parked"
    assert reason["text"].startswith("Vega waits for Claude Code on ada-laptop until ")


async def test_pages_say_why_a_worker_waits_and_take_the_answers(cast: Cast) -> None:
    task, held = await kept(cast)
    connection = await make_connection(cast, cast.vega.id)
    await HoldWorker.filter(hold_id=held["id"]).update(connection_id=connection.id)
    ada = await visitor(cast.app, cast.ada)
    for path in ("/agents", f"/agents/{cast.vega.id}", f"/agents/connected/{connection.id}"):
        page = await ada.get(path)
        page.has("Claude Code on ada-laptop", "Its limit is reached", "Continue now", "Stop for today")
    (await ada.get("/agents")).has("1 paused", f"It keeps #{task['number']}")
    (await ada.get(f"{cast.home}/tasks/{task['id']}")).has("waits for Claude Code on ada-laptop until")
    [vega] = [one for one in (await cast.ada.get(f"{cast.home}/workers")).ok()["items"] if one["agent_name"] == "Vega"]
    assert (vega["state"], vega["hold"]["id"]) == ("holding", held["id"])
    await ada.post(f"/needs/hold:{held['id']}/answers", {"answer": "stop"})
    page = await ada.get("/agents")
    page.has("Stopped until", "Continue now").lacks("Stop for today")
    await ada.post(f"{cast.home}/holds/{held['id']}/answers", {"answer": "continue"})
    assert (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()["answer"] == "continue"
    (await ada.get("/agents")).lacks("Continue now")


async def test_pages_write_until_when_in_the_zone_of_who_reads(cast: Cast) -> None:
    task, held = await kept(cast)
    ada = await visitor(cast.app, cast.ada)
    moment = f'<time datetime="{held["until"][:19]}Z" data-format="clock"'
    need = f"needs/hold:{held['id']}"
    for path, title in (("/", "limit to reset at"), (f"/{need}", "limit to reset at")):
        (await ada.get(path)).has(f"{title} {moment}", f"resets {moment}")
    page = (await ada.get(cast.home)).has("Vega:</b> waits until")
    assert 'title="waits for Claude Code on ada-laptop"' in page.text
    (await ada.get(f"/agents/{cast.vega.id}")).has("Paused until").lacks("Waits for an answer")
    [run] = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert (run["state"], run["waits_until"]) == ("waiting", held["until"])
