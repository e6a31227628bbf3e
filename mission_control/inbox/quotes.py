"""What notices quote stays what its author wants to have said."""

from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.agents.reactions import NOTICE
from mission_control.database.sql import rows

WITHDRAWN = "(deleted)"


async def requote(organization_id: UUID, name: str, thing_id: UUID, since: datetime, before: str, after: str) -> None:
    """Inside a command: put other words into the notices whose `data` names a thing, read ones among them.

    `name` is the key in `data`, `since` the moment before which nothing can have quoted the thing.
    """
    found = await rows(
        f"SELECT id, text FROM deliveries WHERE kind = ? AND created_at >= ? AND data ->> '{name}' = ?"
        " AND agent_id IN (SELECT id FROM agents WHERE organization_id = ?)",
        NOTICE,
        since,
        str(thing_id),
        organization_id,
    )
    for row in found:
        await rows("UPDATE deliveries SET text = ? WHERE id = ?", _requoted(row, before, after), row["id"])


def _requoted(row: dict[str, Any], before: str, after: str) -> str:
    head, mark, tail = row["text"].rpartition(f"\n\n{before}")
    return f"{head}\n\n{after}{tail}" if mark else row["text"]
