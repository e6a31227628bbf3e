"""The task panel: everything about one task, read in a fixed number of statements, and its live regions."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup

from mission_control.accounts.names import person_name
from mission_control.activity.queries import history_of_task
from mission_control.activity.sentences import Entry
from mission_control.approvals.finishing import asks_to_finish, stated_confidence
from mission_control.approvals.headings import action_words
from mission_control.boards.cards import PERSON, crew_of, is_online, people_of
from mission_control.boards.live import Rights
from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical
from mission_control.core import clock
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.tasks.forms import TextForm
from mission_control.tasks.panel_sections import PanelTask, sections_of
from mission_control.tasks.queries import COLUMNS, COMMENTS
from mission_control.web.fragments import partial, read_ahead, render_macro

TEMPLATE = "tasks/panel.html"
REGIONS = "tasks/regions.html"
MAX_COMMENTS = 100
LIVE_COMMENTS = f"{COMMENTS} WHERE c.task_id = ? AND c.deleted_at IS NULL"
LIVE_REGIONS = ("title", "text", "facts", "approvals", "links", "comments", "history")


@dataclass(slots=True)
class Panel:
    """One task, ready to be shown."""

    id: UUID
    board_id: UUID
    number: int
    title: str
    description: str
    status: str
    priority: str
    due_at: datetime | None
    assignee: str
    assignee_kind: str
    assignee_value: str
    is_working: bool
    in_progress_at: datetime | None
    created_at: datetime | None
    created_by: str
    is_deleted: bool
    archived_at: datetime | None
    may_write: bool
    waits_for: list[dict[str, Any]] = field(default_factory=list)
    needed_by: list[dict[str, Any]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    comments_total: int = 0
    history: list[Entry] = field(default_factory=list)
    agents: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    sections: dict[str, Markup] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the task is."""
        return f"/boards/{self.board_id}/tasks/{self.id}"

    @property
    def board_url(self) -> str:
        """Where its board is."""
        return f"/boards/{self.board_id}"

    @property
    def names(self) -> tuple[str, ...]:
        """Whom a text of the task can mention."""
        return tuple(one["name"] for one in (*self.agents, *self.people))

    @property
    def version(self) -> str:
        """The version of title and description, for the form that edits them."""
        return TextForm.version_of(self)

    @property
    def is_overdue(self) -> bool:
        """Whether the due date has passed without the task being done."""
        return self.due_at is not None and self.due_at < clock.now() and self.status != "done"


async def panel_of(board: Board, task_id: UUID, rights: Rights, *, all_comments: bool = False) -> Panel | None:
    """The panel of a task of the board, deleted ones included."""
    found = await rows(
        f"SELECT {COLUMNS}, t.deleted_at, g.name AS agent_name, g.last_seen_at,"
        f" CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,"
        f" {person_name('c')} AS creator_name,"
        " (SELECT COUNT(*) FROM task_comments m WHERE m.task_id = t.id AND m.deleted_at IS NULL) AS comments_total"
        " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id LEFT JOIN users u ON u.id = t.assigned_user_id"
        " LEFT JOIN users c ON c.id = t.created_by_user_id WHERE t.id = ? AND t.board_id = ?",
        task_id,
        board.id,
    )
    if not found:
        return None
    panel = _panel(board, task_id, found[0], rights)
    if not panel.is_deleted:
        await _fill(panel, board, all_comments=all_comments)
    return panel


def _panel(board: Board, task_id: UUID, row: dict[str, Any], rights: Rights) -> Panel:
    kind = "agent" if row["agent_name"] else "person" if row["person_name"] else "none"
    online = is_online(row["last_seen_at"], clock.now())
    chosen = {"agent": f"agent:{row['assigned_agent_id']}", "person": f"user:{row['assigned_user_id']}", "none": ""}
    return Panel(
        id=task_id,
        board_id=board.id,
        number=row["number"],
        title=row["title"],
        description=row["description"] or "",
        status=row["status"],
        priority=canonical(row["priority"]),
        due_at=as_moment(row["due_at"]),
        assignee=row["agent_name"] or row["person_name"] or "",
        assignee_kind=kind,
        assignee_value=chosen[kind],
        is_working=row["status"] == "in_progress" and online,
        in_progress_at=as_moment(row["in_progress_at"]),
        created_at=as_moment(row["created_at"]),
        created_by=row["creator_name"] or "",
        is_deleted=row["deleted_at"] is not None,
        archived_at=as_moment(row["archived_at"]),
        may_write=rights.may_write,
        comments_total=int(row["comments_total"]),
    )


async def _fill(panel: Panel, board: Board, *, all_comments: bool) -> None:
    await _fill_links(panel)
    panel.approvals = await _approvals(panel.id)
    limit = "" if all_comments else f" LIMIT {MAX_COMMENTS}"
    newest = await rows(f"{LIVE_COMMENTS} ORDER BY c.created_at DESC, c.id DESC{limit}", panel.id)
    panel.comments = [_comment(row) for row in reversed(newest)]
    panel.agents, panel.people = await crew_of(board), await people_of(board)
    texts = (panel.description, *(comment["message"] for comment in panel.comments))
    await read_ahead(*texts, names=panel.names)
    panel.history = await history_of_task(board.organization_id, panel.id)
    panel.sections = await sections_of(PanelTask(panel.id, board.id, panel.may_write))


