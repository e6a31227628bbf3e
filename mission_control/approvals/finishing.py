"""Recognize approvals that ask to finish a task."""

from collections.abc import Mapping
from typing import Any

from mission_control.database.sql import placeholders

FINISH = "task.finish"
# The others are words that clients of the predecessor use for it.
FINISHING = (FINISH, "mark_task_done", "task.complete", "complete_task")

# SQL on `a`, an approval; takes FINISHING as its values.
ASKS_TO_FINISH = f"LOWER(a.action_type) IN ({placeholders(len(FINISHING))})"


def asks_to_finish(action_type: str) -> bool:
    """Return whether an approval of this action asks to finish its tasks."""
    return action_type.strip().lower() in FINISHING


def stated_confidence(row: Mapping[str, Any], payload: Any) -> int | None:
    """Return the percentage that the asker stated; None where nobody did: a hand-in without one, or a person's own act.

    The column needs a number in each case. A payload with `confidence: null` says that the number means nothing, and
    so does that of a hand-in, which has its `fence`, without one.
    """
    said = payload if isinstance(payload, Mapping) else {}
    if said.get("confidence", None if "fence" in said else 0) is None:
        return None
    return round(float(row["confidence"]))
