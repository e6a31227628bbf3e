"""The activity feed: what it holds for whom, how it is narrowed, and where clients show each event."""

from typing import Any

import pytest

from mission_control.core import times
from mission_control.events.models import Event
from mission_control.people.models import BoardAccess
from tests.cast import Cast, ids, stamp
from tests.groups.test_groups import made

pytestmark = pytest.mark.dialect

KEYS = [
    "id", "event_type", "message", "agent_id", "task_id", "board_id", "route_name", "route_params", "created_at",
    "seq", "actor",
]  # fmt: skip


async def feed(cast: Cast, query: str = "") -> list[dict[str, Any]]:
    """What Ada sees."""
    found: list[dict[str, Any]] = (await cast.ada.get(f"/activity{query}")).ok()["items"]
    return found


def kinds_of(items: list[dict[str, Any]]) -> list[str]:
    """The kinds of some events."""
    return [one["event_type"] for one in items]


async def test_newest_event_comes_first(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    listed = (await cast.ada.get("/activity")).ok()
    assert list(listed) == ["items", "total", "limit", "offset"] and listed["total"] == len(listed["items"])
    changed, created = listed["items"][:2]
    assert list(changed) == KEYS
    event = await Event.get(id=changed["id"])
    assert (changed["event_type"], changed["message"], changed["seq"]) == (event.kind, event.message, event.seq)
    assert (changed["agent_id"], changed["task_id"], changed["board_id"]) == (
        str(cast.vega.id), task["id"], str(cast.board.id),
    )  # fmt: skip
    assert changed["created_at"] == times.wire(event.created_at)
    assert changed["actor"] == {"kind": "agent", "id": str(cast.vega.id), "name": "Vega"}
    assert created["actor"] == {"kind": "user", "id": str(cast.ada.id), "name": "Ada"}
    second = (await cast.ada.get("/activity?limit=1&offset=1")).ok()
    assert (second["items"], second["total"]) == ([created], listed["total"])


async def test_events_name_the_place_where_clients_show_them(cast: Cast) -> None:
    task = await cast.add_task()
    comment = (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Well."})).ok()
    await cast.ask(cast.vega, task)
    (await cast.ada.patch(cast.home, {"name": "Lens"})).ok()
    (await cast.ada.post(f"{cast.home}/memory", {"content": "Note."})).ok()
    found = {one["event_type"]: one for one in await feed(cast)}
    board = {"boardId": str(cast.board.id)}
    for kind, name, params in (
        ("task.created", "board", {**board, "taskId": task["id"]}),
        ("task.comment", "board", {**board, "taskId": task["id"], "commentId": comment["id"]}),
        ("approval.requested", "board.approvals", board),
        ("board.updated", "board", {**board, "panel": "chat"}),
        ("memory.created", "board", board),
    ):
        assert (found[kind]["route_name"], found[kind]["route_params"]) == (name, params), kind


async def test_event_without_a_board(cast: Cast) -> None:
    await made(cast, cast.board)
    (await cast.vega.post(f"{cast.home}/group-memory", {"content": "For all."})).ok()
    one = (await cast.vega.get("/activity?kind=group_memory")).ok()["items"][0]
    assert (one["board_id"], one["route_name"]) == (None, "activity")
    assert one["route_params"] == {
        "eventId": one["id"], "eventType": "group_memory.created", "createdAt": one["created_at"],
    }  # fmt: skip
    assert "group_memory.created" not in kinds_of(await feed(cast))


async def test_feed_is_limited_to_readable_boards(cast: Cast) -> None:
    mine = await cast.add_task()
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Sweep"})).ok()
    theirs = (await cast.eve.post(f"/boards/{cast.foreign_board.id}/tasks", {"title": "Dig"})).ok()
    for person, expected in (
        (cast.ada, {mine["id"], other["id"]}), (cast.ben, {mine["id"], other["id"]}), (cast.cleo, {mine["id"]}),
        (cast.dan, {mine["id"]}), (cast.eve, {theirs["id"]}),
    ):  # fmt: skip
        listed = (await person.get("/activity?kind=task.created")).ok()
        assert ({one["task_id"] for one in listed["items"]}, listed["total"]) == (expected, len(expected))
    await BoardAccess.all().delete()
    assert (await cast.dan.get("/activity")).ok()["total"] == 0


async def test_agent_sees_no_events_of_a_deleted_board(cast: Cast) -> None:
    (await cast.mira.post(f"/boards/{cast.other_board.id}/memory", {"content": "A note"})).ok()
    assert "memory.created" in kinds_of((await cast.mira.get("/activity")).ok()["items"])
    (await cast.ada.patch(f"/agents/{cast.mira.id}", {"board_id": str(cast.board.id)})).ok()
    assert "memory.created" in kinds_of((await cast.mira.get("/activity")).ok()["items"])
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    listed = (await cast.mira.get("/activity")).ok()
    assert listed["total"] == len(listed["items"]) > 0
    assert {one["board_id"] for one in listed["items"]} == {str(cast.board.id)}


async def test_agent_sees_events_about_itself(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await cast.rigel.post(f"{cast.home}/memory", {"content": "Note."})).ok()
    listed = (await cast.vega.get("/activity")).ok()
    assert {one["agent_id"] for one in listed["items"]} == {str(cast.vega.id)}
    assert kinds_of(listed["items"]) == ["task.status_changed", "agent.created"] and listed["total"] == 2
    assert (await cast.vega.get(f"/activity?board_id={cast.other_board.id}")).ok()["items"] == []
    assert (await cast.nova.get("/activity?kind=task")).ok()["total"] == 0


async def test_events_of_a_deleted_board_are_hidden(cast: Cast) -> None:
    await cast.add_task()
    (await cast.ada.delete(cast.home)).ok()
    assert {one["board_id"] for one in await feed(cast)} == {str(cast.other_board.id)}


async def test_feed_can_be_filtered(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Sweep"})).ok()
    for query, expected in {
        f"?board_id={cast.other_board.id}&kind=task": ["task.created"],
        "?kind=task.created": ["task.created", "task.created"],
        "?kind=task.": ["task.created", "task.status_changed", "task.created"],
        "?kind=task.status*": [],
        "?kind=task.*&kind=board.created": [
            "task.created", "task.status_changed", "task.created", "board.created", "board.created",
        ],
        "?kind=tas": [], "?kind=%25": [], "?kind=t_sk": [],
        f"?actor_id={cast.vega.id}": ["task.status_changed"],
        f"?since={stamp(5).isoformat()}": [],
        f"?until={stamp(-5).isoformat()}": [],
        f"?kind=approval&kind=task.status_changed&since={stamp(-5).isoformat()}Z&until={stamp(5).isoformat()}": [
            "task.status_changed",
        ],
    }.items():  # fmt: skip
        listed = (await cast.ada.get(f"/activity{query}")).ok()
        assert (kinds_of(listed["items"]), listed["total"]) == (expected, len(expected)), query


async def test_list_continues_below_its_last_item(cast: Cast) -> None:
    for number in range(5):
        await cast.add_task(title=f"Task {number}")
    whole = (await cast.ada.get("/activity?kind=task")).ok()
    first = (await cast.ada.get("/activity?kind=task&limit=3")).ok()
    await cast.add_task(title="Meanwhile")
    rest = (await cast.ada.get(f"/activity?kind=task&limit=3&before_seq={first['items'][-1]['seq']}")).ok()
    assert ids(first["items"]) + ids(rest["items"]) == ids(whole["items"])
    assert (whole["total"], rest["total"]) == (5, 6)


@pytest.mark.parametrize("path", ["/activity", "/activity/task-comments", "/activity/task-comments/stream"])
async def test_invisible_board_is_not_found(cast: Cast, path: str) -> None:
    for board in (cast.foreign_board.id, cast.organization.id):
        assert (await cast.ada.get(f"{path}?board_id={board}")).refused(404) == "Not Found"
    assert (await cast.cleo.get(f"{path}?board_id={cast.other_board.id}")).refused(404) == "Not Found"
