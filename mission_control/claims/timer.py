"""What becomes due by itself: leases that end, and tasks whose rest after a failed attempt is over.

Everything is in the database; a process that dies leaves it to the others, or to its next start.
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
    """When the timer of this process looks again; while it looks, what is handed out meanwhile is remembered."""

    def __init__(self) -> None:
        self.earlier = asyncio.Event()
        self.at: datetime | None = None

    def no_later_than(self, moment: datetime) -> None:
        """Something ends then."""
        if self.at is None or moment < self.at:
            self.at = moment
            self.earlier.set()

    def begin_to_look(self) -> None:
        """What is handed out from now on may escape the look."""
        self.earlier.clear()
        self.at = None

    async def sleep(self, seconds: float) -> None:
        """Until the next look."""
        if self.at is not None:
            seconds = min(seconds, max(0.0, (self.at - clock.now()).total_seconds()))
            self.earlier.clear()
        seconds = min(seconds, LONGEST_SLEEP_SECONDS)
        self.at = clock.now() + timedelta(seconds=seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.earlier.wait(), seconds)


_alarm: _Alarm | None = None


def look_now() -> None:
    """The clock was set: leases may have ended."""
    lease_ends(clock.now())


def lease_ends(expires_at: datetime) -> None:
    """Somebody was handed a lease: when it ends before the timer would look, the timer looks then."""
    if _alarm is not None:
        _alarm.no_later_than(expires_at)


async def watch_leases() -> None:
    """For ever: take back what ended leases held, and notify the boards of tasks that have rested."""
    global _alarm
    _alarm = alarm = _Alarm()
    since = clock.now()
    try:
        while True:
            alarm.begin_to_look()
            until, seconds = clock.now(), LONGEST_SLEEP_SECONDS
            try:
                expired = await expire_due()
                await ring_for_rested(since, until)
                since = until
                seconds = 0.0 if expired == AT_ONCE else await seconds_left(until)
            except Exception:
                _log.exception("looking for leases that ended failed")
            await alarm.sleep(seconds)
    finally:
        _alarm = None


async def ring_for_rested(since: datetime, until: datetime) -> None:
    """Wake those who wait for work on boards where tasks may be handed out again; each process wakes its own."""
    found = await rows(
        "SELECT DISTINCT board_id FROM tasks WHERE retry_at > ? AND retry_at <= ? AND status = 'inbox'", since, until
    )
    channels.notify(f"work:{row['board_id']}" for row in found)


async def seconds_left(looked_at: datetime) -> float:
    """Until the next lease or rest ends; a lease that is overdue all the same is tried again after a moment.

    A rest that ended since the look began was not announced: the next look is at once.
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
