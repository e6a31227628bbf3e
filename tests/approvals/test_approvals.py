"""Approvals: asked for, listed, decided, sent back, re-opened; by whom; and what was recorded."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.approvals.models import Approval
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from mission_control.http.registry import OPERATIONS
from tests.cast import Cast, apart_from_news, events, head, ids, kinds

pytestmark = pytest.mark.dialect

KEYS = [
    "action_type", "task_id", "task_ids", "payload", "confidence", "rubric_scores", "status", "id", "board_id",
    "task_titles", "agent_id", "created_at", "resolved_at", "decision", "note", "resolved_by", "requested_by",
    "run_id", "outcomes", "gateway_id", "session_id", "expires_at", "answer_state", "resolved_by_name", "decide_by",
    "otherwise", "otherwise_user_id", "reminded_at", "asked_user_id", "asked",
    "substance", "approvals_needed", "approvals_missing", "votes",
]  # fmt: skip
ASK = {"action_type": "publish", "confidence": 80, "lead_reasoning": " Ready. "}


async def decide(cast: Cast, approval: dict[str, Any], **body: Any) -> Any:
    """What Cleo says about an approval."""
    return await cast.cleo.patch(f"{cast.approvals}/{approval['id']}", body)


async def test_agent_requests_an_approval(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    approval = (await cast.vega.post(f"/agent{cast.approvals}", ASK | {"task_id": task["id"]})).ok()
    assert list(approval) == KEYS
    assert (approval["status"], approval["agent_id"], approval["requested_by"]) == ("pending", str(cast.vega.id), None)
    assert (approval["task_id"], approval["task_titles"]) == (task["id"], [task["title"]])
    assert (approval["payload"], approval["confidence"]) == ({"reason": "Ready."}, 80.0)
    [event] = await events(before)
    assert (event.kind, event.agent_id, str(event.task_id)) == ("approval.requested", cast.vega.id, task["id"])
    data = orjson.loads(event.data)
    assert data == {
        "approval_id": approval["id"], "action_type": "publish", "task_ids": [task["id"]], "status": "pending",
    }  # fmt: skip


async def test_agent_cannot_create_decided_or_foreign_approvals(cast: Cast) -> None:
    for caller in (cast.vega, cast.atlas):
        for path in (cast.approvals, f"/agent{cast.approvals}"):
            body = ASK | {"status": "approved", "agent_id": str(cast.rigel.id)}
            made = (await caller.post(path, body)).ok()
            assert (made["status"], made["agent_id"], made["resolved_at"]) == ("pending", str(caller.id), None)


async def test_person_can_create_a_decided_approval(cast: Cast) -> None:
    made = (await cast.cleo.post(cast.approvals, ASK | {"agent_id": cast.vega.id})).ok()
    assert (made["agent_id"], made["requested_by"]) == (str(cast.vega.id), {"id": str(cast.cleo.id), "name": "Cleo"})
    decided = (await cast.cleo.post(cast.approvals, ASK | {"status": "approved"})).ok()
    assert (decided["status"], decided["decision"]) == ("approved", "approved")
    assert decided["resolved_at"] is not None and decided["resolved_by"]["name"] == "Cleo"
    for stranger in (uuid4(), cast.mira.id, cast.nova.id):
        (await cast.cleo.post(cast.approvals, ASK | {"agent_id": stranger})).refused(404)


@pytest.mark.parametrize("change", [
    {"lead_reasoning": " "},
    {"lead_reasoning": None, "payload": {"reason": " "}},
    {"lead_reasoning": None, "payload": {"decision": "yes"}},
])  # fmt: skip
async def test_request_without_a_reason_is_refused(cast: Cast, change: dict[str, Any]) -> None:
    [item] = (await cast.vega.post(cast.approvals, ASK | change)).refused(422)
    assert (item["loc"], item["type"]) == (["body"], "value_error")


@pytest.mark.parametrize(("payload", "stored"), [
    ({"reason": "Why."}, {"reason": "Why."}),
    ({"decision": {"reason": "Why."}}, {"decision": {"reason": "Why."}}),
    ({"a": 1}, {"a": 1, "reason": "Ready."}),
    (None, {"reason": "Ready."}),
])  # fmt: skip
async def test_reason_is_accepted_in_lead_reasoning_and_payload(cast: Cast, payload: Any, stored: Any) -> None:
    assert (await cast.vega.post(cast.approvals, ASK | {"payload": payload})).ok()["payload"] == stored


async def test_task_ids_from_all_fields_are_merged_in_order(cast: Cast) -> None:
    made = [(await cast.add_task(title=str(number)))["id"] for number in range(8)]
    payload = {
        "reason": "r", "taskID": made[7], "taskId": made[6], "task_id": made[5], "taskIDs": [made[4], made[1]],
        "taskIds": [made[3], "nonsense", 5, None], "task_ids": [made[2]],
    }  # fmt: skip
    body = ASK | {"task_ids": [made[1], made[0]], "task_id": made[0], "payload": payload}
    approval = (await cast.vega.post(cast.approvals, body)).ok()
    assert approval["task_ids"] == made
    assert approval["task_id"] == made[0]
    assert approval["task_titles"] == [str(number) for number in range(8)]


async def test_approval_tasks_must_be_on_the_board(cast: Cast) -> None:
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Secret"})).ok()
    stranger = str(uuid4())
    detail = (await cast.vega.post(cast.approvals, ASK | {"task_ids": [stranger, other["id"]]})).refused(404)
    assert set(detail) == {"message", "missing_task_ids"}
    assert detail["missing_task_ids"] == [stranger, other["id"]]


async def test_task_has_one_pending_approval(cast: Cast) -> None:
    first, second, free = [await cast.add_task() for _ in range(3)]
    pending = await cast.ask(cast.vega, first)
    also = await cast.ask(cast.vega, second)
    wanted = ASK | {"task_ids": [second["id"], free["id"], first["id"]]}
    detail = (await cast.rigel.post(cast.approvals, wanted)).refused(409)
    assert set(detail) == {"message", "conflicts"}
    expected = [
        {"task_id": first["id"], "approval_id": pending["id"]},
        {"task_id": second["id"], "approval_id": also["id"]},
    ]
    assert detail["conflicts"] == sorted(expected, key=lambda one: one["task_id"])
    await cast.ask(cast.rigel)
    (await cast.ada.post(cast.approvals, wanted | {"status": "rejected"})).ok()
    (await decide(cast, pending, status="approved")).ok()
    await cast.ask(cast.rigel, first)


async def test_approvals_are_listed_newest_first(cast: Cast) -> None:
    first, second = await cast.ask(), await cast.ask()
    (await decide(cast, first, status="approved")).ok()
    for caller, path in ((cast.dan, cast.approvals), (cast.vega, f"/agent{cast.approvals}")):
        page = (await caller.get(path)).ok()
        assert (ids(page["items"]), page["total"]) == ([second["id"], first["id"]], 2)
        assert list(page["items"][0]) == KEYS
        assert ids((await caller.get(f"{path}?status=pending")).ok()["items"]) == [second["id"]]
        assert ids((await caller.get(f"{path}?limit=1&offset=1")).ok()["items"]) == [first["id"]]
        [item] = (await caller.get(f"{path}?status=maybe")).refused(422)
        assert (item["type"], item["loc"]) == ("literal_error", ["query", "status"])
    assert (await cast.dan.get(f"{cast.approvals}/{first['id']}")).ok()["status"] == "approved"


@pytest.mark.parametrize(("body", "status", "decision"), [
    ({"status": "approved"}, "approved", "approved"),
    ({"status": "rejected"}, "rejected", "rejected"),
    ({"decision": "approved"}, "approved", "approved"),
    ({"decision": "changes_requested", "note": "Shorter."}, "rejected", "changes_requested"),
    ({"decision": "changes_requested", "status": "rejected"}, "rejected", "changes_requested"),
])  # fmt: skip
async def test_writer_decides_an_approval(cast: Cast, body: dict[str, Any], status: str, decision: str) -> None:
    task = await cast.add_task()
    approval, before = await cast.ask(cast.vega, task), await head(cast)
    decided = (await decide(cast, approval, **body)).ok()
    assert (decided["status"], decided["decision"], decided["note"]) == (status, decision, body.get("note"))
    assert decided["resolved_by"] == {"id": str(cast.cleo.id), "name": "Cleo"}
    assert decided["resolved_at"] is not None
    [event] = await events(before)
    assert (event.kind, event.actor_id, event.agent_id) == ("approval.decided", cast.cleo.id, cast.vega.id)
    data = orjson.loads(event.data)
    assert (data["before"], data["decision"], data["note"]) == (None, decision, body.get("note"))
    notices = await Delivery.filter(header="APPROVAL RESOLVED")
    assert {one.agent_id for one in notices} == {cast.vega.id, cast.atlas.id}
    assert {one.data["succeeded"] for one in notices} == {"approval.lead_notified"}
    lines = notices[0].text.splitlines()
    assert lines[:7] == [
        "Board: Telescope", f"Approval ID: {approval['id']}", "Action: publish", f"Decision: {decision}",
        "Confidence: 80", f"Task ID: {task['id']}", f"Task: #{task['number']} {task['title']}",
    ]  # fmt: skip
    assert (f"Note: {body.get('note')}" in lines) is ("note" in body)


async def test_requesting_lead_is_notified_once(cast: Cast) -> None:
    (await decide(cast, await cast.ask(cast.atlas), status="approved")).ok()
    assert [one.agent_id for one in await Delivery.filter(header="APPROVAL RESOLVED")] == [cast.atlas.id]


@pytest.mark.parametrize("body", [
    {"status": None}, {"status": "maybe"}, {"decision": None}, {"decision": "pending"},
    {"decision": "approved", "status": "rejected"},
    {"decision": "approved", "status": "pending"}, {"note": "Only a note."},
])  # fmt: skip
async def test_invalid_decision_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    approval = await cast.ask()
    (await decide(cast, approval, **body)).refused(422)
    assert (await Approval.get()).status == "pending"


async def test_empty_or_repeated_decision_is_a_no_op(cast: Cast) -> None:
    approval = await cast.ask()
    assert (await decide(cast, approval)).ok() == approval
    assert (await decide(cast, approval, status="pending")).ok() == approval
    decided = (await decide(cast, approval, status="approved")).ok()
    before = await head(cast)
    assert (await decide(cast, approval, status="approved")).ok() == decided
    assert await kinds(cast, before) == []


async def test_decision_can_be_changed(cast: Cast) -> None:
    approval = await cast.ask()
    (await decide(cast, approval, status="approved")).ok()
    changed = (await cast.ada.patch(f"{cast.approvals}/{approval['id']}", {"status": "rejected"})).ok()
    assert (changed["status"], changed["resolved_by"]["name"]) == ("rejected", "Ada")
    [*_, event] = await events(kind="approval.decided")
    assert orjson.loads(event.data)["before"] == "approved"


async def test_same_decision_with_another_note_is_a_change(cast: Cast) -> None:
    approval = await cast.ask()
    (await decide(cast, approval, decision="approved", note="Well done.")).ok()
    before = await head(cast)
    again = (await decide(cast, approval, decision="approved", note="Well done, Vega.")).ok()
    assert again["note"] == "Well done, Vega."
    assert await kinds(cast, before) == [("approval.decided", cast.vega.id)]


async def test_reopening_clears_the_decision(cast: Cast) -> None:
    approval = await cast.ask()
    (await decide(cast, approval, decision="changes_requested", note="No.")).ok()
    before = await head(cast)
    again = (await decide(cast, approval, status="pending")).ok()
    assert again == approval
    assert await kinds(cast, before) == [("approval.reopened", cast.vega.id)]


async def test_read_can_wait_for_the_decision(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    path = f"{cast.approvals}/{asked['id']}"
    for query in ("", "?wait_seconds=0"):
        assert apart_from_news((await cast.vega.get(f"{path}{query}")).ok()) == asked
    poll = asyncio.create_task(cast.vega.get(f"{path}?wait_seconds=50"))
    while not wakeup_channels.channels_waiting(f"approval:{asked['id']}"):
        assert not poll.done(), poll.result()
        await asyncio.sleep(0.01)
    decided = (await cast.cleo.patch(path, {"status": "approved"})).ok()
    answer = await asyncio.wait_for(poll, 40)  # it would have waited for 50 s
    assert apart_from_news(answer.ok()) == decided
    assert answer.headers["ETag"] == (await cast.vega.get(path)).headers["ETag"]
    (await cast.vega.get(f"{path}?wait_seconds=51")).refused(422)


async def test_first_of_two_decisions_wins(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, await cast.add_task())
    url = f"{cast.home}/approvals/{asked['id']}"
    sentence = "say what should change"
    assert (
        sentence in (await cast.cleo.post(f"{url}/decisions", {"decision": "changes_requested"})).refused(422)[0]["msg"]
    )
    (await cast.cleo.post(f"{url}/decisions", {"decision": "approved", "mood": "x"})).refused(422)
    sent_back = (await cast.cleo.post(f"{url}/decisions", {"decision": "changes_requested", "note": "Shorter."})).ok()
    assert (sent_back["status"], sent_back["decision"], sent_back["note"]) == (
        "rejected",
        "changes_requested",
        "Shorter.",
    )
    late = (await cast.ada.post(f"{url}/decisions", {"decision": "approved"})).refused(409)
    assert "sent back this" in late
    [operation] = [one for one in OPERATIONS if one.operation_id == "decide_approval"]
    operation.errors[409].model_validate({"detail": late})  # as the API document declares it
    assert (await cast.cleo.post(f"{url}/reopenings")).ok()["status"] == "pending"
    assert (await cast.ada.post(f"{url}/decisions", {"decision": "approved"})).ok()["status"] == "approved"
