"""The properties of a task in its panel: status, assignee, dates, tags, dependencies, custom fields."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.database.sql import rows
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tags.queries import tags_for, tags_of_tasks
from mission_control.tasks.board_view import BoardView, News
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_fields import fields_of
from mission_control.tasks.panel_view import concerns_panel, panel_in, panel_region
from mission_control.tasks.task_search import matching
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns

PROPS = "tasks/props.html"
CREW = ("agent.created", "agent.updated", "agent.deleted")
DEFINITIONS = ("tag.", "custom_field.")
MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Links:
    """The tasks that a task waits for, and those that wait for it."""

    waits_for: list[dict[str, Any]] = field(default_factory=list)
    needed_by: list[dict[str, Any]] = field(default_factory=list)
    ids: set[UUID] = field(default_factory=set)  # of deleted ones too


async def links_of(task_id: UUID) -> Links:
    """Read the links of a task in both directions."""
    links = Links()
    for row in await rows(
        """
        SELECT d.task_id, p.id, p.number, p.title, p.status, p.deleted_at
        FROM task_dependencies d
        JOIN tasks p ON p.id = CASE WHEN d.task_id = ? THEN d.depends_on_task_id ELSE d.task_id END
        WHERE d.task_id = ? OR d.depends_on_task_id = ? ORDER BY d.created_at, d.id
        """,
        task_id,
        task_id,
        task_id,
    ):
        links.ids.add(UUID(str(row["id"])))
        if row["deleted_at"] is None:
            (links.waits_for if str(row["task_id"]) == str(task_id) else links.needed_by).append(row)
    return links


async def found_tasks(board: Board, task_id: UUID, text: str, *, needed_by: bool) -> list[dict[str, Any]]:
    """Return tasks of the board that could be linked: by number or words, unfinished and newest first."""
    conditions = [one for one, _ in matching(text)]
    values = [value for _, some in matching(text) for value in some]
    mine, other = ("depends_on_task_id", "task_id") if needed_by else ("task_id", "depends_on_task_id")
    number = text.strip().removeprefix("#")
    exact = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    return await rows(
        f"""
        SELECT t.id, t.number, t.title, t.status FROM tasks t
        WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL AND t.id <> ? AND NOT EXISTS (
            SELECT 1 FROM task_dependencies d WHERE d.{mine} = ? AND d.{other} = t.id
        ){"".join(f" AND {one}" for one in conditions)}
        ORDER BY CASE WHEN t.number = ? THEN 0 ELSE 1 END, CASE WHEN t.status = 'done' THEN 1 ELSE 0 END,
            t.number DESC LIMIT {MOST_FOUND}
        """,
        board.id,
        task_id,
        task_id,
        *values,
        exact,
    )


async def facts(view: BoardView, panel: Panel) -> str:
    """Return the properties, to be changed by those who may."""
    links: Links = await view.reads.get(("links", panel.id), lambda: links_of(panel.id))
    tags = (await tags_of_tasks([panel.id])).get(str(panel.id), [])
    fields = await fields_of(panel.board_id, panel.id)
    missing = [one for one in fields if one.is_missing]
    return render_macro(
        PROPS,
        "props",
        panel=panel,
        links=links,
        tags=tags,
        all_tags=await tags_for(view.board) if panel.may_write else [],
        may_create_tags=panel.may_write and view.rights.is_admin,
        fields=[one for one in fields if not one.is_offered and (len(missing) < 2 or not one.is_missing)],
        together=missing if len(missing) > 1 else [],
        offered=[one for one in fields if one.is_offered],
    )


async def fact_changes(view: BoardView, batch: Batch) -> str | None:
    """Return nothing for what concerns neither the task, nor one that is linked to it, nor those who could do it."""
    panel = await panel_in(view)
    if panel is None:
        return ""
    assignee = panel.assignee_value.removeprefix("agent:")
    if any(one["agent_id"] == assignee for one in batch.signals):
        return None
    near = [one for one in batch.events if one.kind.startswith("task.")]
    if len(near) < len(batch.events) or any(concerns_panel(view, one) or str(panel.id) in one.data for one in near):
        return None
    links: Links = await view.reads.get(("links", panel.id), lambda: links_of(panel.id))
    at_work = {str(one["task_id"]) for one in panel.agents}
    linked = not links.ids.isdisjoint(one.task_id for one in near)
    return None if linked or any(str(one.task_id) in at_work for one in near) else ""


def _may_concern(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        if news.kind.startswith("task.") and news.kind.endswith(("notified", "notify_failed")):
            return False
        return news.board_id == view.board.id or (news.board_id is None and news.kind.startswith(DEFINITIONS))
    return bool(news.get("board_id") == str(view.board.id))


NEWS = Concerns[BoardView](("task.", *CREW, *DEFINITIONS), ("agent_id",), _may_concern)
REGIONS = (panel_region("facts", NEWS, facts, fact_changes),)
