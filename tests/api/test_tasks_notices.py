"""Who is told of a change to a task, under which heading, and which event the outcome will have."""

from typing import Any

import pytest

from mission_control.delivery.models import Delivery
from tests.cast import Cast


async def told(cast: Cast) -> list[tuple[str, str, str | None]]:
    """Who was told what, and the event that a success records; the list is emptied."""
    names = {one.id: one.name.split()[0].lower() for one in (cast.atlas, cast.vega, cast.rigel, cast.mira, cast.nova)}
    found = [(names[one.agent_id], one.header, one.data.get("succeeded")) for one in await Delivery.all()]
    await Delivery.all().delete()
    return sorted(found, key=str)


async def test_the_lead_hears_of_what_people_add(cast: Cast) -> None:
    await cast.add_task()
    assert await told(cast) == [("atlas", "NEW TASK ADDED", "task.lead_notified")]
    await cast.add_task(assigned_agent_id=cast.vega.id)
    assert await told(cast) == [
        ("atlas", "NEW TASK ADDED", "task.lead_notified"),
        ("vega", "TASK ASSIGNED", "task.assignee_notified"),
    ]


async def test_a_lead_that_creates_is_not_told(cast: Cast) -> None:
    body = {"title": "Mine", "assigned_agent_id": cast.vega.id}
    (await cast.atlas.post(f"/agent{cast.tasks}", body)).ok()
    assert await told(cast) == [("vega", "TASK ASSIGNED", "task.assignee_notified")]


BACK = ("atlas", "TASK BACK IN INBOX", "task.lead_unassigned_notified")
CHANGES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], list[tuple[str, str, str]]]] = {
    # who, state before, body, expected
    "a person assigns": ("ada", {}, "vega", {}, [("vega", "TASK ASSIGNED", "task.assignee_notified")]),
    "a person assigns the same": ("ada", {"assigned": "vega"}, "vega", {}, []),
    "a person takes back": ("ada", {"assigned": "vega", "status": "in_progress"}, "", {"status": "inbox"}, [BACK]),
    "a person unassigns in the inbox": ("ada", {"assigned": "vega"}, "none", {}, [BACK]),
    "a person moves to review": (
        "ada", {"assigned": "vega", "status": "in_progress"}, "", {"status": "review"},
        [("atlas", "TASK READY FOR LEAD REVIEW", "task.assignee_notified")],
    ),
    "a person starts": ("ada", {"assigned": "vega"}, "", {"status": "in_progress"}, []),
    "a worker claims": ("vega", {}, "", {"status": "in_progress"}, []),
    "a worker hands in": (
        "vega", {"assigned": "vega", "status": "in_progress"}, "", {"status": "review"},
        [("atlas", "TASK READY FOR LEAD REVIEW", "task.assignee_notified")],
    ),
    "a worker gives up": ("vega", {"assigned": "vega", "status": "in_progress"}, "", {"status": "inbox"}, [BACK]),
    "a lead assigns": ("atlas", {}, "vega", {}, [("vega", "TASK ASSIGNED", "task.assignee_notified")]),
    "a lead unassigns": ("atlas", {"assigned": "vega"}, "none", {}, []),
    "a lead sends back": (
        "atlas", {"assigned": "atlas", "status": "review", "review": "vega"}, "", {"status": "inbox"},
        [("vega", "CHANGES REQUESTED", "task.rework_notified")],
    ),
    "a lead sends back nobody's": ("atlas", {"assigned": "atlas", "status": "review"}, "", {"status": "inbox"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
async def test_who_is_told_of_a_change(cast: Cast, case: str) -> None:
    who, before, named, body, expected = CHANGES[case]
    task = await cast.add_task()
    columns = {"status": before.get("status", "inbox")}
    for key, column in (("assigned", "assigned_agent_id"), ("review", "review_agent_id")):
        if key in before:
            columns[column] = getattr(cast, before[key]).id
    await cast.put(task, **columns)
    await told(cast)
    sent = body | ({"assigned_agent_id": getattr(cast, named).id if named != "none" else None} if named else {})
    (await getattr(cast, who).patch(cast.task(task), sent)).ok()
    assert await told(cast) == expected


async def test_work_sent_back_quotes_the_leads_latest_comment(cast: Cast) -> None:
    task = await cast.add_task()
    path = cast.task(task)
    for status in ("in_progress", "review"):
        (await cast.vega.patch(path, {"status": status})).ok()
    (await cast.atlas.post(f"{path}/comments", {"message": "Too short."})).ok()
    await told(cast)
    (await cast.atlas.patch(path, {"status": "inbox"})).ok()
    [notice] = await Delivery.all()
    assert notice.text.endswith("Too short.")
    assert (notice.data["failed"], notice.board_id) == ("task.rework_notify_failed", cast.board.id)
    assert (notice.organization_id, str(notice.task_id)) == (cast.organization.id, task["id"])


async def test_without_a_lead_nobody_is_told(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    await cast.add_task()
    assert await told(cast) == []


async def test_a_refused_change_tells_nobody(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await told(cast)
    body = {"status": "done", "assigned_agent_id": cast.rigel.id}
    (await cast.ada.patch(cast.task(task), body)).refused(409)
    assert await told(cast) == []
