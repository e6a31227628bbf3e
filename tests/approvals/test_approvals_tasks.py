"""Approvals and their tasks: what counts for rule A, what deleting does, and two at the same moment."""

import asyncio

import pytest

from mission_control.approvals.decisions import Verdict, decide_approval
from mission_control.approvals.models import Approval
from mission_control.core.errors import Conflict
from tests.cast import Cast, events, head, kinds

pytestmark = pytest.mark.dialect


async def approval_of(cast: Cast, approval: dict[str, str]) -> Approval:
    """The row of an approval, with its board."""
    row = await Approval.get(id=approval["id"])
    row.board = cast.board
    return row


async def test_done_requires_a_persons_approval(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    path = cast.task(task)
    asked = await cast.ask(cast.vega, task, status="approved", action_type="mark_task_done")
    assert (await cast.vega.patch(path, {"status": "done"})).refused(409)["code"] == "task_approval_required"
    where = f"{cast.approvals}/{asked['id']}"
    (await cast.cleo.patch(where, {"decision": "changes_requested"})).ok()
    (await cast.vega.patch(path, {"status": "done"})).refused(409)
    (await cast.cleo.patch(where, {"status": "approved"})).ok()
    assert (await cast.vega.patch(path, {"status": "done"})).ok()["status"] == "done"


@pytest.mark.parametrize(("kind", "counts"), [("user", True), ("policy", True), ("agent", False), ("system", False)])
async def test_only_a_persons_approval_counts(cast: Cast, kind: str, counts: bool) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    await Approval.all().update(resolved_by_kind=kind)
    answer = await cast.vega.patch(cast.task(task), {"status": "done"})
    assert answer.status == (200 if counts else 409)


async def test_approval_counts_for_each_of_its_tasks(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    tasks = [await cast.add_task() for _ in range(2)]
    asked = await cast.ask(None, *tasks, action_type="task.finish")
    (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    for task in tasks:
        (await cast.ada.patch(cast.task(task), {"status": "done"})).ok()


async def test_reopening_conflicts_with_a_pending_approval(cast: Cast) -> None:
    task = await cast.add_task()
    first = await cast.ask(cast.vega, task)
    (await cast.cleo.patch(f"{cast.approvals}/{first['id']}", {"status": "rejected"})).ok()
    second = await cast.ask(cast.vega, task)
    detail = (await cast.cleo.patch(f"{cast.approvals}/{first['id']}", {"status": "pending"})).refused(409)
    assert detail["conflicts"] == [{"task_id": task["id"], "approval_id": second["id"]}]


async def test_reopening_a_pending_approval_is_a_no_op(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, await cast.add_task())
    before = await head(cast)
    assert (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"status": "pending"})).ok() == asked
    assert await head(cast) == before


async def test_deleting_the_last_task_closes_the_approval(cast: Cast) -> None:
    task, before = await cast.add_task(), 0
    asked = await cast.ask(cast.vega, task)
    before = await head(cast)
    (await cast.cleo.delete(cast.task(task))).ok()
    closed = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (closed["status"], closed["decision"], closed["resolved_by"]) == ("rejected", "closed", None)
    assert closed["note"] and closed["resolved_at"]
    assert (closed["task_id"], closed["task_ids"], closed["task_titles"]) == (None, [], [])
    assert (await approval_of(cast, asked)).resolved_by_kind == "system"
    assert await kinds(cast, before) == [("task.deleted", None), ("approval.closed", cast.vega.id)]
    for sent in ({"status": "approved"}, {"status": "rejected"}, {"status": "pending"}):
        (await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", sent)).refused_as(409, "approval_closed")


async def test_approval_stays_open_for_its_other_task(cast: Cast) -> None:
    first, second = await cast.add_task(title="1"), await cast.add_task(title="2")
    asked = await cast.ask(cast.vega, first, second)
    (await cast.atlas.delete(f"/agent{cast.task(first)}")).ok()
    left = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (left["status"], left["task_id"], left["task_titles"]) == ("pending", second["id"], ["2"])
    (await cast.atlas.delete(f"/agent{cast.task(second)}")).ok()
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "rejected"


async def test_decided_approval_is_unchanged_when_its_task_is_deleted(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    path = f"{cast.approvals}/{asked['id']}"
    (await cast.cleo.patch(path, {"status": "approved"})).ok()
    (await cast.ada.delete(cast.task(task))).ok()
    assert (await cast.ada.get(path)).ok()["status"] == "approved"
    (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
    assert (await cast.ada.get(path)).ok()["task_ids"] == [task["id"]]


async def test_approval_of_remaining_tasks_can_be_requested_again(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    path = f"{cast.approvals}/{(await cast.ask(cast.vega, first, second))['id']}"
    (await cast.cleo.patch(path, {"status": "approved"})).ok()
    (await cast.ada.delete(cast.task(first))).ok()
    again = (await cast.cleo.patch(path, {"status": "pending"})).ok()
    assert (again["status"], again["task_ids"]) == ("pending", [second["id"]])
    (await cast.cleo.patch(path, {"status": "approved"})).ok()
    (await cast.ada.delete(cast.task(second))).ok()
    assert set((await cast.cleo.patch(path, {"status": "pending"})).refused(404)) == {"message", "missing_task_ids"}


async def test_note_survives_reopening(cast: Cast) -> None:
    path = f"{cast.approvals}/{(await cast.ask())['id']}"
    (await cast.cleo.patch(path, {"status": "approved"})).ok()
    assert "note" in (await cast.cleo.patch(path, {"status": "pending", "note": "Wait."})).refused(422)


async def test_two_concurrent_requests_for_one_task_make_one_approval(cast: Cast) -> None:
    task = await cast.add_task()
    body = {"action_type": "a", "confidence": 1, "lead_reasoning": "r", "task_id": task["id"]}
    answers = await asyncio.gather(cast.vega.post(cast.approvals, body), cast.rigel.post(cast.approvals, body))
    assert sorted(one.status for one in answers) == [200, 409]
    [pending] = [one.body["id"] for one in answers if one.status == 200]
    [refused] = [one.detail for one in answers if one.status == 409]
    assert refused["conflicts"] == [{"task_id": task["id"], "approval_id": pending}]


async def test_second_decider_gets_a_conflict(cast: Cast) -> None:
    asked = await cast.ask()
    people = [await cast.ada.actor(), await cast.cleo.actor()]
    rows = [await approval_of(cast, asked) for _ in people]
    results = await asyncio.gather(
        decide_approval(people[0], rows[0], Verdict("approved"), only_pending=True),
        decide_approval(people[1], rows[1], Verdict("rejected"), only_pending=True),
        return_exceptions=True,
    )
    [refusal] = [one for one in results if isinstance(one, BaseException)]
    assert isinstance(refusal, Conflict)
    [decided] = await events(kind="approval.decided")
    winner = "Ada" if decided.actor_id == cast.ada.id else "Cleo"
    assert refusal.sentence.startswith(f"{winner} {'approved' if winner == 'Ada' else 'rejected'} this")
