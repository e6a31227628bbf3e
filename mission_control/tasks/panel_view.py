"""The open panel of a task as a list of regions, and what they share. Features above tasks add theirs."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Any
from uuid import UUID

from mission_control.boards.cards import people_of
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.board_view import BoardView, News, on_board
from mission_control.tasks.panel import Panel, panel_of
from mission_control.web.regions import Concerns, Region

PAGE = "panel"


def of_panel(*kinds: str, signals: tuple[str, ...] = ()) -> Concerns[BoardView]:
    """News of these kinds about the task whose panel is open."""
    return on_board(*kinds, signals=signals, about=concerns_panel)


def concerns_panel(view: BoardView, news: News) -> bool:
    """Whether something happened to the task whose panel is open."""
    task_id = news.task_id if isinstance(news, Event) else news.get("task_id")
    if isinstance(news, Event) and news.kind.startswith("approval."):
        return str(view.panel_id) in news.data
    return str(task_id) == str(view.panel_id)


async def panel_in(view: BoardView) -> Panel | None:
    """Return the task whose panel is open, with its agents and people; None when it is deleted or gone."""
    panel = await any_panel_in(view)
    return None if panel is None or panel.is_deleted else panel


async def any_panel_in(view: BoardView) -> Panel | None:
    """Return the task whose panel is open, also when it was deleted."""
    task_id = view.panel_id
    if task_id is None:
        return None
    return await view.reads.get(("panel", task_id, view.rights), lambda: _read(view, task_id))


async def _read(view: BoardView, task_id: UUID) -> Panel | None:
    panel = await panel_of(view.board, task_id, view.rights)
    if panel is None or panel.is_deleted:
        return panel
    people: list[dict[str, Any]] = await view.reads.get(("people", view.board.id), lambda: people_of(view.board))
    return replace(panel, agents=await view.crew(), people=people)


def panel_region(
    name: str,
    concerns: Concerns[BoardView],
    render: Callable[[BoardView, Panel], Awaitable[str]],
    changes: Callable[[BoardView, Batch], Awaitable[str | None]] | None = None,
    key: Callable[[BoardView], Hashable] | None = None,
) -> Region[BoardView]:
    """Return a section of the panel as a region: `#task-<id>-panel-<name>`; `key` where viewers see different ones."""

    async def html(view: BoardView) -> str | None:
        panel = await panel_in(view)
        return None if panel is None else await render(view, panel)

    target = f"#task-{{panel_id}}-panel-{name}"
    return Region(PAGE, target, concerns, html, key or _key, changes, name=name)


def _key(view: BoardView) -> Hashable:
    return view.panel_id, view.rights


def own_key(view: BoardView) -> Hashable:
    """What a section depends on that offers viewers to change what is their own."""
    return view.panel_id, view.rights, view.actor.id, view.look
