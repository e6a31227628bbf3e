"""Midnight in UTC: budgets for each day begin anew, and who waits for work looks again."""

import asyncio
from datetime import datetime, time, timedelta

from mission_control.core import clock
from mission_control.live import channels
from mission_control.usage.queries import today

LONGEST_SLEEP_SECONDS = 5.0  # short, for somebody may set the clock


async def watch_for_midnight() -> None:
    """For ever: wake everybody who waits in this process when a day begins."""
    day = today()
    while True:
        await asyncio.sleep(min(seconds_left(clock.now()), LONGEST_SLEEP_SECONDS))
        day = begin_day(day)


def begin_day(known: str) -> str:
    """The day that it is; when it is not the known one any more, wake everybody who waits."""
    day = today()
    if day != known:
        channels.notify_all()
    return day


def seconds_left(now: datetime) -> float:
    """How long it is until the next day, and a moment more."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time.min)
    return (midnight - now).total_seconds() + 0.1
