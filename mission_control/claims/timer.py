"""Expire leases and end the pauses of tasks after failed attempts, when they are due.

All due moments are in the database: when a process dies, the others go on, or its next start does.
"""

import asyncio
import contextlib
import logging
from datetime import datetime, timedelta

from mission_control.claims.expiry import AT_ONCE, expire_due
from mission_control.core import clock
from mission_control.database.sql import as_moment, rows
from mission_control.live import channels

LONGEST_SLEEP_SECONDS = 15.0
SECONDS_UNTIL_ANOTHER_TRY = 1.0

_log = logging.getLogger(__name__)


class _Alarm:
    """The next run of this process's timer. Leases that begin while it runs are remembered."""

    def __init__(self) -> None:
        self.earlier = asyncio.Event()
        self.at: datetime | None = None

    def no_later_than(self, moment: datetime) -> None:
        """Run no later than at a moment."""
        if self.at is None or moment < self.at:
            self.at = moment
            self.earlier.set()

    def reset(self) -> None:
        """Remember leases that begin from now on: this run may miss them."""
        self.earlier.clear()
        self.at = None

    async def sleep(self, seconds: float) -> None:
        """Sleep until the next run."""
        if self.at is not None:
            seconds = min(seconds, max(0.0, (self.at - clock.now()).total_seconds()))
            self.earlier.clear()
        seconds = min(seconds, LONGEST_SLEEP_SECONDS)
        self.at = clock.now() + timedelta(seconds=seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.earlier.wait(), seconds)


_alarm: _Alarm | None = None


def look_now() -> None:
    """Run the timer now, because the clock was set and leases may have expired."""
    lease_ends(clock.now())


def lease_ends(expires_at: datetime) -> None:
    """Move the timer forward when a new lease expires before its next run."""
    if _alarm is not None:
        _alarm.no_later_than(expires_at)


async def watch_leases() -> None:
    """Expire leases and wake workers for tasks whose pause has ended, in an endless loop."""
    global _alarm
    _alarm = alarm = _Alarm()
    since = clock.now()
    try:
        while True:
            alarm.reset()
            until, seconds = clock.now(), LONGEST_SLEEP_SECONDS
            try:
                expired = await expire_due()
                await wake_polls_for_retries(since, until)
                since = until
                seconds = 0.0 if expired == AT_ONCE else await seconds_left(until)
            except Exception:
                _log.exception("looking for leases that ended failed")
            await alarm.sleep(seconds)
    finally:
        _alarm = None


async def wake_polls_for_retries(since: datetime, until: datetime) -> None:
    """Wake the workers of this process that wait on boards with tasks whose pause has ended."""
    found = await rows(
        "SELECT DISTINCT board_id FROM tasks WHERE retry_at > ? AND retry_at <= ? AND status = 'inbox'", since, until
    )
    channels.notify(f"work:{row['board_id']}" for row in found)


async def seconds_left(looked_at: datetime) -> float:
    """Return the seconds until the next lease or pause ends. An overdue lease is tried again after a moment.

    A pause that ended since this run began was not announced: the next run is at once.
    """
    [row] = await rows(
        "SELECT (SELECT MIN(lease_expires_at) FROM task_runs WHERE ended_at IS NULL) AS lease,"
        " (SELECT MIN(retry_at) FROM tasks WHERE retry_at > ?) AS rest",
        looked_at,
    )
    lease, rest, now = as_moment(row["lease"]), as_moment(row["rest"]), clock.now()
    left = [LONGEST_SLEEP_SECONDS]
    if lease is not None:
        left.append((lease - now).total_seconds() if lease > now else SECONDS_UNTIL_ANOTHER_TRY)
    if rest is not None:
        left.append(max(0.0, (rest - now).total_seconds()))
    return min(left)
