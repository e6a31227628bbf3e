"""The history of attempts: of a task, and of an agent."""

from typing import Any

import pytest

from tests.cast import Caller, Cast

pytestmark = pytest.mark.dialect


async def attempt(cast: Cast, task: Any, by: Caller, fence: int) -> None:
    """Somebody takes the task and hands it in; Ada sends it back."""
    (await by.patch(cast.task(task), {"status": "in_progress"})).ok()
    work = {"fence": fence, "summary": f"Attempt {fence}."}
    (await by.post(f"/agent{cast.task(task)}/completions", work)).ok()
    (await cast.ada.patch(cast.task(task), {"status": "inbox"})).ok()


async def test_attempts_are_listed_newest_first(cast: Cast) -> None:
    task = await cast.add_task()
    await attempt(cast, task, cast.vega, 1)
    (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await cast.rigel.patch(cast.task(task), {"status": "inbox"})).ok()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    page = (await cast.dan.get(f"{cast.task(task)}/runs")).ok()
    assert [(run["fence"], run["agent_name"], run["state"]) for run in page["items"]] == [
        (3, "Vega", "running"), (2, "Rigel Orion", "released"), (1, "Vega", "completed"),
    ]  # fmt: skip
    assert page["total"] == 3 and page["items"][1]["end_reason"] == "By Rigel Orion."
    assert (await cast.atlas.get(f"{cast.task(task)}/runs")).plain == page
    second = (await cast.dan.get(f"{cast.task(task)}/runs?limit=1&offset=1")).ok()
    assert second == {"items": page["items"][1:2], "total": 3, "limit": 1, "offset": 1}


async def test_reassigned_run_is_superseded(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    (await cast.ada.patch(cast.task(task), {"assigned_agent_id": cast.rigel.id})).ok()
    page = (await cast.dan.get(f"{cast.task(task)}/runs")).ok()
    assert [(run["agent_name"], run["state"], run["end_reason"]) for run in page["items"]] == [
        ("Rigel Orion", "running", None), ("Vega", "superseded", "By Ada."),
    ]  # fmt: skip


async def test_runs_of_an_agent_leave_out_deleted_tasks(cast: Cast) -> None:
    first, second = await cast.add_task(title="Grind"), await cast.add_task(title="Polish")
    await attempt(cast, first, cast.vega, 1)
    await attempt(cast, second, cast.vega, 1)
    await attempt(cast, second, cast.rigel, 2)
    path = f"/agents/{cast.vega.id}/runs"
    page = (await cast.ben.get(path)).ok()
    assert [(run["task_title"], run["task_number"], run["summary"]) for run in page["items"]] == [
        ("Polish", 2, "Attempt 1."), ("Grind", 1, "Attempt 1."),
    ]  # fmt: skip
    (await cast.ada.delete(cast.task(second))).ok()
    assert (await cast.ben.get(path)).ok()["total"] == 1


async def test_run_survives_its_agent(cast: Cast) -> None:
    task = await cast.add_task()
    await attempt(cast, task, cast.vega, 1)
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    [run] = (await cast.ada.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert (run["agent_id"], run["agent_name"]) == (None, "Vega")
