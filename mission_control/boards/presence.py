"""Who is there: agents that call by themselves, by their last call; agents of gateways, by the connection to theirs."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.database.sql import as_moment

OFFLINE_AFTER = timedelta(minutes=10)
# What `is_at_work` needs of an agent `g`.
SIGNS = "g.last_seen_at, g.gateway_id AS agent_gateway_id, g.run_began_at"


def online_sql(agent: str) -> str:
    """Return the condition that an agent is online. Its one value is the moment before which calls are too old.

    An agent of a gateway is online once it has called for the first time, as long as its gateway is connected.
    """
    return (
        f"({agent}.last_seen_at IS NOT NULL AND (({agent}.gateway_id IS NULL AND {agent}.last_seen_at > ?)"
        f" OR ({agent}.gateway_id IS NOT NULL AND {agent}.gateway_away_at IS NULL"
        f" AND {agent}.status <> 'offline' AND {agent}.status <> 'error')))"
    )


def is_recent(last_seen_at: Any, now: datetime) -> bool:
    """Return whether somebody was seen within the last ten minutes."""
    moment = as_moment(last_seen_at)
    return moment is not None and now - moment < OFFLINE_AFTER


def is_at_work(last_seen_at: Any, gateway_id: UUID | None, run_began_at: Any, now: datetime) -> bool:
    """Return whether an agent with a task works on it now: its gateway says so, or it called a moment ago."""
    return is_recent(last_seen_at, now) if gateway_id is None else run_began_at is not None
