"""Leases: extending, releasing, and the zombie that comes back after its lease is over."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.http.openapi import document
from mission_control.runs.claims import leases
from mission_control.runs.claims.leases import expire_due, is_over
from mission_control.tasks.models import Attachment, ChecklistItem, Comment, Task
from tests.cast import Answer, Cast, events, head
from tests.claiming import claim, extend, later, release, taken, title_of_next
from tests.moments import parsed
from tests.things import upload

pytestmark = pytest.mark.dialect

Write = Callable[[Cast, dict[str, Any], dict[str, str]], Awaitable[Answer]]


async def test_lease_is_extended_from_now(cast: Cast) -> None:
    await cast.add_task()
    task, before = await taken(cast, lease_seconds=60), await head(cast)
    with later(50):
        lease = (await extend(cast, task, fence=1, lease_seconds=60)).ok()["lease"]
        assert set(lease) == {"fence", "expires_at"} and lease["fence"] == 1
        assert timedelta(seconds=50) < parsed(lease["expires_at"]) - times.clock_now() <= timedelta(minutes=1)
    with later(100):
        assert await expire_due() == 0
        (await extend(cast, task, fence=1)).ok()
    assert await head(cast) == before, "an extension is no event"
    assert (await cast.ada.get(cast.task(task))).ok()["updated_at"] == task["updated_at"]


async def test_lease_can_be_shortened(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    (await extend(cast, task, fence=1, lease_seconds=60)).ok()  # a short one may end in the loop of the server
    with later(61):
        await expire_due()
        assert (await Task.get()).status == "inbox"


async def test_extending_gives_a_lease_to_an_assignment_without_one(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    with later(days=300):
        assert await expire_due() == 0
    (await extend(cast, task, fence=1, lease_seconds=60)).ok()
    with later(61):
        await expire_due()
        assert (await Task.get()).status == "inbox"


async def test_invalid_extension_is_refused(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    for body in ({}, {"fence": "x"}, {"fence": -1}, {"fence": 1, "lease_seconds": 0}, {"fence": None}):
        (await extend(cast, task, **body)).refused(422)
    for fence in (0, 2):
        refused = (await extend(cast, task, fence=fence)).refused(409)
        assert (refused["code"], refused["current_fence"]) == ("lease_lost", 1)
    assert (await extend(cast, task, cast.rigel, fence=1)).refused(409)["code"] == "lease_lost"
    stale = {"X-Task-Fence": "7"}
    lease = f"/agent{cast.task(task)}/lease"
    (await cast.vega.post(lease, {"fence": 1}, headers=stale)).refused_as(422, "fences_differ")
    (await cast.vega.post(lease, {}, headers=stale)).refused_as(409, "lease_lost")
    (await cast.vega.post(lease, {}, headers={"X-Task-Fence": "1"})).ok()
    (await cast.vega.patch(cast.task(task), {"status": "done"})).ok()
    assert (await extend(cast, task, fence=1)).refused(409)["code"] == "lease_lost"


@pytest.mark.parametrize("what", ["extend", "release", "complete"])
async def test_expired_lease_is_over_before_the_sweep(cast: Cast, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    async def looks_away() -> int:
        return 0

    monkeypatch.setattr(leases, "expire_due", looks_away)
    await cast.add_task()
    task = await taken(cast, lease_seconds=60)
    with later(61):
        if what == "complete":
            work = {"fence": 1, "summary": "Ready."}
            answer = await cast.vega.post(f"/agent{cast.task(task)}/completions", work)
        else:
            answer = await {"extend": extend, "release": release}[what](cast, task, fence=1)
        assert answer.refused(409)["code"] == "lease_lost"
    assert (await Run.get()).state == "running"


async def test_lease_ends_exactly_at_its_expiry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await cast.add_task()
    await taken(cast)
    run = await Run.get()
    assert not is_over(run)
    monkeypatch.setattr(times, "clock_now", lambda: run.lease_expires_at)
    assert is_over(run)


async def test_released_task_is_available_at_once(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task, before = await taken(cast), await head(cast)
    assert (await release(cast, task, fence=1, reason="No cloth.")).ok() == {"ok": True, "closed": []}
    row = await Task.get()
    assert (row.status, row.assigned_agent_id, row.failed_attempts, row.retry_at) == ("inbox", None, 0, None)
    run = await Run.get()
    assert (run.state, run.end_reason, run.ended_at is None) == ("released", "No cloth.", False)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.agent_id) == ("task.status_changed", cast.vega.id)
    assert event.message == "Task released: Polish. No cloth."
    assert orjson.loads(event.data)["after"]["status"] == "inbox"
    assert await Delivery.filter(agent_id=cast.atlas.id, header="TASK BACK IN INBOX").exists()
    assert (await taken(cast, cast.rigel))["lease"]["fence"] == 2
    assert (await release(cast, task, fence=1)).refused(409)["code"] == "lease_lost"


async def test_lead_is_not_told_of_a_task_that_nobody_began(cast: Cast) -> None:
    await cast.add_task()
    await release(cast, await taken(cast), fence=1, rests=False)
    assert not await Delivery.filter(agent_id=cast.atlas.id, header="TASK BACK IN INBOX").exists()
    assert (await taken(cast))["lease"]["fence"] == 2


async def test_task_that_was_given_back_goes_to_others_and_closes_what_was_asked(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    await taken(cast)
    asked = {"content": "With which cloth?", "task_id": task["id"]}
    question = (await cast.vega.post(f"/agent{cast.home}/questions", asked)).ok()
    assert (await release(cast, task, fence=1)).ok()["closed"] == ["With which cloth?"]
    assert (await cast.ada.get(f"{cast.home}/questions/{question['id']}")).ok()["state"] == "closed"
    assert await title_of_next(cast) is None  # not to the same agent at once
    assert await title_of_next(cast, cast.rigel) == "Polish"
    (await release(cast, task, cast.rigel, fence=2)).ok()
    assert await title_of_next(cast) is None
    with later(minutes=11):
        assert await title_of_next(cast) == "Polish"
        (await release(cast, task, fence=3)).ok()
        assert (await taken(cast, task_id=task["id"]))["lease"]["fence"] == 4  # by its name


async def test_fence_and_reason_are_read_from_query_or_header(cast: Cast) -> None:
    wanted = await cast.add_task()
    for fence, query, headers in (
        (1, "?fence=1&reason=Rain", {}),
        (2, "?reason=Rain", {"X-Task-Fence": "2"}),
        (3, "", {"X-Task-Fence": "3"}),
    ):
        task = await taken(cast, task_id=wanted["id"])
        lease = f"/agent{cast.task(task)}/lease"
        [item] = (await cast.vega.delete(lease)).refused(422)
        assert item["loc"] == ["body", "fence"]
        (await cast.vega.delete(lease + query, headers=headers)).ok()
        run = await Run.get(fence=fence)
        assert run.end_reason == ("Rain" if query else "By Vega.")


async def test_task_can_be_released_whatever_the_board_rules(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    await cast.ask(cast.vega, task)
    await cast.rule(block_status_changes_with_pending_approval=True, only_lead_can_change_status=True)
    (await release(cast, task, cast.rigel, fence=1)).refused(409)
    (await release(cast, task, fence=1)).ok()
    assert (await Task.get()).status == "inbox"


# The zombie


def writing(method: str, path: str, body: Any = ...) -> Write:
    """A request on the task or beside it."""

    async def send(cast: Cast, task: dict[str, Any], headers: dict[str, str]) -> Answer:
        whole = path.format(task=f"/agent{cast.task(task)}", plain=cast.task(task), **task)
        return await cast.vega.call(method, whole, body, headers=headers)

    return send


async def attach(cast: Cast, task: dict[str, Any], headers: dict[str, str]) -> Answer:
    """A file."""
    by = type(cast.vega)(cast.app, cast.vega.headers | headers, cast.vega.id, "Vega", cast.vega.secret)
    return await upload(by, f"{cast.task(task)}/attachments")


async def ask(cast: Cast, task: dict[str, Any], headers: dict[str, str]) -> Answer:
    """An approval about the task."""
    wanted = {"action_type": "go", "confidence": 50, "lead_reasoning": "So.", "task_ids": [task["id"]]}
    return await cast.vega.post(f"/agent{cast.approvals}", wanted, headers=headers)


WRITES: dict[str, Write] = {
    "status": writing("PATCH", "{task}", {"status": "done"}),
    "the status it thinks to have": writing("PATCH", "{task}", {"status": "in_progress"}),
    "custom fields": writing("PATCH", "{task}", {"custom_field_values": {}}),
    "the people's path": writing("PATCH", "{plain}", {"status": "review", "comment": "Ready."}),
    "a move": writing("POST", "{plain}/moves", {"status": "review"}),
    "a comment": writing("POST", "{task}/comments", {"message": "Still at it."}),
    "another wording": writing("PATCH", "{plain}/comments/{comment_id}", {"message": "Otherwise."}),
    "taking a comment back": writing("DELETE", "{plain}/comments/{comment_id}"),
    "a step": writing("POST", "{plain}/checklist", {"text": "Rinse"}),
    "ticking": writing("PATCH", "{plain}/checklist/{item_id}", {"is_done": True}),
    "removing a step": writing("DELETE", "{plain}/checklist/{item_id}"),
    "a file": attach,
    "removing a file": writing("DELETE", "{plain}/attachments/{attachment_id}"),
    "an approval": ask,
    "an extension": writing("POST", "{task}/lease", {"fence": 1, "lease_seconds": 60}),
    "a release": writing("DELETE", "{task}/lease", {"fence": 1}),
    "handing in": writing("POST", "{task}/completions", {"fence": 1, "summary": "Done."}),
}


async def everything_about(task: dict[str, Any]) -> list[Any]:
    """What a write on the task could have changed."""
    beside = [await model.all().order_by("id").values() for model in (Comment, ChecklistItem, Attachment, Run)]
    return [await Task.filter(id=task["id"]).values(), *beside]


async def at_work(cast: Cast) -> dict[str, Any]:
    """A task in Vega's hands for a minute, with something of Vega's on it."""
    await cast.add_task()
    task = await taken(cast, lease_seconds=60)
    said = await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Begun."})
    step = await cast.vega.post(f"{cast.task(task)}/checklist", {"text": "Wash"})
    file = await upload(cast.vega, f"{cast.task(task)}/attachments")
    return task | {"comment_id": said.ok()["id"], "item_id": step.ok()["id"], "attachment_id": file.ok()["id"]}


@pytest.mark.parametrize("what", WRITES)
async def test_lease_holder_can_write(cast: Cast, what: str) -> None:
    answer = await WRITES[what](cast, await at_work(cast), {"X-Task-Fence": "1"})
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("since", ["nobody swept", "it went back", "another agent has it", "it has it itself again"])
async def test_stale_fence_is_refused(cast: Cast, what: str, since: str) -> None:
    task = await at_work(cast)
    with later(61):
        if since != "nobody swept":
            await expire_due()
        if since == "another agent has it":
            (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
        if since == "it has it itself again":
            (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
        known = await everything_about(task)
        answer = await WRITES[what](cast, task, {"X-Task-Fence": "1"})
        assert answer.refused(409)["code"] == "lease_lost"
        if since != "nobody swept":  # the application's own timer may sweep between two looks
            assert await everything_about(task) == known


async def test_fence_counts_the_assignments_of_one_task(cast: Cast) -> None:
    """What another agent holds, or gave back, under the same number is nothing to it."""
    mine, other = await at_work(cast), await cast.add_task()
    path, headers = f"/agent{cast.task(mine)}/comments", {"X-Task-Fence": "1"}
    assert (await taken(cast, cast.rigel))["lease"]["fence"] == 1
    (await cast.vega.post(path, {"message": "Held."}, headers=headers)).ok()
    (await release(cast, other, cast.rigel, fence=1)).ok()
    (await cast.vega.post(path, {"message": "Given back."}, headers=headers)).ok()


async def test_fence_of_another_assignment_is_refused(cast: Cast) -> None:
    task = await at_work(cast)
    said = {"json": {"message": "In whose name?"}, "headers": {"X-Task-Fence": "1"}}
    answer = await cast.rigel.post(f"/agent{cast.task(task)}/comments", **said)
    assert answer.refused(409)["code"] == "lease_lost"


async def test_assignee_can_add_to_handed_in_work_after_the_lease(cast: Cast) -> None:
    task = await at_work(cast)
    path, headers = f"/agent{cast.task(task)}", {"X-Task-Fence": "1"}
    (await cast.vega.patch(path, {"status": "review", "comment": "Ready."}, headers=headers)).ok()
    with later(61):
        (await cast.vega.post(f"{path}/comments", {"message": "One thing more."}, headers=headers)).ok()


async def test_writes_without_a_fence_follow_the_contract(cast: Cast) -> None:
    task = await at_work(cast)
    with later(61):
        await expire_due()
        (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Sorry."})).ok()
        assert (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()["fence"] == 2
        (await cast.vega.patch(cast.task(task), {"status": "done"}, headers={"X-Task-Fence": "2"})).ok()


async def test_fence_must_be_an_integer(cast: Cast) -> None:
    task = await at_work(cast)
    for text in ("x", "-1", "1.5", "9" * 12):
        (await cast.vega.patch(cast.task(task), {"status": "done"}, headers={"X-Task-Fence": text})).refused(422)
    assert (await claim(cast)).ok()["task"] is None


def test_fence_header_is_documented_on_every_task_write() -> None:
    for path, item in document("")["paths"].items():
        for method, entry in item.items():
            headers = {one["$ref"].rpartition("/")[2] for one in entry.get("parameters", ()) if "$ref" in one}
            is_agents = "AgentToken" in headers
            if "{task_id}" in path:
                assert ("TaskFence" in headers) == (method != "get" and is_agents), path
