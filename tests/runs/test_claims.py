"""Claims: which task a worker is handed, in which order, and what stands against it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from mission_control.boards.models import Board, Run
from mission_control.core import times
from mission_control.events.wakeup_channels import waiting
from tests.cast import Cast, events, head, stamp
from tests.claiming import claim, later, release, taken, title_of_next
from tests.moments import parsed

pytestmark = pytest.mark.dialect


async def test_claim_assigns_a_task_with_a_lease(cast: Cast) -> None:
    task, before = await cast.add_task(title="Polish"), await head(cast)
    body = (await claim(cast)).ok()
    assert body["task"] == (await cast.vega.get(cast.task(task))).ok()
    assert (body["task"]["status"], body["task"]["assigned_agent_id"]) == ("in_progress", str(cast.vega.id))
    assert body["task"]["fence"] == body["lease"]["fence"] == 1 and body["task"]["in_progress_at"] is not None
    ends_in = parsed(body["lease"]["expires_at"]) - times.clock_now()
    assert timedelta(seconds=890) < ends_in <= timedelta(seconds=900)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.agent_id, str(event.task_id)) == ("task.status_changed", cast.vega.id, task["id"])
    [run] = await Run.all()
    assert (run.state, run.agent_id, run.fence, run.lease_expires_at) == (
        "running", cast.vega.id, 1, parsed(body["lease"]["expires_at"]),
    )  # fmt: skip


async def test_claim_without_work_returns_null_and_records_nothing(cast: Cast) -> None:
    before = await head(cast)
    bodies: list[dict[str, Any]] = [{}, {"tags": ["optics"]}]
    for body in bodies:
        assert (await claim(cast, **body)).ok() == {"task": None, "lease": None, "reason": None}
    assert (await cast.vega.post(f"/agent{cast.home}/claims")).ok() == {"task": None, "lease": None, "reason": None}
    assert await head(cast) == before


async def test_lease_has_the_requested_length(cast: Cast) -> None:
    for seconds in (1, 86_400):
        await cast.add_task()
        task = await taken(cast, lease_seconds=seconds)
        left = parsed(task["lease"]["expires_at"]) - times.clock_now()
        assert timedelta(seconds=seconds - 10) < left <= timedelta(seconds=seconds)


# The order


async def test_own_tasks_come_first_then_priority_due_date_and_age(cast: Cast) -> None:
    await cast.add_task(title="old", priority="low")
    await cast.add_task(title="medium")
    await cast.add_task(title="critical", priority="Critical")
    await cast.add_task(title="urgent, due", priority="urgent", due_at=stamp(9000))
    await cast.add_task(title="high, due late", priority="high", due_at=stamp(200))
    await cast.add_task(title="high, due soon", priority="HIGH", due_at=stamp(100))
    await cast.add_task(title="odd", priority="someday")
    await cast.add_task(title="own", priority="low", assigned_agent_id=cast.vega.id)
    found = [await title_of_next(cast) for _ in range(9)]
    assert found == [
        "own", "urgent, due", "critical", "high, due soon", "high, due late", "medium", "old", "odd", None,
    ]  # fmt: skip


async def test_priority_rises_one_step_per_day_of_waiting(cast: Cast) -> None:
    for title, priority, hours in (
        ("low for a day", "low", 25),
        ("high", "high", 0),
        ("medium for a day", "medium", 26),
        ("low for three days", "low", 73),
        ("urgent", "urgent", 0),
        ("low for ages", "low", 7 * 24),
        ("medium", "medium", 1),
        ("low, nearly a day", "low", 23),
        ("high for a day", "high", 24.5),
    ):
        task = await cast.add_task(title=title, priority=priority)
        await cast.put(task, created_at=times.clock_now() - timedelta(hours=hours))
    found = [await title_of_next(cast) for _ in range(9)]
    assert found == [
        "low for ages", "low for three days", "high for a day", "urgent",  # step 0, the oldest first
        "medium for a day", "high", "low for a day", "medium", "low, nearly a day",
    ]  # fmt: skip


# Tasks that are never assigned


async def test_ineligible_tasks_are_never_assigned(cast: Cast) -> None:
    waits_for = await cast.add_task(title="first", status="review")
    soon, past = times.clock_now() + timedelta(minutes=1), times.clock_now() - timedelta(minutes=1)
    for title, fields, columns in (
        ("a person's", {"assigned_user_id": str(cast.cleo.id)}, {}),
        ("another agent's", {"assigned_agent_id": str(cast.rigel.id)}, {}),
        ("blocked", {"depends_on_task_ids": [waits_for["id"]]}, {}),
        ("resting", {}, {"retry_at": soon}),
        ("flagged", {}, {"flagged_at": past, "flag_reason": "It failed."}),
        ("in review", {"status": "review"}, {}),
        ("done", {"status": "done"}, {}),
    ):
        task = await cast.add_task(title=title, **fields)
        if columns:
            await cast.put(task, **columns)
    (await cast.ada.delete(cast.task(await cast.add_task(title="deleted")))).ok()
    assert await title_of_next(cast) is None
    with later(61):
        assert await title_of_next(cast) == "resting"
    await cast.put(waits_for, status="done")
    assert await title_of_next(cast) == "blocked"
    assert await title_of_next(cast) is None


async def test_pending_approval_holds_a_task_if_the_board_requires_it(cast: Cast) -> None:
    held = await cast.add_task(title="held")
    asked = await cast.ask(cast.vega, held)
    await cast.rule(block_status_changes_with_pending_approval=True)
    assert await title_of_next(cast) is None
    assert (await claim(cast, task_id=held["id"])).refused(409)["code"] == "task_has_pending_approval"
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "rejected"})).ok()
    assert await title_of_next(cast) == "held"
    await cast.ask(cast.vega, await cast.add_task(title="free"))
    await cast.rule(block_status_changes_with_pending_approval=False)
    assert await title_of_next(cast) == "free"


async def test_claims_are_disabled_where_only_the_lead_starts_tasks(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.rule(only_lead_can_change_status=True)
    for wanted in ({}, {"task_id": task["id"]}, {"wait_seconds": 20}):
        assert (await claim(cast, **wanted)).refused(409)["code"] == "claims_disabled"
    assert waiting(f"work:{cast.board.id}") == 0


async def test_deleted_board_assigns_nothing(cast: Cast) -> None:
    await cast.add_task()
    await Board.filter(id=cast.board.id).update(deleted_at=times.clock_now())
    (await claim(cast)).refused(401)


# Tags


async def tagged(cast: Cast, title: str, *slugs: str) -> dict[str, Any]:
    """A task with tags, which are made when they are not there."""
    known = {tag["slug"]: tag["id"] for tag in (await cast.ada.get("/tags")).ok()["items"]}
    for slug in slugs:
        if slug not in known:
            known[slug] = (await cast.ada.post("/tags", {"name": slug})).ok()["id"]
    return await cast.add_task(title=title, tag_ids=[known[slug] for slug in slugs])


async def test_claim_can_be_limited_to_tags(cast: Cast) -> None:
    await cast.add_task(title="plain", priority="urgent")
    glass = await tagged(cast, "glass", "glass", "heavy")
    await tagged(cast, "steel", "steel")
    assert await title_of_next(cast, tags=["wood"]) is None
    assert await title_of_next(cast, tags=["steel", "wood"]) == "steel"
    by_id = next(tag["id"] for tag in glass["tags"] if tag["slug"] == "heavy")
    assert await title_of_next(cast, tags=[by_id]) == "glass"
    assert await title_of_next(cast, tags=[]) == "plain"


async def test_agent_gets_only_tasks_with_its_tags(cast: Cast) -> None:
    plain = await cast.add_task(title="plain", priority="urgent")
    await tagged(cast, "glass", "glass")
    steel = await tagged(cast, "steel", "steel", "glass")
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": ["glass", "wood"]})).ok()
    assert await title_of_next(cast, tags=["steel"]) == "steel"
    assert await title_of_next(cast) == "glass"
    assert await title_of_next(cast) is None
    refused = (await claim(cast, task_id=plain["id"])).refused(409)
    assert refused["code"] == "task_not_claimable" and "glass, wood" in refused["message"]
    assert await title_of_next(cast, cast.rigel) == "plain"
    (await cast.ada.patch(cast.task(steel), {"status": "inbox"})).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": []})).ok()
    assert await title_of_next(cast, task_id=steel["id"], tags=["glass"]) == "steel"


async def test_assigned_tasks_ignore_claim_tags(cast: Cast) -> None:
    await cast.add_task(title="nobody's", priority="urgent")
    mine = await cast.add_task(title="mine", assigned_agent_id=cast.vega.id)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": ["glass"]})).ok()
    assert await title_of_next(cast, tags=["glass"]) is None
    assert await title_of_next(cast) == "mine"
    assert await title_of_next(cast) is None
    (await release(cast, mine, fence=1)).ok()
    (await cast.ada.patch(cast.task(mine), {"assigned_agent_id": str(cast.vega.id)})).ok()
    assert await title_of_next(cast, task_id=mine["id"]) == "mine"


# One task by its name


async def test_named_task_is_claimed(cast: Cast) -> None:
    await cast.add_task(priority="urgent")
    task = await cast.add_task(title="This one")
    assert (await taken(cast, task_id=task["id"], wait_seconds=50))["id"] == task["id"]


async def test_refused_named_claim_gives_the_reason(cast: Cast) -> None:
    waits_for = await cast.add_task(title="first")
    cases: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("task_already_claimed", "agent", {"assigned_agent_id": str(cast.rigel.id)}, {}),
        ("task_not_claimable", "person", {"assigned_user_id": str(cast.cleo.id)}, {}),
        ("task_not_claimable", "review", {"status": "review"}, {}),
        ("task_not_claimable", "done", {"status": "done"}, {}),
        ("task_not_claimable", "in_progress", {"status": "in_progress"}, {}),
        ("task_not_claimable", "rests", {}, {"retry_at": times.clock_now() + timedelta(hours=1)}),
        ("task_not_claimable", "It failed.", {}, {"flagged_at": times.clock_now(), "flag_reason": "It failed."}),
        ("task_blocked_cannot_transition", "waits", {"depends_on_task_ids": [waits_for["id"]]}, {}),
    ]
    for code, word, fields, columns in cases:
        task = await cast.add_task(**fields)
        await cast.put(task, **columns, fence=task["fence"])
        refused = (await claim(cast, task_id=task["id"])).refused(409)
        assert refused["code"] == code and word in refused["message"], refused
    for gone in (str(uuid4()), (await deleted(cast))["id"]):
        (await claim(cast, task_id=gone)).refused(404)


async def deleted(cast: Cast) -> dict[str, Any]:
    """A task that is in the trash."""
    task = await cast.add_task()
    (await cast.ada.delete(cast.task(task))).ok()
    return task


async def test_claim_of_a_running_task_is_a_conflict(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    for wanted in ({}, {"wait_seconds": 50}):
        refused = (await claim(cast, cast.rigel, task_id=task["id"], **wanted)).refused(409)
        assert refused["code"] == "task_already_claimed"


async def test_claim_of_own_running_task_renews_its_lease(cast: Cast) -> None:
    await cast.add_task()
    first, before = await taken(cast, lease_seconds=60), await head(cast)
    with later(30):
        again = await taken(cast, task_id=first["id"], lease_seconds=600)
    assert again["lease"]["fence"] == 1 and again["lease"]["expires_at"] > first["lease"]["expires_at"]
    assert await head(cast) == before and await Run.all().count() == 1
    with later(700):
        assert (await claim(cast, task_id=first["id"])).refused(409)["code"] == "task_not_claimable"


async def test_claim_gives_a_lease_to_a_task_started_by_patch(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    assert (await Run.get()).lease_expires_at is None
    assert (await taken(cast, task_id=task["id"]))["lease"]["fence"] == 1
    assert (await Run.get()).lease_expires_at is not None


async def test_stale_fence_header_does_not_block_a_claim(cast: Cast) -> None:
    await cast.add_task()
    first = await taken(cast)
    (await cast.ada.patch(cast.task(first), {"status": "inbox"})).ok()
    stale = {"X-Task-Fence": "1"}
    answer = await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": first["id"]}, headers=stale)
    assert answer.ok()["lease"]["fence"] == 2


async def test_fence_grows_with_every_assignment(cast: Cast) -> None:
    task = await cast.add_task()
    for fence in (1, 2, 3, 4):
        if fence % 2:
            assert (await taken(cast))["lease"]["fence"] == fence
        else:
            assert (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()["fence"] == fence
        (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()
    assert [run.state for run in await Run.all()] == ["released"] * 4
