"""Tell live readers of needs that begin with the clock: what was put off, is overdue now,
got no sign in time, or is away for too long.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.boards.presence import OFFLINE_AFTER
from mission_control.database.sql import rows, select
from mission_control.live import broker, channels
from mission_control.live.wake import publish_signal
from mission_control.needs import polling
from mission_control.needs.gateways import AWAY_AFTER
from mission_control.work.loops import Loop


@dataclass(frozen=True, slots=True)
class _Begins:
    organization_id: UUID
    user_id: UUID | None
    agent_id: UUID | None


def _is_read() -> bool:
    return broker.is_read() or channels.is_awaited(polling.FAMILY)


async def notify_returns(since: datetime, until: datetime) -> None:
    """Signal to live readers what begins to wait between two moments: for one person, an agent or a gateway.

    The polls of this process are woken too; every process looks for its own.
    """
    asked = since - OFFLINE_AFTER, until - OFFLINE_AFTER
    # SQLite reads the tables of a CROSS JOIN in this order, so that it searches indexes of moments and scans no tasks.
    found = await select(
        _Begins,
        "SELECT m.organization_id, s.user_id, CAST(NULL AS UUID) AS agent_id FROM need_snoozes s"
        " JOIN organization_members m ON m.user_id = s.user_id WHERE s.until >= ? AND s.until < ?"
        " UNION SELECT b.organization_id, t.assigned_user_id, CAST(NULL AS UUID)"
        " FROM boards b CROSS JOIN tasks t WHERE t.board_id = b.id AND t.due_at >= ? AND t.due_at < ?"
        " AND t.assigned_user_id IS NOT NULL AND t.status <> 'done' AND t.deleted_at IS NULL"
        " UNION SELECT b.organization_id, CAST(NULL AS UUID), t.assigned_agent_id FROM task_comments c"
        " CROSS JOIN tasks t CROSS JOIN boards b WHERE t.id = c.task_id AND b.id = t.board_id"
        " AND c.created_at >= ? AND c.created_at < ? AND c.deleted_at IS NULL AND TRIM(c.message) <> ''"
        " AND c.user_id IS NOT NULL AND t.status = 'in_progress' AND t.assigned_agent_id IS NOT NULL",
        since,
        until,
        since,
        until,
        *asked,
    )
    away = await rows(
        "SELECT id, organization_id FROM gateways WHERE state <> 'connected'"
        " AND COALESCE(away_since, state_at) >= ? AND COALESCE(away_since, state_at) < ?",
        since - AWAY_AFTER,
        until - AWAY_AFTER,
    )
    for row in away:
        organization_id = UUID(str(row["organization_id"]))
        await publish_signal(organization_id, gateway_id=str(row["id"]))
        channels.notify([polling.channel_of(organization_id)])
    for one in found:
        about = {"needs_of": one.user_id} if one.user_id is not None else {"agent_id": one.agent_id}
        await publish_signal(one.organization_id, **{name: str(value) for name, value in about.items()})
        channels.notify([polling.channel_of(one.organization_id)])


RETURNS = Loop(name="looking for what waits again", look=notify_returns, pause=15.0, spans=True, when=_is_read)
