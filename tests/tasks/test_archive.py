"""The archive: done tasks out of sight, found when asked for, taken out again."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.events.models import Event
from tests.cast import Cast, changes, head, ids, stamp

pytestmark = pytest.mark.dialect


async def done(cast: Cast, title: str, minutes_ago: float = 0) -> dict[str, Any]:
    """A task that was done some time ago."""
    task = await cast.add_task(title=title)
    (await cast.cleo.patch(cast.task(task), {"status": "done"})).ok()
    await Event.filter(task_id=task["id"]).update(created_at=times.clock_now() - timedelta(minutes=minutes_ago))
    return task


async def test_old_done_tasks_are_archived(cast: Cast) -> None:
    old, older = await done(cast, "Old", 60), await done(cast, "Older", 120)
    young, open_task = await done(cast, "Young", 1), await cast.add_task(title="Open")
    born_done = await cast.add_task(title="Born done", status="done")
    await cast.put(born_done, created_at=stamp(-90))
    before = await head(cast)
    answer = (await cast.cleo.post(f"{cast.home}/archivals", {"done_before": stamp(-30).isoformat()})).ok()
    assert set(answer["archived_task_ids"]) == {old["id"], older["id"], born_done["id"]}
    assert await changes(cast, before) == [("task.archived", None)] * 3
    again = (await cast.atlas.post(f"{cast.home}/archivals", {"done_before": stamp(-30).isoformat()})).ok()
    assert again["archived_task_ids"] == []
    for path in (cast.tasks, f"{cast.home}/snapshot"):
        found = (await cast.dan.get(path)).ok()
        assert set(ids(found.get("items") or found["tasks"])) == {young["id"], open_task["id"]}
    assert len((await cast.dan.get(f"{cast.tasks}?archived=true")).ok()["items"]) == 5
    assert len((await cast.dan.get(f"{cast.home}/snapshot?archived=true")).ok()["tasks"]) == 5
    assert (await cast.dan.get(cast.task(old))).ok()["archived_at"] is not None


async def test_task_is_archived_and_restored(cast: Cast) -> None:
    task, before = await done(cast, "Done"), await head(cast)
    path = f"{cast.task(task)}/archivals"
    archived = (await cast.cleo.post(path)).ok()
    assert archived["archived_at"] is not None and (await cast.cleo.post(path)).ok() == archived
    assert (await cast.atlas.delete(path)).ok()["archived_at"] is None
    assert (await cast.atlas.delete(path)).ok()["archived_at"] is None
    assert await changes(cast, before) == [("task.archived", None), ("task.unarchived", cast.atlas.id)]


async def test_restarted_task_leaves_the_archive(cast: Cast) -> None:
    task = await done(cast, "Done")
    (await cast.cleo.post(f"{cast.task(task)}/archivals")).ok()
    assert (await cast.cleo.patch(cast.task(task), {"status": "inbox"})).ok()["archived_at"] is None


@pytest.mark.parametrize("status", ["inbox", "in_progress", "review"])
async def test_only_done_tasks_can_be_archived(cast: Cast, status: str) -> None:
    task = await cast.add_task(status=status)
    assert isinstance((await cast.cleo.post(f"{cast.task(task)}/archivals")).refused(409), str)


@pytest.mark.parametrize("body", [{}, {"done_before": None}, {"done_before": "long ago"}])
async def test_archiving_needs_a_time(cast: Cast, body: Any) -> None:
    assert isinstance((await cast.cleo.post(f"{cast.home}/archivals", body)).refused(422), list)
