"""Delete what nobody needs after a month: messages with their deliveries, used codes, devices that ended."""

from datetime import datetime, timedelta

from mission_control.background.loops import Loop
from mission_control.channels.messages.rows import SENDING
from mission_control.channels.models import KEPT
from mission_control.core import times
from mission_control.database.sql import rows

DELIVERIES_KEPT = timedelta(days=1)  # what became of a message is in the message
PIECE = 500


async def forget_old() -> None:
    """Delete in pieces, so that nobody waits for it."""
    now = times.clock_now()
    await _delete(
        "deliveries", f"kind LIKE '{SENDING}%' AND state IN ('sent', 'failed') AND due_at < ?", now - DELIVERIES_KEPT
    )
    await _delete("reach_messages", "created_at < ?", now - KEPT)
    await _delete("reach_needs", "ended_at < ?", now - KEPT)  # of a digest that was never sent: who left, for example
    await _delete("reach_codes", "expires_at < ?", now - DELIVERIES_KEPT)
    await _delete("reach_devices", "ended_at < ?", now - KEPT)


async def _delete(table: str, where: str, before: datetime) -> None:
    old = f"SELECT id FROM {table} WHERE {where} LIMIT {PIECE}"
    while await rows(f"DELETE FROM {table} WHERE id IN ({old}) RETURNING 1 AS one", before):
        pass


FORGETTING = Loop(name="deleting old messages to people", look=forget_old, pause=3600.0)
