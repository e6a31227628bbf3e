"""Notifications in words, for browsers."""

from collections.abc import Mapping
from typing import Any


def sentence_of(one: Mapping[str, Any]) -> str:
    """Return what happened in a line: `Cleo assigned you #3 Write the report`."""
    task = f" #{one['task_number']} {one['task_title']}" if one["task_id"] else ""
    if one["kind"] == "assignment":
        return f"{one['by']['name']} assigned you{task}"
    return f"{one['by']['name']} mentioned you{' on' if task else ' in the chat'}{task}"


def place_of(one: Mapping[str, Any]) -> str:
    """Return the address of what a notification is about."""
    if not one["task_id"]:
        return f"/boards/{one['board_id']}"
    comment = f"#comment-{one['comment_id']}" if one["comment_id"] else ""
    return f"/boards/{one['board_id']}/tasks/{one['task_id']}{comment}"
