"""The history of an approval."""

import pytest
from pydantic import TypeAdapter

from mission_control.approvals.queries import ApprovalHistoryItem
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def test_approval_history_keeps_decider_decision_and_note(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    path = f"{cast.approvals}/{asked['id']}"
    (await cast.cleo.patch(path, {"decision": "changes_requested", "note": "Add the figures."})).ok()
    (await cast.ada.patch(path, {"status": "pending"})).ok()
    (await cast.ben.patch(path, {"status": "approved"})).ok()
    items = (await cast.dan.get(f"{path}/history")).ok()["items"]
    TypeAdapter(list[ApprovalHistoryItem]).validate_python(items)
    told = [(one["event_type"], one["actor"]["name"], one["decision"], one["note"]) for one in items]
    assert told == [
        ("approval.requested", "Vega", None, None),
        ("approval.decided", "Cleo", "changes_requested", "Add the figures."),
        ("approval.reopened", "Ada", None, None),
        ("approval.decided", "Ben", "approved", None),
    ]
    assert [one["seq"] for one in items] == sorted(one["seq"] for one in items)
    now = (await cast.vega.get(path)).ok()
    assert now["decision"] == "approved" and now["note"] is None and now["resolved_by"]["name"] == "Ben"
