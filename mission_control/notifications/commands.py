"""Mark notifications as read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows


@command("notification.read")
async def mark_read(actor: Actor, ids: Sequence[UUID] | None, until: datetime | None) -> None:
    """Mark one's own as read: those with these ids, or all that came until a moment. Others' are left alone."""
    where, values = "user_id = ? AND organization_id = ? AND read_at IS NULL", list[Any]()
    if ids is not None:
        where, values = f"{where} AND id IN ({placeholders(len(ids))})", [*ids]
    if until is not None:
        where, values = f"{where} AND created_at <= ?", [*values, until]
    found = await rows(
        f"UPDATE notifications SET read_at = ? WHERE {where} RETURNING id",
        clock.now(),
        actor.user_id,
        actor.organization_id,
        *values,
    )
    if found:
        signal(actor.organization_id, notified_user=str(actor.user_id))
