"""Answers that are kept while what they are about changes between its look-up and the reading of the log's number."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mission_control.http import response_cache
from mission_control.tasks.snapshots import caching
from mission_control.tasks.snapshots import streams as live
from tests.cast import Cast

pytestmark = pytest.mark.dialect

type Change = Callable[[], Awaitable[Any]]


def changing_before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, change: Change) -> None:
    """Let a change happen once before a function of a module is called."""
    function, changes = getattr(module, name), [change]

    async def changed_first(*values: Any) -> Any:
        if changes:
            await changes.pop()()
        return await function(*values)

    monkeypatch.setattr(module, name, changed_first)


async def test_snapshot_shows_what_changes_while_it_is_read(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    board = f"/boards/{cast.board.id}"
    changing_before(monkeypatch, live, "position_of_board", lambda: cast.ada.patch(board, {"name": "Renamed"}))
    await cast.ada.get(f"{board}/snapshot")
    assert (await cast.ada.get(f"{board}/snapshot")).ok()["board"]["name"] == "Renamed"


async def test_group_snapshot_shows_what_changes_while_it_is_read(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await cast.ada.post("/board-groups", {"name": "Before", "slug": "before"})
    name = {"name": "Renamed"}
    group, board = f"/board-groups/{made.ok()['id']}", f"/boards/{cast.board.id}"
    new = {**name, "board_ids": [str(cast.board.id)]}
    changing_before(monkeypatch, response_cache, "position_of_organization", lambda: cast.ada.patch(group, new))
    await cast.ada.get(f"{group}/snapshot")
    shown = (await cast.ada.get(f"{group}/snapshot")).ok()
    assert shown["group"]["name"] == "Renamed" and len(shown["boards"]) == 1
    changing_before(monkeypatch, response_cache, "position_of_organization", lambda: cast.ada.patch(board, name))
    await cast.ada.get(f"{group}/snapshot")
    shown = (await cast.ada.get(f"{group}/snapshot")).ok()
    assert shown["boards"][0]["board"]["name"] == "Renamed"


async def test_lists_that_are_kept_are_bounded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "MOST_LISTS", 3)
    tasks = f"/boards/{cast.board.id}/tasks"
    await cast.ada.post(tasks, {"title": "Only one"})
    for offset in [*range(5), 0]:
        found = (await cast.ada.get(f"{tasks}?limit=1&offset={offset}")).ok()
        assert (found["total"], len(found["items"])) == (1, 1 if offset == 0 else 0)
    parts = await caching.current_parts(cast.board, (0, 0, 0))
    assert len(parts.ids_of) == 3
