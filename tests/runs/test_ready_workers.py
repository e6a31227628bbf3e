"""Which workers of a board are ready, and handing a task to one of them."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from mission_control.runs.claims import readiness
from tests.cast import Caller, Cast
from tests.claiming import taken

pytestmark = pytest.mark.dialect


@pytest.fixture(autouse=True)
def _gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "ASKS_AGAIN_SECONDS", 0.0)


async def workers_of(cast: Cast, by: Caller | None = None) -> dict[str, dict[str, Any]]:
    found = (await (by or cast.ada).get(f"{cast.home}/workers")).ok()
    assert found["total"] == len(found["items"])
    return {one["agent_name"]: one for one in found["items"]}


async def waits(by: Caller, **wanted: Any) -> "asyncio.Task[Any]":
    waiting = asyncio.create_task(by.post("/agent/next", {"wait_seconds": 50, **wanted}))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    return waiting


async def state_of(cast: Cast, name: str, wanted: str) -> dict[str, Any]:
    """Return a worker once it has a state: notifications between processes take a moment."""
    for _ in range(100):
        if (found := (await workers_of(cast))[name])["state"] == wanted:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def test_a_worker_is_ready_while_it_waits_and_gets_what_it_is_handed(cast: Cast) -> None:
    await cast.add_task(title="Older", priority="critical", assigned_user_id=str(cast.ada.id))
    assert (await workers_of(cast))["Vega"]["state"] == "away" and "Atlas" not in await workers_of(cast)
    waiting = await waits(cast.vega, places=2, program="codex")
    found = await state_of(cast, "Vega", "ready")
    assert (found["places"], found["tasks"]) == (2, [])
    assert found["waits"] == [{"program": "codex", "host_label": None, "places": 2}]
    assert next(iter(await workers_of(cast))) == "Vega"
    task = (await cast.ada.post(f"{cast.home}/tasks", {"title": "Polish", "assigned_agent_id": str(cast.vega.id)})).ok()
    answer = (await waiting).ok()
    assert (answer["kind"], answer["task"]["id"]) == ("work", task["id"])
    busy = await state_of(cast, "Vega", "busy")
    assert (busy["places"], busy["waits"], [one["number"] for one in busy["tasks"]]) == (0, [], [task["number"]])


async def test_a_handed_task_comes_before_all_others(cast: Cast) -> None:
    await cast.add_task(title="Urgent", priority="critical")
    task = await cast.add_task(title="Small", priority="low")
    (await cast.ada.patch(cast.task(task), {"assigned_agent_id": str(cast.vega.id)})).ok()
    assert (await cast.vega.post("/agent/next")).ok()["task"]["id"] == task["id"]


async def test_a_worker_with_a_free_place_is_ready_beside_its_work(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast)
    waiting = await waits(cast.vega)
    found = await state_of(cast, "Vega", "ready")
    assert (found["places"], [one["number"] for one in found["tasks"]]) == (1, [task["number"]])
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    assert (await workers_of(cast))["Vega"]["state"] == "busy"
    waiting.cancel()


async def test_a_worker_that_hangs_up_is_ready_no_longer(cast: Cast) -> None:
    waiting = await waits(cast.vega)
    await state_of(cast, "Vega", "ready")
    waiting.cancel()
    assert (await state_of(cast, "Vega", "away"))["waits"] == []


async def test_a_wait_that_ends_with_nothing_is_kept_until_the_next(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "ASKS_AGAIN_SECONDS", 60.0)
    (await cast.vega.post("/agent/next", {"wait_seconds": 1})).ok()
    assert (await workers_of(cast))["Vega"]["state"] == "ready"


async def test_paused_workers_are_not_ready(cast: Cast) -> None:
    waiting = await waits(cast.vega, kinds=["work"])
    await state_of(cast, "Vega", "ready")
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "paused"})).ok()
    assert (await state_of(cast, "Vega", "paused"))["places"] == 0
    waiting.cancel()


async def test_a_board_where_only_the_lead_starts_work_has_no_ready_workers(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"only_lead_can_change_status": True})).ok()
    waiting = await waits(cast.vega)
    assert (await workers_of(cast))["Vega"]["state"] == "away"
    waiting.cancel()


async def test_a_wait_of_another_process_counts_until_it_says_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = f"{cast.organization.id}:{cast.board.id}:{cast.vega.id}:::1"
    readiness.WAITING.hear(f"workers:here:{member}")
    assert (await workers_of(cast))["Vega"]["state"] == "ready"
    monkeypatch.setattr("mission_control.background.presence.time", SimpleNamespace(monotonic=lambda: 1e12))
    await readiness.WAITING.repeat()
    assert (await workers_of(cast))["Vega"]["state"] == "away"
