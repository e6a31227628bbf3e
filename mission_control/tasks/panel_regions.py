"""The sections of a task's panel as regions, and the frame around them."""

import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.activity.queries import history_of_task
from mission_control.approvals.finishing import asks_to_finish, stated_confidence
from mission_control.approvals.headings import action_words
from mission_control.boards.view import BoardView, News, on_board
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import PAGE, any_panel_in, concerns_panel, of_panel, panel_in, panel_region
from mission_control.tasks.queries import COMMENTS
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Region

TEXT, FACTS, GONE = "tasks/panel_text.html", "tasks/panel_facts.html", "tasks/panel_gone.html"
APPROVALS, LINKS, TALK = "tasks/panel_approvals.html", "tasks/panel_links.html", "tasks/panel_talk.html"
MOST_COMMENTS_SHOWN = 100
LIVE_COMMENTS = f"{COMMENTS} WHERE c.task_id = ? AND c.deleted_at IS NULL"
CREW = ("agent.created", "agent.updated", "agent.deleted")
TASK = (
    "task.updated",
    "task.status_changed",
    "task.lease_expired",
    "task.archived",
    "task.unarchived",
    "task.restored",
)


async def title(_view: BoardView, panel: Panel) -> str:
    """Return the title as the panel's heading."""
    return render_macro(TEXT, "title", panel=panel)


async def text(_view: BoardView, panel: Panel) -> str:
    """Return the description, to be read."""
    await read_ahead(panel.description, names=panel.names)
    return render_macro(TEXT, "text", panel=panel)


async def facts(_view: BoardView, panel: Panel) -> str:
    """Return status, assignee, priority and due date, to be changed by those who may."""
    return render_macro(FACTS, "facts", panel=panel)


async def fact_changes(view: BoardView, batch: Batch) -> str | None:
    """Return nothing for a sign of life of an agent that does not have the task."""
    panel = await panel_in(view)
    assignee = "" if panel is None else panel.assignee_value.removeprefix("agent:")
    return None if batch.events or any(one["agent_id"] == assignee for one in batch.signals) else ""


async def approvals(_view: BoardView, panel: Panel) -> str:
    """Return the decisions that were asked for, the newest first."""
    found = await rows(
        f"""
        SELECT a.id, a.action_type, a.run_id, a.payload, a.confidence, a.status, a.decision, a.note, a.created_at,
            a.resolved_at, a.resolved_by_kind, g.name AS agent_name,
            {person_name("q")} AS person_name,
            {person_name("r")} AS decider
        FROM approval_task_links k
        JOIN approvals a ON a.id = k.approval_id
        LEFT JOIN agents g ON g.id = a.agent_id
        LEFT JOIN users q ON q.id = a.requested_by_user_id
        LEFT JOIN users r ON r.id = a.resolved_by_user_id
        WHERE k.task_id = ? ORDER BY a.created_at DESC, a.id DESC LIMIT 50
        """,
        panel.id,
    )
    return render_macro(APPROVALS, "approvals", panel=panel, approvals=[_approval(row) for row in found])


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


async def links(view: BoardView, panel: Panel) -> str:
    """Return the linked tasks, each as one line."""
    found: Links = await view.reads.get(("links", panel.id), lambda: links_of(panel.id))
    return render_macro(LINKS, "links", panel=panel, waits_for=found.waits_for, needed_by=found.needed_by)


async def link_changes(view: BoardView, batch: Batch) -> str | None:
    """Return nothing when what happened was neither about the task nor about one that is linked to it."""
    panel = await panel_in(view)
    if panel is None:
        return ""
    if any(concerns_panel(view, event) or str(panel.id) in event.data for event in batch.events):
        return None
    found: Links = await view.reads.get(("links", panel.id), lambda: links_of(panel.id))
    return "" if found.ids.isdisjoint(event.task_id for event in batch.events) else None


async def comments(view: BoardView, panel: Panel) -> str:
    """Return the newest comments, or all of them."""
    limit = "" if view.all_comments else f" LIMIT {MOST_COMMENTS_SHOWN}"
    newest = await rows(f"{LIVE_COMMENTS} ORDER BY c.created_at DESC, c.id DESC{limit}", panel.id)
    found = [_comment(row) for row in reversed(newest)]
    await read_ahead(*(one["message"] for one in found), names=panel.names)
    return render_macro(TALK, "comments", panel=panel, comments=found)


def _comment(row: dict[str, Any]) -> dict[str, Any]:
    person = row["user_id"] is not None
    return {
        "id": row["id"],
        "message": row["message"],
        "author": row["user_name"] if person else row["agent_name"] or "Somebody",
        "kind": "person" if person else "agent",
        "created_at": as_moment(row["created_at"]),
    }


async def history(view: BoardView, panel: Panel) -> str:
    """Return what happened to the task, the newest first."""
    return render_macro(TALK, "history", entries=await history_of_task(view.board.organization_id, panel.id))


async def deleted(view: BoardView) -> str | None:
    """Return that the task was deleted, in place of everything else."""
    panel = await any_panel_in(view)
    return None if panel is None or not panel.is_deleted else render_macro(GONE, "deleted", panel=panel)


async def restored(view: BoardView) -> str | None:
    """Return what fetches the panel of a task that was put back."""
    panel = await panel_in(view)
    return None if panel is None else render_macro(GONE, "reload", panel=panel)


def _panel(view: BoardView) -> Hashable:
    return view.panel_id, view.rights


def _whole_or_crew(view: BoardView, news: News) -> bool:
    """News of the task itself, or of the agents that it can be given to."""
    if isinstance(news, Event):
        return concerns_panel(view, news) or news.kind.startswith("agent.")
    return True


REGIONS = (
    Region(PAGE, "#task-{panel_id}-panel", of_panel("task.deleted"), deleted, _panel, name="deleted"),
    Region(PAGE, "#task-{panel_id}-panel-gone", of_panel("task.restored"), restored, _panel, None, "outerHTML", "gone"),
    panel_region("title", of_panel(*TASK), title),
    panel_region("facts", on_board(*TASK, *CREW, signals=("agent_id",), about=_whole_or_crew), facts, fact_changes),
    panel_region("text", of_panel(*TASK), text),
    panel_region("approvals", of_panel("approval.", "task.status_changed"), approvals),
    panel_region("links", on_board("task."), links, link_changes),
    panel_region("comments", of_panel("task.comment"), comments),
    panel_region("history", of_panel("task.", "approval."), history),
)
