"""What happened to an approval, from the event log."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel

from mission_control.accounts.names import person_name
from mission_control.approvals.models import Approval
from mission_control.database.sql import rows, wire_moment


class HistoryActor(BaseModel):
    """Return who did something; a deleted person has no name."""

    kind: Literal["user", "agent", "system"]
    id: UUID | None
    name: str | None


class ApprovalHistoryItem(BaseModel):
    """One thing that happened to an approval."""

    id: UUID
    seq: int
    event_type: str
    message: str
    actor: HistoryActor
    decision: str | None
    note: str | None
    created_at: datetime


async def approval_history(approval: Approval) -> list[dict[str, Any]]:
    """Return everything that happened to an approval, oldest first."""
    found = await rows(
        "SELECT e.id, e.seq, e.kind, e.message, e.actor_kind, e.actor_id, e.data, e.created_at,"
        f" COALESCE(e.actor_name, {person_name('u')}) AS actor_name"
        " FROM events e LEFT JOIN users u ON u.id = e.actor_id"
        " WHERE e.id IN (SELECT id FROM events WHERE board_id = ? AND subject_id = ? AND kind IN"
        "  ('approval.requested', 'approval.decided', 'approval.reopened', 'approval.closed',"
        " 'approval.ended_on_gateway')) ORDER BY e.seq",
        approval.board_id,
        approval.id,
    )
    return [_item(row) for row in found]


def _item(row: dict[str, Any]) -> dict[str, Any]:
    data = orjson.loads(row["data"])
    return {
        "id": row["id"],
        "seq": row["seq"],
        "event_type": row["kind"],
        "message": row["message"],
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
        "decision": data.get("decision"),
        "note": data.get("note"),
        "created_at": wire_moment(row["created_at"]),
    }
