"""Leases that end: the task comes back, rests, and after several attempts waits for a person."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from mission_control.boards.models import Run
from mission_control.core import times as clock
from mission_control.core.actor import system
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from mission_control.runs.claims.leases import (
    LONGEST_SLEEP_SECONDS,
    SECONDS_UNTIL_ANOTHER_TRY,
    expire_due,
    expire_lease,
    pause_after,
    seconds_left,
)
from mission_control.tasks.models import Task
from tests.cast import Caller, Cast, events, head
from tests.claiming import claim, later, taken, title_of_next

pytestmark = pytest.mark.dialect


async def fail(cast: Cast, times: int = 1) -> dict[str, Any]:
    """Vega takes the one task and says nothing more, so many times; the rest after each is over but the last."""
    task: dict[str, Any] = {}
    for attempt in range(times):
        if attempt:
            await Task.filter(id=task["id"]).update(retry_at=None)
        task = await taken(cast, lease_seconds=60)
        with later(61):
            await expire_due()
    return task


async def test_expired_lease_returns_the_task(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task, before = await taken(cast, lease_seconds=60), await head(cast)
    with later(59):
        assert await expire_due() == 0
    with later(61):
        await expire_due()
        row, run = await Task.get(), await Run.get()
        assert (row.status, row.assigned_agent_id, row.fence, row.failed_attempts) == ("inbox", None, 1, 1)
        assert timedelta(seconds=25) < row.retry_at - clock.clock_now() <= timedelta(seconds=30)
        assert row.in_progress_at is None and row.previous_in_progress_at is not None and row.flagged_at is None
        assert (run.state, run.end_reason) == ("expired", "The lease ran out.") and run.ended_at is not None
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_kind, event.agent_id) == ("task.lease_expired", "system", cast.vega.id)
        assert event.message == "Lease ran out: Polish. Vega did not report in time."
        data = orjson.loads(event.data)
        assert data["fence"] == 1
        assert (data["before"]["status"], data["after"]["status"]) == ("in_progress", "inbox")
        assert (data["after"]["failed_attempts"], data["after"]["assigned_agent_id"]) == (1, None)
        assert await expire_due() == 0
        assert (await cast.vega.get(cast.task(task))).ok()["status"] == "inbox"


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (7, 1920), (8, 3600), (9, 3600), (10_000, 3600)]
)
def test_backoff_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert pause_after(attempts) == timedelta(seconds=seconds)


async def test_failed_task_backs_off_before_its_next_assignment(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    await taken(cast, lease_seconds=60)
    with later(61):
        await expire_due()
        assert await title_of_next(cast, cast.rigel) is None
    with later(100):
        assert (await taken(cast, cast.rigel, lease_seconds=60))["lease"]["fence"] == 2
    with later(161):
        await expire_due()
        assert (await Task.get()).failed_attempts == 2
    with later(200):
        assert await title_of_next(cast) is None
    with later(230):
        assert await title_of_next(cast) == "Polish"


async def test_backoff_ending_during_a_timer_run_is_not_missed(cast: Cast) -> None:
    task, looked_at = await cast.add_task(), clock.clock_now()
    await Task.filter(id=task["id"]).update(retry_at=looked_at + timedelta(milliseconds=1))
    with later(1):
        assert await seconds_left(looked_at) == 0
        assert await seconds_left(clock.clock_now()) == LONGEST_SLEEP_SECONDS
    await cast.add_task()
    await taken(cast, cast.rigel, lease_seconds=14)
    assert 0 < await seconds_left(clock.clock_now()) <= 14
    with later(15):
        assert await seconds_left(clock.clock_now()) == SECONDS_UNTIL_ANOTHER_TRY


async def test_concurrent_sweeps_return_a_task_once(cast: Cast) -> None:
    for _ in range(5):
        await cast.add_task()
        await taken(cast, lease_seconds=60)
    with later(61):
        await asyncio.gather(*(expire_due() for _ in range(4)))
        assert await expire_due() == 0
    assert sorted(row.failed_attempts for row in await Task.all()) == [1] * 5
    assert await Event.filter(kind="task.lease_expired").count() == 5


async def test_extended_lease_is_not_swept(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast, lease_seconds=60)
    run = await Run.get()
    assert await expire_lease(system(cast.organization.id), run.task_id, run.id) is False
    assert (await cast.vega.get(cast.task(task))).ok()["status"] == "in_progress"


async def test_claim_returns_an_expired_task_first(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    await cast.add_task(title="Sweep", priority="low")
    polish = await taken(cast, lease_seconds=60)
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    assert await title_of_next(cast, cast.rigel) is None
    with later(61):
        refused = (await claim(cast, cast.rigel, task_id=polish["id"])).refused(409)
        assert refused["code"] == "task_not_claimable" and "rests" in refused["message"]
        assert await title_of_next(cast, cast.rigel) == "Sweep"
    assert (await Task.get(id=polish["id"])).status == "inbox"


async def test_completed_work_does_not_expire(cast: Cast) -> None:
    for ending in ("done", "review", "inbox"):
        await cast.add_task()
        task = await taken(cast, lease_seconds=60)
        (await cast.vega.patch(cast.task(task), {"status": ending})).ok()
        (await cast.ada.delete(cast.task(task))).ok()
    await cast.add_task()
    deleted = await taken(cast, lease_seconds=60)
    (await cast.ada.delete(cast.task(deleted))).ok()
    with later(65):
        assert await expire_due() == 0
    assert not await Event.filter(kind="task.lease_expired").exists()


async def ask(cast: Cast, task: dict[str, Any]) -> dict[str, Any]:
    wanted = {"action_type": "go", "confidence": 50, "lead_reasoning": "So.", "task_ids": [task["id"]]}
    asked: dict[str, Any] = (await cast.vega.post(cast.approvals, wanted)).ok()
    return asked


@pytest.mark.parametrize("is_blocking", [True, False])
async def test_task_waits_with_its_agent_for_what_it_asked(cast: Cast, is_blocking: bool) -> None:
    (await cast.ada.patch(cast.home, {"block_status_changes_with_pending_approval": is_blocking})).ok()
    await cast.add_task(title="Polish")
    task = await taken(cast, lease_seconds=60)
    asked, before = await ask(cast, task), await head(cast)
    await Task.all().update(failed_attempts=4)
    with later(61):
        await expire_due()
        row, run = await Task.get(), await Run.get()
        assert (row.status, row.failed_attempts, row.flagged_at, row.retry_at) == ("in_progress", 4, None, None)
        assert row.assigned_agent_id == cast.vega.id
        assert (run.state, run.ended_at, run.lease_expires_at) == ("running", None, None) and run.parked_at is not None
        reasons = (await cast.ada.get(f"{cast.task(task)}/waiting")).ok()["reasons"]
        assert "It waits for a decision: go." in [one["text"] for one in reasons]
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.message) == ("task.parked", "Lease ran out. Vega waits for an answer: Polish.")
    with later(3_700):
        assert await title_of_next(cast, cast.rigel) is None
        (await claim(cast, cast.rigel, task_id=task["id"])).refused_as(409, "task_already_claimed")
        assert await title_of_next(cast) is None
        inbox = (await cast.vega.get("/agent/inbox")).ok()
        (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
        [told] = (await cast.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
        assert "Claim the task again" in told["text"]
        again = await taken(cast)
        assert (again["title"], again["lease"]["fence"]) == ("Polish", 1)


async def test_attempts_count_again_after_the_decision(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast, lease_seconds=60)
    (await cast.ada.patch(f"{cast.approvals}/{(await ask(cast, task))['id']}", {"status": "approved"})).ok()
    with later(61):
        await expire_due()
        assert (await Task.get()).failed_attempts == 1


# Flags


async def test_five_failed_attempts_flag_the_task(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    task = await fail(cast, 4)
    assert (await Task.get()).flagged_at is None
    await Task.all().update(retry_at=None)
    before = await head(cast)
    task = await fail(cast)
    row = await Task.get()
    assert row.flagged_at is not None and row.flag_reason == "5 leases ran out in a row, the last one of Vega."
    assert (await cast.ada.get(cast.task(task))).ok()["flagged_at"] is not None
    kinds = [event.kind for event in await events(before, organization_id=cast.organization.id)]
    assert kinds == ["task.status_changed", "task.lease_expired", "task.flagged"]
    notice = await Delivery.get(header="TASK FLAGGED")
    assert notice.agent_id == cast.atlas.id and str(row.flag_reason) in notice.text and "Polish" in notice.text
    with later(days=2):
        assert await title_of_next(cast) is None
        for by, path in ((cast.vega, cast.task(task)), (cast.rigel, f"/agent{cast.task(task)}")):
            refused = (await by.patch(path, {"status": "in_progress"})).refused(409)
            assert refused["code"] == "task_not_claimable" and "waits for a person" in refused["message"]
        started = {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
        (await cast.atlas.patch(cast.task(task), started)).refused(409)


async def test_board_without_a_lead_also_flags_tasks(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()
    await cast.add_task()
    await fail(cast, 5)
    assert (await Task.get()).flagged_at is not None and not await Delivery.filter(header="TASK FLAGGED").exists()


async def flagged(cast: Cast) -> dict[str, Any]:
    """A task that waits for a person."""
    task = await cast.add_task(title="Polish")
    rests = clock.clock_now() + timedelta(hours=1)
    await cast.put(task, failed_attempts=5, flagged_at=clock.clock_now(), flag_reason="It failed.", retry_at=rests)
    return task


async def test_person_clears_the_flag(cast: Cast) -> None:
    task, before = await flagged(cast), await head(cast)
    flag = f"{cast.task(task)}/flag"
    assert (await cast.cleo.delete(flag)).ok() == {"ok": True}
    row = await Task.get()
    assert (row.flagged_at, row.flag_reason, row.failed_attempts, row.retry_at) == (None, None, 0, None)
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, event.message) == ("task.unflagged", cast.cleo.id, "Flag cleared: Polish.")
    (await cast.cleo.delete(flag)).ok()
    assert await head(cast) == event.seq, "what is so already makes no event"
    assert await title_of_next(cast) == "Polish"


@pytest.mark.parametrize("change", ["moves", "assigns to an agent", "assigns to a person", "hands it out"])
async def test_moving_or_assigning_a_task_clears_the_flag(cast: Cast, change: str) -> None:
    task = await flagged(cast)
    sent: dict[str, Any] = {
        "moves": {"status": "review"},
        "assigns to an agent": {"assigned_agent_id": str(cast.vega.id)},
        "assigns to a person": {"assigned_user_id": str(cast.cleo.id)},
        "hands it out": {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)},
    }[change]
    (await cast.ada.patch(cast.task(task), sent)).ok()
    row = await Task.get()
    assert (row.flagged_at, row.flag_reason, row.failed_attempts, row.retry_at) == (None, None, 0, None)


async def test_other_changes_leave_the_flag(cast: Cast) -> None:
    task = await flagged(cast)
    edits: list[tuple[Caller, dict[str, Any]]] = [
        (cast.ada, {"title": "Polish again", "priority": "high"}),
        (cast.atlas, {"assigned_agent_id": str(cast.vega.id)}),
        (cast.vega, {"status": "inbox"}),
    ]
    for by, sent in edits:
        (await by.patch(cast.task(task), sent)).ok()
        assert (await Task.get()).flagged_at is not None
    assert await title_of_next(cast) is None


async def test_completed_work_resets_failed_attempts(cast: Cast) -> None:
    await cast.add_task()
    await fail(cast, 2)
    await Task.all().update(retry_at=None)
    task = await taken(cast)
    assert (await Task.get()).failed_attempts == 2
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    assert (await Task.get()).failed_attempts == 0
