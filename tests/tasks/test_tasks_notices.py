"""Who is told of a change to a task, under which heading, and which event the outcome will have."""

from typing import Any

import pytest

from mission_control.events.leases import Delivery
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def told(cast: Cast) -> list[tuple[str, str, str | None]]:
    """Who was told what, and the event that a success records; the list is emptied."""
    agents = (cast.atlas, cast.vega, cast.rigel, cast.mira, cast.nova)
    names = {str(one.id): one.name.split()[0].lower() for one in agents}
    found = [(names[str(one.agent_id)], one.header, one.data.get("succeeded")) for one in await Delivery.all()]
    await Delivery.all().delete()
    return sorted(found, key=str)


async def test_lead_is_notified_of_new_tasks(cast: Cast) -> None:
    await cast.add_task()
    assert await told(cast) == [("atlas", "NEW TASK ADDED", "task.lead_notified")]
    await cast.add_task(assigned_agent_id=cast.vega.id)
    assert await told(cast) == [
        ("atlas", "NEW TASK ADDED", "task.lead_notified"),
        ("vega", "TASK ASSIGNED", "task.assignee_notified"),
    ]


async def test_lead_is_not_notified_of_its_own_task(cast: Cast) -> None:
    body = {"title": "Mine", "assigned_agent_id": cast.vega.id}
    (await cast.atlas.post(f"/agent{cast.tasks}", body)).ok()
    assert await told(cast) == [("vega", "TASK ASSIGNED", "task.assignee_notified")]


BACK = ("atlas", "TASK BACK IN INBOX", "task.lead_unassigned_notified")
AWAY = ("vega", "TASK TAKEN AWAY", None)
CHANGES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], list[tuple[str, str, str | None]]]] = {
    # who, state before, body, expected
    "a person assigns": ("ada", {}, "vega", {}, [("vega", "TASK ASSIGNED", "task.assignee_notified")]),
    "a person assigns the same": ("ada", {"assigned": "vega"}, "vega", {}, []),
    "a person takes back": (
        "ada", {"assigned": "vega", "status": "in_progress"}, "", {"status": "inbox"}, [BACK, AWAY],
    ),
    "a person unassigns in the inbox": ("ada", {"assigned": "vega"}, "none", {}, [BACK, AWAY]),
    "a person gives it to another": (
        "ada", {"assigned": "vega"}, "rigel", {}, [("rigel", "TASK ASSIGNED", "task.assignee_notified"), AWAY],
    ),
    "a person takes a done one": ("ada", {"assigned": "vega", "status": "done"}, "none", {}, []),
    "a person takes the lead's review back": (
        "ada", {"assigned": "atlas", "status": "review"}, "", {"status": "inbox"}, [BACK],
    ),
    "a person moves to review": (
        "ada", {"assigned": "vega", "status": "in_progress"}, "", {"status": "review"},
        [("atlas", "TASK READY FOR LEAD REVIEW", "task.assignee_notified"), AWAY],
    ),
    "a person starts": ("ada", {"assigned": "vega"}, "", {"status": "in_progress"}, []),
    "a worker claims": ("vega", {}, "", {"status": "in_progress"}, []),
    "a worker hands in": (
        "vega", {"assigned": "vega", "status": "in_progress"}, "", {"status": "review"},
        [("atlas", "TASK READY FOR LEAD REVIEW", "task.assignee_notified")],
    ),
    "a worker gives up": ("vega", {"assigned": "vega", "status": "in_progress"}, "", {"status": "inbox"}, [BACK]),
    "a lead assigns": ("atlas", {}, "vega", {}, [("vega", "TASK ASSIGNED", "task.assignee_notified")]),
    "a lead unassigns": ("atlas", {"assigned": "vega"}, "none", {}, [AWAY]),
    "a lead sends back": (
        "atlas", {"assigned": "atlas", "status": "review", "review": "vega"}, "", {"status": "inbox"},
        [("vega", "CHANGES REQUESTED", "task.rework_notified")],
    ),
    "a lead sends back nobody's": ("atlas", {"assigned": "atlas", "status": "review"}, "", {"status": "inbox"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
async def test_change_notifies_the_right_agents(cast: Cast, case: str) -> None:
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


async def test_lead_is_not_asked_to_assign_a_persons_task(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    await told(cast)
    (await cast.ada.patch(cast.task(task), {"status": "inbox", "assigned_user_id": cast.cleo.id})).ok()
    assert await told(cast) == [AWAY]
    (await cast.ada.patch(cast.task(task), {"assigned_user_id": None})).ok()
    assert await told(cast) == [BACK]


@pytest.mark.parametrize("owner", ["vega", "cleo", None])
@pytest.mark.parametrize("what", ["finished", "deleted"])
async def test_unblocked_task_notifies_assignee_or_lead(cast: Cast, owner: str | None, what: str) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    waiting = await cast.add_task(depends_on_task_ids=[first["id"], second["id"]])
    column = {"vega": "assigned_agent_id", "cleo": "assigned_user_id"}
    await cast.put(waiting, **({column[owner]: getattr(cast, owner).id} if owner else {}))
    await told(cast)
    for task in (first, second):
        assert await told(cast) == []
        if what == "finished":
            (await cast.ada.patch(cast.task(task), {"status": "done"})).ok()
        else:
            (await cast.ada.delete(cast.task(task))).ok()
    hears = {"vega": ["vega"], "cleo": [], None: ["atlas"]}[owner]
    assert await told(cast) == [(name, "TASK UNBLOCKED", None) for name in hears]


@pytest.mark.parametrize("what", ["reopened", "restored", "deleted itself"])
async def test_worker_is_notified_that_its_work_is_stopped(cast: Cast, what: str) -> None:
    first = await cast.add_task(status="done" if what == "reopened" else "inbox")
    task = await cast.add_task(depends_on_task_ids=[first["id"]])
    if what != "reopened":
        (await cast.ada.delete(cast.task(first))).ok()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await told(cast)
    if what == "reopened":
        (await cast.ada.patch(cast.task(first), {"status": "review"})).ok()
    elif what == "restored":
        (await cast.ada.post(f"{cast.task(first)}/restorations")).ok()
    else:
        (await cast.ada.delete(cast.task(task))).ok()
    notices = await Delivery.filter(agent_id=cast.vega.id)
    why = {"deleted itself": "It was deleted."}.get(what, "A task that it waits for was")
    assert [one.header for one in notices] == ["TASK TAKEN AWAY"] and why in notices[0].text


@pytest.mark.parametrize("status", ["inbox", "in_progress", "review", "done"])
async def test_restored_task_notifies_who_was_notified_of_its_deletion(cast: Cast, status: str) -> None:
    task = await cast.add_task(status=status, assigned_agent_id=str(cast.vega.id))
    (await cast.ada.delete(cast.task(task))).ok()
    await Delivery.all().delete()
    restored = (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
    assert (restored["status"], restored["assigned_agent_id"]) == (status, str(cast.vega.id))
    expected = [] if status == "done" else [("vega", "TASK ASSIGNED", "task.assignee_notified")]
    assert await told(cast) == expected


async def test_rework_notice_quotes_the_leads_latest_comment(cast: Cast) -> None:
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


async def test_board_without_a_lead_notifies_nobody(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    await cast.add_task()
    assert await told(cast) == []


async def test_refused_change_notifies_nobody(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await told(cast)
    body = {"status": "done", "assigned_agent_id": cast.rigel.id}
    (await cast.ada.patch(cast.task(task), body)).refused(409)
    assert await told(cast) == []
