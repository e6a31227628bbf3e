"""The sections of a task's panel as regions, and the frame around them."""

import json
from collections.abc import Hashable
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.approvals.payloads import action_words, asks_to_finish, stated_confidence
from mission_control.approvals.queries import parts_of_approvals
from mission_control.core.substance import substance_of
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import PAGE, any_panel_in, of_panel, panel_in, panel_region
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Region

TITLE = "tasks/panel_title.html"
TEXT, GONE, APPROVALS = "tasks/panel_text.html", "tasks/panel_gone.html", "tasks/panel_approvals.html"
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
    return render_macro(TITLE, "title", panel=panel)


async def text(_view: BoardView, panel: Panel) -> str:
    """Return the description, to be read."""
    await read_ahead(panel.description or "", names=panel.names)
    return render_macro(TEXT, "text", panel=panel)


async def approvals(_view: BoardView, panel: Panel) -> str:
    """Return the decisions that are still asked for, the newest first; the timeline has the others."""
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
        WHERE k.task_id = ? AND a.status = 'pending' ORDER BY a.created_at DESC, a.id DESC LIMIT 50
        """,
        panel.id,
    )
    parts = await parts_of_approvals([row["id"] for row in found])
    shown = [_approval(row) | {"substance": substance_of(parts.get(UUID(str(row["id"])), {}))} for row in found]
    return render_macro(APPROVALS, "approvals", panel=panel, approvals=shown)


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


REGIONS = (
    Region(PAGE, "#task-{panel_id}-panel", of_panel("task.deleted"), deleted, _panel, name="deleted"),
    Region(PAGE, "#task-{panel_id}-panel-gone", of_panel("task.restored"), restored, _panel, None, "outerHTML", "gone"),
    panel_region("title", of_panel(*TASK), title),
    panel_region("text", of_panel(*TASK), text),
    panel_region("approvals", of_panel("approval.", "task.run_completed", *TASK), approvals),
)
