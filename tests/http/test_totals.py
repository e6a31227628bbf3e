"""Totals that are counted whole, less what is gone, are those of what a list gives, page by page."""

from typing import Any

import pytest

from tests.cast import Cast

pytestmark = pytest.mark.dialect

LISTS = ("/activity", "/activity/task-comments", "/users/me/notifications")


async def everything(cast: Cast, path: str) -> tuple[int, int]:
    """Return the total of a list, and how many it gives."""
    page = (await cast.ada.get(f"{path}?limit=200")).ok()
    return page["total"], len(page["items"])


async def filled(cast: Cast) -> tuple[dict[str, Any], str]:
    """Put a task with a comment and a notification on both boards; return one task and a tag of both."""
    tag = (await cast.ada.post("/tags", {"name": "Sky"})).ok()
    tasks = []
    for board in (cast.board, cast.other_board):
        body = {"title": "Look", "tag_ids": [tag["id"]], "assigned_user_id": str(cast.ada.id)}
        task = (await cast.ben.post(f"/boards/{board.id}/tasks", body)).ok()
        (await cast.ben.post(f"/boards/{board.id}/tasks/{task['id']}/comments", {"message": "Now."})).ok()
        tasks.append(task)
    return tasks[0], tag["id"]


async def tagged(cast: Cast, tag_id: str) -> int:
    number: int = (await cast.ada.get(f"/tags/{tag_id}")).ok()["task_count"]
    return number


@pytest.mark.parametrize("path", LISTS)
async def test_total_is_what_the_list_gives(cast: Cast, path: str) -> None:
    task, _ = await filled(cast)
    first, listed = await everything(cast, path)
    assert first == listed > 1
    (await cast.ada.delete(cast.task(task))).ok()
    without_task, listed = await everything(cast, path)
    assert without_task == listed
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    without_board, listed = await everything(cast, path)
    assert without_board == listed < without_task


async def test_tags_count_what_is_not_in_the_trash(cast: Cast) -> None:
    task, tag_id = await filled(cast)
    assert await tagged(cast, tag_id) == 2
    (await cast.ada.delete(cast.task(task))).ok()
    assert await tagged(cast, tag_id) == 1
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    assert await tagged(cast, tag_id) == 0
    listed = (await cast.ada.get("/tags")).ok()["items"]
    assert [one["task_count"] for one in listed if one["id"] == tag_id] == [0]


async def test_log_counts_without_boards_that_were_erased(cast: Cast) -> None:
    await filled(cast)
    await cast.erase(cast.other_board.id)
    total, listed = await everything(cast, "/activity")
    assert total == listed > 0
