"""The panel of a task: what its frame shows, and what its sections need of the task itself."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from mission_control.boards.days import Due, day_words, due_of
from mission_control.boards.priorities import canonical
from mission_control.boards.queries import PERSON, SIGNS, is_at_work, people_of
from mission_control.core import times
from mission_control.database.sql import Row, rows, select_one
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.people.accounts.names import person_name
from mission_control.tasks.board.view import BoardView, of_board
from mission_control.tasks.fields import Surface, TaskField, alike_at
from mission_control.tasks.forms import ChangeForm, TextForm, assignee_value
from mission_control.tasks.queries import COLUMNS, TaskRow
from mission_control.tasks.seen import code_seen
from mission_control.web.forms import FormValues
from mission_control.web.regions import Concerns, Region

NEXT_TO = """
    SELECT n.id FROM tasks n, here h WHERE n.board_id = h.board_id AND n.status = h.status
    AND n.deleted_at IS NULL AND n.archived_at IS NULL
"""
NEIGHBOURS = f"""
    WITH here AS (SELECT board_id, status, position, created_at FROM tasks WHERE id = ?)
    SELECT
        ({NEXT_TO} AND (n.position > h.position OR (n.position = h.position AND n.created_at < h.created_at))
            ORDER BY n.position, n.created_at DESC LIMIT 1) AS following,
        ({NEXT_TO} AND (n.position < h.position OR (n.position = h.position AND n.created_at > h.created_at))
            ORDER BY n.position DESC, n.created_at LIMIT 1) AS previous
"""
PANEL = f"""
    SELECT {COLUMNS}, g.name AS agent_name, {SIGNS},
        CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,
        {person_name("c")} AS created_by,
        (SELECT COUNT(*) FROM task_comments m WHERE m.task_id = t.id AND m.deleted_at IS NULL) AS comments_total
    FROM tasks t
    LEFT JOIN agents g ON g.id = t.assigned_agent_id
    LEFT JOIN users u ON u.id = t.assigned_user_id
    LEFT JOIN users c ON c.id = t.created_by_user_id
    WHERE t.id = ? AND t.board_id = ?
"""


@dataclass(slots=True)
class Panel(TaskRow):
    """One task as its panel shows it: every column that answers have, with names; the rest is set when it was read."""

    agent_name: str | None
    last_seen_at: datetime | None
    agent_gateway_id: UUID | None
    run_began_at: datetime | None
    person_name: str | None
    created_by: str | None
    comments_total: int
    may_write: bool = False
    agents: list[Row] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    seen: str = ""  # the substance that finishing it names, where code is in review

    @property
    def assignee(self) -> str:
        return self.agent_name or self.person_name or ""

    @property
    def assignee_kind(self) -> str:
        return "agent" if self.agent_name else "person" if self.person_name else "none"

    @property
    def assignee_value(self) -> str:
        return assignee_value(self.assigned_agent_id, self.assigned_user_id)

    @property
    def is_working(self) -> bool:
        seen = self.last_seen_at, self.agent_gateway_id, self.run_began_at
        return self.status == "in_progress" and is_at_work(*seen, times.clock_now())

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def others(self) -> list[tuple[TaskField, str]]:
        return [(field, field.text_of(getattr(self, field.name))) for field in alike_at(Surface.PANEL)]

    @property
    def url(self) -> str:
        return f"/boards/{self.board_id}/tasks/{self.id}"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(named["name"] for named in (*self.agents, *self.people))

    @property
    def text_values(self) -> FormValues:
        return TextForm.shown(self)

    def version_of(self, name: str) -> str:
        return ChangeForm.version_of(self, name)

    @property
    def due(self) -> Due | None:
        return due_of(self.due_at, times.clock_now(), is_done=self.status == "done")

    @property
    def due_words(self) -> str:
        return day_words(self.due_day, times.clock_now()) if self.due_day else ""

    @property
    def due_day(self) -> date | None:
        return times.day_of(self.due_at, times.reader()) if self.due_at else None


async def neighbours_of(panel: Panel) -> Row:
    [row] = await rows(NEIGHBOURS, panel.id)
    return row


PAGE = "panel"


def of_panel(*kinds: str, signals: tuple[str, ...] = ()) -> Concerns[BoardView]:
    return of_board(*kinds, signals=signals, about=concerns_panel)


def concerns_panel(view: BoardView, news: News) -> bool:
    task_id = news.task_id if isinstance(news, Event) else news.get("task_id")
    if isinstance(news, Event) and news.kind.startswith("approval."):
        return str(view.panel_id) in news.data
    return str(task_id) == str(view.panel_id)


async def panel_in(view: BoardView) -> Panel | None:
    panel = await any_panel_in(view)
    return None if panel is None or panel.is_deleted else panel


async def any_panel_in(view: BoardView) -> Panel | None:
    task_id = view.panel_id
    if task_id is None:
        return None
    return await view.reads.get(("panel", task_id, view.rights), lambda: _read(view, task_id))


async def _read(view: BoardView, task_id: UUID) -> Panel | None:
    panel = await select_one(Panel, PANEL, task_id, view.board.id)
    if panel is None:
        return None
    panel.may_write, panel.priority = view.rights.may_write, canonical(panel.priority)
    if not panel.is_deleted:
        panel.agents = await view.crew()
        panel.people = await view.reads.get(("people", view.board.id), lambda: people_of(view.board))
    if panel.status == "review" and panel.may_write:
        panel.seen = (await code_seen([task_id])).get(task_id, (None, ""))[1]
    return panel


def panel_region(
    name: str,
    concerns: Concerns[BoardView],
    render: Callable[[BoardView, Panel], Awaitable[str]],
    changes: Callable[[BoardView, Batch], Awaitable[str | None]] | None = None,
    key: Callable[[BoardView], Hashable] | None = None,
) -> Region[BoardView]:
    """Name it `#task-<id>-panel-<name>`; `key` where viewers see different ones."""

    async def html(view: BoardView) -> str | None:
        panel = await panel_in(view)
        return None if panel is None else await render(view, panel)

    target = f"#task-{{panel_id}}-panel-{name}"
    return Region(PAGE, target, concerns, html, key or panel_key, changes, name=name)


def panel_key(view: BoardView) -> Hashable:
    return view.panel_id, view.rights


def own_key(view: BoardView) -> Hashable:
    """What a section depends on that offers viewers to change what is their own."""
    return view.panel_id, view.rights, view.actor.id, view.look
