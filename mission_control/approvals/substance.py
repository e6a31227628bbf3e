"""What an approval decides about: what is asked for and why, its tasks, and what was handed in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mission_control.approvals.finishing import asks_to_finish
from mission_control.core.substance import Parts, substance_of
from mission_control.database.sql import as_json, placeholders, rows

REASON = "reason"
_SELECT = (
    "SELECT a.id, a.action_type, a.payload, t.number, t.title, t.description, t.fence,"
    " r.agent_name, r.summary, r.evidence"
    " FROM approvals a LEFT JOIN approval_task_links l ON l.approval_id = a.id AND l.is_pending"
    " LEFT JOIN tasks t ON t.id = l.task_id AND t.deleted_at IS NULL"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
    " WHERE a.status = 'pending' AND a.id IN ({}) ORDER BY l.created_at, l.id"
)


async def parts_of_approvals(approval_ids: Sequence[Any]) -> dict[UUID, Parts]:
    """Return what pending approvals decide about, by their ids."""
    if not approval_ids:
        return {}
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in await rows(_SELECT.format(placeholders(len(approval_ids))), *approval_ids):
        found.setdefault(UUID(str(row["id"])), []).append(row)
    return {approval_id: _parts(linked) for approval_id, linked in found.items()}


async def substances_of_approvals(approval_ids: Sequence[Any]) -> dict[UUID, str]:
    """Return the marks of what pending approvals decide about, by their ids."""
    return {key: substance_of(parts) for key, parts in (await parts_of_approvals(approval_ids)).items()}


def _parts(linked: list[dict[str, Any]]) -> Parts:
    asked, tasks = linked[0], [row for row in linked if row["number"] is not None]
    payload = as_json(asked["payload"])
    payload = payload if isinstance(payload, dict) else {}
    parts: dict[str, Any] = {
        "request": [asked["action_type"], {name: one for name, one in payload.items() if name != REASON}],
        "reason": payload.get(REASON),
    }
    if tasks:
        parts["title"] = [f"#{row['number']} {row['title']}" for row in tasks]
        parts["description"] = [row["description"] for row in tasks]
    if tasks and asks_to_finish(asked["action_type"]):
        parts["result"] = [[row["summary"], as_json(row["evidence"])] for row in tasks]
        parts["run"] = [row["agent_name"] and f"attempt {row['fence']} by {row['agent_name']}" for row in tasks]
    return parts