async def _fill_links(panel: Panel) -> None:
    for row in await rows(
        "SELECT d.task_id, p.id, p.number, p.title, p.status FROM task_dependencies d JOIN tasks p"
        " ON p.id = CASE WHEN d.task_id = ? THEN d.depends_on_task_id ELSE d.task_id END"
        " WHERE p.deleted_at IS NULL AND (d.task_id = ? OR d.depends_on_task_id = ?) ORDER BY d.created_at, d.id",
        panel.id,
        panel.id,
        panel.id,
    ):
        (panel.waits_for if str(row["task_id"]) == str(panel.id) else panel.needed_by).append(row)


async def _approvals(task_id: UUID) -> list[dict[str, Any]]:
    found = await rows(
        "SELECT a.id, a.action_type, a.run_id, a.payload, a.confidence, a.status, a.decision, a.note, a.created_at,"
        " a.resolved_at, a.resolved_by_kind, g.name AS agent_name,"
        f" {person_name('q')} AS person_name,"
        f" {person_name('r')} AS decider FROM approval_task_links k"
        " JOIN approvals a ON a.id = k.approval_id LEFT JOIN agents g ON g.id = a.agent_id"
        " LEFT JOIN users q ON q.id = a.requested_by_user_id LEFT JOIN users r ON r.id = a.resolved_by_user_id"
        " WHERE k.task_id = ? ORDER BY a.created_at DESC, a.id DESC LIMIT 50",
        task_id,
    )
    return [_approval(row) for row in found]


def _approval(row: dict[str, Any]) -> dict[str, Any]:
    payload = as_json(row["payload"])
    reason = payload.get("reason") if isinstance(payload, dict) else None
    what = "Finish this task" if asks_to_finish(row["action_type"]) else action_words(row["action_type"])
    return {
        **row,
        "what": what,
        "reason": reason if isinstance(reason, str) else json.dumps(reason) if reason else "",
        "confidence": stated_confidence(row, payload),
        "state": row["decision"] or row["status"],
        "asker": row["agent_name"] or row["person_name"] or "Somebody",
        "decider": row["decider"] or "Mission Control",
        "created_at": as_moment(row["created_at"]),
        "resolved_at": as_moment(row["resolved_at"]),
    }


def _comment(row: dict[str, Any]) -> dict[str, Any]:
    person = row["user_id"] is not None
    return {
        "id": row["id"],
        "message": row["message"],
        "author": row["user_name"] if person else row["agent_name"] or "Somebody",
        "kind": "person" if person else "agent",
        "created_at": as_moment(row["created_at"]),
    }


async def other_tasks(board: Board, panel: Panel) -> list[dict[str, Any]]:
    """What the task could wait for: the board's other tasks, unfinished and newest first."""
    taken = {str(one["id"]) for one in panel.waits_for} | {str(panel.id)}
    found = await rows(
        "SELECT id, number, title, status FROM tasks WHERE board_id = ? AND deleted_at IS NULL"
        " ORDER BY CASE WHEN status = 'done' THEN 1 ELSE 0 END, number DESC LIMIT 200",
        board.id,
    )
    return [row for row in found if str(row["id"]) not in taken]


async def panel_partials(board: Board, rights: Rights, task_ids: list[UUID]) -> str:
    """The regions of these tasks' panels, and of the tasks linked to them, wherever one of them is open."""
    html = ""
    for task_id in await _with_linked(task_ids):
        panel = await panel_of(board, task_id, rights)
        if panel is None:
            continue
        if panel.is_deleted:
            html += partial(f"#task-{task_id}-panel", render_macro(REGIONS, "deleted", panel=panel))
            continue
        html += partial(f"#task-{task_id}-panel-gone", render_macro(REGIONS, "reload", panel=panel), "outerHTML")
        regions = {name: render_macro(REGIONS, name, panel=panel) for name in LIVE_REGIONS} | panel.sections
        html += "".join(partial(f"#task-{task_id}-panel-{name}", region) for name, region in regions.items())
    return html


async def _with_linked(task_ids: list[UUID]) -> list[UUID]:
    linked = {one for pair in await _edges(task_ids) for one in pair}
    return [*task_ids, *sorted(linked - set(task_ids))]


async def _edges(task_ids: list[UUID]) -> list[tuple[UUID, UUID]]:
    marks = ", ".join("?" * len(task_ids))
    found = await rows(
        f"SELECT task_id, depends_on_task_id FROM task_dependencies WHERE task_id IN ({marks})"
        f" OR depends_on_task_id IN ({marks})",
        *task_ids,
        *task_ids,
    )
    return [(UUID(str(row["task_id"])), UUID(str(row["depends_on_task_id"]))) for row in found]


def panel_html(panel: Panel, others: list[dict[str, Any]], **more: Any) -> str:
    """The whole panel: `edits` opens the form of title and description, `refusal` says why it was refused."""
    return render_macro(TEMPLATE, "panel", panel=panel, others=others, **more)
