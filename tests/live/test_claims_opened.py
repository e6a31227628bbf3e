"""What opens work wakes who waits for it, and so does the timer."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.runs.claims.leases import LEASES, begin_waited, expire_due
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.claiming import later, taken
from tests.live.waiters import PATIENCE, answer_of, poll
from tests.visitor import visitor

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("looks_are_counted")]


async def finish_what_it_waits_for(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The last task that it waits for is done."""
    before = await cast.add_task(title="before", status="review")
    await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.patch(cast.task(before), {"status": "done"})


async def delete_what_it_waits_for(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The last task that it waits for is deleted."""
    before = await cast.add_task(title="before", status="review")
    await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.delete(cast.task(before))


async def wait_no_longer(cast: Cast) -> Callable[[], Awaitable[Any]]:
    before = await cast.add_task(title="before", status="review")
    task = await cast.add_task(depends_on_task_ids=[before["id"]])
    return lambda: cast.ada.patch(cast.task(task), {"depends_on_task_ids": []})


async def move_back(cast: Cast) -> Callable[[], Awaitable[Any]]:
    task = await cast.add_task(status="review")
    return lambda: cast.ada.patch(cast.task(task), {"status": "inbox"})


async def assign(cast: Cast) -> Callable[[], Awaitable[Any]]:
    task = await cast.add_task(assigned_user_id=str(cast.cleo.id))
    return lambda: cast.ada.patch(cast.task(task), {"assigned_agent_id": str(cast.vega.id)})


async def restore(cast: Cast) -> Callable[[], Awaitable[Any]]:
    task = await cast.add_task()
    (await cast.ada.delete(cast.task(task))).ok()
    return lambda: cast.ada.post(f"{cast.task(task)}/restorations")


async def decide(cast: Cast) -> Callable[[], Awaitable[Any]]:
    asked = await cast.ask(cast.vega, await cast.add_task())
    await cast.rule(block_status_changes_with_pending_approval=True)
    return lambda: cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})


async def lift_a_columns_limit(cast: Cast) -> Callable[[], Awaitable[Any]]:
    await cast.add_task(status="in_progress", assigned_user_id=str(cast.cleo.id))
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    return lambda: cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 2}})


async def make_room(cast: Cast) -> Callable[[], Awaitable[Any]]:
    full = await cast.add_task(status="review")
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"review": 1}})).ok()
    return lambda: cast.ada.patch(cast.task(full), {"status": "done"})


async def go_on_with_what_was_reviewed(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """A card goes from the full column back to work."""
    full = await cast.add_task(status="review")
    await cast.add_task()
    (await cast.ada.patch(cast.home, {"wip_limits": {"review": 1}})).ok()
    return lambda: cast.ada.patch(cast.task(full), {"status": "in_progress", "assigned_user_id": str(cast.cleo.id)})


async def lift_its_own_limit(cast: Cast) -> Callable[[], Awaitable[Any]]:
    await cast.add_task()
    await taken(cast)
    await cast.add_task()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    return lambda: cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 2})


async def learn(cast: Cast) -> Callable[[], Awaitable[Any]]:
    await cast.add_task()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": ["glass"]})).ok()
    return lambda: cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": None})


async def call_a_tag_by_the_name_that_it_asks_for(cast: Cast) -> Callable[[], Awaitable[Any]]:
    """The tag of a task has the name now by which the agent asks for it."""
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"claim_tags": ["glass"]})).ok()
    tag = (await cast.ada.post("/tags", {"name": "Pane"})).ok()
    await cast.add_task(tag_ids=[tag["id"]])
    return lambda: cast.ada.patch(f"/tags/{tag['id']}", {"slug": "glass"})


async def clear_a_flag(cast: Cast) -> Callable[[], Awaitable[Any]]:
    task = await cast.add_task()
    await cast.put(task, flagged_at=times.clock_now(), flag_reason="It failed.", failed_attempts=5)
    return lambda: cast.ada.delete(f"{cast.task(task)}/flag")


async def let_it_begin_now(cast: Cast) -> Callable[[], Awaitable[Any]]:
    task = await cast.add_task(not_before=times.wire(times.clock_now() + timedelta(hours=1)))
    now = times.wire(times.clock_now() - timedelta(seconds=1))
    return lambda: cast.ada.patch(cast.task(task), {"not_before": now})


OPENINGS = (
    finish_what_it_waits_for, delete_what_it_waits_for, wait_no_longer, move_back, assign, restore, decide,
    lift_a_columns_limit, make_room, go_on_with_what_was_reviewed, lift_its_own_limit, learn,
    call_a_tag_by_the_name_that_it_asks_for, clear_a_flag, let_it_begin_now,
)  # fmt: skip


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda one: one.__name__)
async def test_newly_available_work_wakes_waiters(
    cast: Cast, opening: Callable[[Cast], Awaitable[Callable[[], Awaitable[Any]]]]
) -> None:
    open_up = await opening(cast)
    waiting = await poll(cast)
    assert not waiting.done()
    (await open_up()).ok()
    assert (await answer_of(waiting))["task"] is not None


async def test_expired_lease_wakes_waiters(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 1}})).ok()
    await cast.add_task(title="held", priority="high")
    await cast.add_task(title="next")
    await taken(cast, cast.rigel)
    waiting = await poll(cast)
    with later(901):
        await expire_due()
    assert (await answer_of(waiting))["task"]["title"] == "next"


async def test_ended_backoff_wakes_waiters(cast: Cast) -> None:
    task = await cast.add_task()
    now = times.clock_now()
    await cast.put(task, retry_at=now + timedelta(seconds=30))
    waiting = await poll(cast)
    with later(31):
        await begin_waited(now, times.clock_now())
        assert (await answer_of(waiting))["task"]["id"] == task["id"]


async def test_open_pages_say_that_the_moment_has_come(cast: Cast) -> None:
    now = times.clock_now()
    task = await cast.add_task(title="Tonight", not_before=times.wire(now + timedelta(minutes=30)))
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        with later(minutes=31):
            await begin_waited(now, times.clock_now())
            await watch.until(f'id="task-{task["id"]}"')
            await watch.until("No agent that could take it is online")
    assert "Not before" not in watch.text


async def test_timer_returns_expired_tasks(cast: Cast) -> None:
    await cast.add_task()
    await taken(cast, lease_seconds=1)
    async with asyncio.timeout(PATIENCE):
        while (await Task.get()).status != "inbox":
            await asyncio.sleep(0.05)
    assert (await Run.get()).state == "expired"


async def test_timer_wakes_waiters_when_backoff_ends(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.put(task, retry_at=times.clock_now() + timedelta(hours=1))
    waiting = await poll(cast)
    await cast.put(task, retry_at=times.clock_now() + timedelta(seconds=1))
    LEASES.no_later_than(times.clock_now())  # the timer looks, and learns of the rest
    assert (await answer_of(waiting))["task"]["id"] == task["id"]


async def test_moment_that_comes_wakes_waiters(cast: Cast) -> None:
    task = await cast.add_task(not_before=times.wire(times.clock_now() + timedelta(hours=1)))
    waiting = await poll(cast)
    soon = times.clock_now() + timedelta(seconds=1)
    (await cast.ada.patch(cast.task(task), {"not_before": times.wire(soon)})).ok()
    assert (await answer_of(waiting))["task"]["id"] == task["id"]
    assert times.clock_now() >= soon


async def test_moment_that_is_taken_away_wakes_waiters(cast: Cast) -> None:
    task = await cast.add_task(not_before=times.wire(times.clock_now() + timedelta(hours=1)))
    waiting = await poll(cast)
    (await cast.ada.patch(cast.task(task), {"not_before": None})).ok()
    assert (await answer_of(waiting))["task"]["id"] == task["id"]
