"""Presence: when agents were last seen. It is written at most every 30 seconds, without events."""

import asyncio
import logging
from datetime import datetime, timedelta

from mission_control.agents.models import Agent
from mission_control.boards.presence import OFFLINE_AFTER
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.live import broker
from mission_control.live.wake import publish_signal

TOUCH_AGAIN_AFTER = timedelta(seconds=30)
# A call ends the wait for it, and what was wrong before it.
CHECKED_IN = "wake_attempts = 0, checkin_deadline_at = NULL, last_provision_error = NULL"
# An agent of a gateway whose board has no gateway cannot be reached, although it calls.
WITHOUT_GATEWAY = (
    "(status = 'error' AND gateway_id IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM boards b WHERE b.id = agents.board_id AND b.gateway_id IS NULL))"
)
WATCH_SECONDS = 15.0

_log = logging.getLogger(__name__)


async def agent_seen(actor: Actor, last_seen_at: datetime | None) -> None:
    """Mark a calling agent as online, unless its last call was a moment ago."""
    now = clock.now()
    if last_seen_at is not None and now - last_seen_at < TOUCH_AGAIN_AFTER:
        return
    touched = await rows(
        f"UPDATE agents SET last_seen_at = ?, updated_at = ?, {CHECKED_IN},"
        f" status = CASE WHEN status = 'deleting' OR {WITHOUT_GATEWAY} THEN status ELSE 'online' END"
        " WHERE id = ? AND (last_seen_at IS NULL OR last_seen_at < ?) RETURNING id",
        now,
        now,
        actor.id,
        now - TOUCH_AGAIN_AFTER,
    )
    if touched:
        await publish_signal(actor.organization_id, agent_id=str(actor.id), board_id=str(actor.board_id))


async def watch_for_silence() -> None:
    """Signal to live readers that silent agents are offline, in an endless loop."""
    since = clock.now()
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        until = clock.now()
        running = broker.current()
        try:
            if running is not None and running.reader_count:
                await notify_silent(since, until)
        except Exception:
            _log.exception("looking for silent agents failed")
        since = until


async def notify_silent(since: datetime, until: datetime) -> None:
    """Signal to live readers that the ten minutes of some agents ended between two moments."""
    since, until = since - OFFLINE_AFTER, until - OFFLINE_AFTER
    silent = Agent.filter(gateway_id=None, last_seen_at__gte=since, last_seen_at__lt=until)
    for agent in await silent.only("id", "organization_id", "board_id"):
        await publish_signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
