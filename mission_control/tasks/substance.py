"""What is decided about a task: what it says, and what its last run handed in or failed with."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.core.substance import Parts
from mission_control.database.sql import as_json, placeholders, rows

_SELECT = (
    "SELECT t.id, t.number, t.title, t.description, t.flag_reason, t.fence, r.agent_name, r.summary, r.evidence"
    " FROM tasks t LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence WHERE t.id IN ({})"
)


async def parts_of_tasks(task_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return what is decided about tasks, by their ids."""
    if not task_ids:
        return {}
    found = await rows(_SELECT.format(placeholders(len(task_ids))), *task_ids)
    return {
        UUID(str(row["id"])): {
            "title": f"#{row['number']} {row['title']}",
            "description": row["description"],
            "result": [row["summary"], as_json(row["evidence"])],
            "run": row["agent_name"] and f"attempt {row['fence']} by {row['agent_name']}",
            "failure": row["flag_reason"],
        }
        for row in found
    }
