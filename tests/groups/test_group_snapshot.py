"""Snapshots of a group: which boards and tasks they hold, in which order, for whom."""

from typing import Any

import pytest

from mission_control.groups import queries as group_queries
from mission_control.tasks.models import Tag, TagAssignment
from tests.cast import Cast, stamp
from tests.groups.test_groups import made

pytestmark = pytest.mark.dialect

SUMMARY = [
    "id", "board_id", "board_name", "title", "status", "priority", "assigned_agent_id", "assignee", "due_at",
    "in_progress_at", "tags", "created_at", "updated_at",
]  # fmt: skip


async def test_snapshot_holds_the_boards_of_a_group(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    task = await cast.add_task(assigned_agent_id=cast.vega.id, due_at="2026-12-01T10:00:00")
    tag = await Tag.create(organization_id=cast.organization.id, name="Urgent", slug="urgent")
    await TagAssignment.create(task_id=task["id"], tag_id=tag.id)
    snapshot = (await cast.ada.get(f"{path}/snapshot")).ok()
    assert list(snapshot) == ["group", "boards"]
    assert f"/board-groups/{snapshot['group']['id']}" == path
    assert [one["board"]["name"] for one in snapshot["boards"]] == ["Dome", "Telescope"]
    dome, telescope = snapshot["boards"]
    assert (dome["task_counts"], dome["tasks"]) == ({}, [])
    assert telescope["task_counts"] == {"inbox": 1}
    [summary] = telescope["tasks"]
    assert list(summary) == SUMMARY
    assert (summary["board_name"], summary["assignee"]) == ("Telescope", "Vega")
    assert summary["due_at"] == "2026-12-01T10:00:00Z"
    assert summary["tags"] == [{"id": str(tag.id), "name": "Urgent", "slug": "urgent", "color": "9e9e9e"}]


async def ordered(cast: Cast) -> None:
    """Add tasks in every status, named by their expected place."""
    places = [
        ("0", "in_progress", "low", 0), ("1", "review", "high", 0), ("2", "inbox", "high", 0),
        ("3", "inbox", "medium", -1), ("4", "inbox", "medium", -2), ("5", "inbox", "low", 0),
        ("6", "inbox", "someday", 0), ("7", "done", "high", 0),
    ]  # fmt: skip
    for title, status, priority, minutes in reversed(places):
        task = await cast.add_task(title=title)
        await cast.put(task, status=status, priority=priority, updated_at=stamp(minutes))


async def test_tasks_are_ordered(cast: Cast) -> None:
    path = await made(cast, cast.board)
    await ordered(cast)
    for query, expected in (
        ("", "01234"),
        ("?per_board_task_limit=2", "01"),
        ("?per_board_task_limit=0", ""),
        ("?per_board_task_limit=100", "0123456"),
        ("?per_board_task_limit=100&include_done=true", "01234567"),
    ):
        [board] = (await cast.ada.get(f"{path}/snapshot{query}")).ok()["boards"]
        assert "".join(one["title"] for one in board["tasks"]) == expected
        assert board["task_counts"] == {"in_progress": 1, "review": 1, "inbox": 5, "done": 1}


async def test_limit_applies_per_board(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    for board in (cast.board, cast.other_board):
        for _ in range(3):
            (await cast.ada.post(f"/boards/{board.id}/tasks", {"title": "Look"})).ok()
    boards = (await cast.ada.get(f"{path}/snapshot?per_board_task_limit=2")).ok()["boards"]
    assert [len(one["tasks"]) for one in boards] == [2, 2]


async def test_snapshot_leaves_out_deleted_tasks(cast: Cast) -> None:
    path = await made(cast, cast.board)
    (await cast.ada.delete(cast.task(await cast.add_task()))).ok()
    [board] = (await cast.ada.get(f"{path}/snapshot")).ok()["boards"]
    assert (board["task_counts"], board["tasks"]) == ({}, [])


@pytest.mark.parametrize("limit", ["-1", "101", "x"])
async def test_limit_is_validated(cast: Cast, limit: str) -> None:
    group, query = await made(cast, cast.board), f"?per_board_task_limit={limit}"
    for path in (f"{group}/snapshot{query}", f"{cast.home}/group-snapshot{query}"):
        if limit == "101" and path.startswith(group):
            continue
        [item] = (await cast.ada.get(path)).refused(422)
        assert item["loc"] == ["query", "per_board_task_limit"]


async def test_snapshot_limits_are_clamped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await made(cast, cast.board)
    for _ in range(4):
        await cast.add_task()
    monkeypatch.setattr(group_queries, "MOST_TASKS", 3)
    for limit in (2**63 - 1, 4, 3):
        [board] = (await cast.ada.get(f"{path}/snapshot?per_board_task_limit={limit}")).ok()["boards"]
        assert len(board["tasks"]) == 3


def names(snapshot: Any) -> list[str]:
    """Return the names of a snapshot's boards."""
    return [one["board"]["name"] for one in snapshot["boards"]]


async def test_people_see_boards_they_read_and_agents_see_all(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    around = f"{cast.home}/group-snapshot"
    assert names((await cast.dan.get(f"{path}/snapshot")).ok()) == ["Telescope"]
    assert names((await cast.dan.get(around)).ok()) == []
    assert names((await cast.dan.get(f"{around}?include_self=true")).ok()) == ["Telescope"]
    assert names((await cast.ada.get(around)).ok()) == ["Dome"]
    assert names((await cast.vega.get(around)).ok()) == ["Dome"]
    assert names((await cast.vega.get(f"{around}?include_self=true")).ok()) == ["Dome", "Telescope"]
    for caller in (cast.eve, cast.mira, cast.nova):
        assert (await caller.get(around)).refused(404) == "Not Found"


async def test_board_without_a_group_has_no_snapshot(cast: Cast) -> None:
    assert (await cast.dan.get(f"{cast.home}/group-snapshot")).ok() == {"group": None, "boards": []}
