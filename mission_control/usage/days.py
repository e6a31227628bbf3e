"""At midnight UTC, daily budgets start over: wake the workers that wait for work."""

import asyncio
from datetime import datetime, time, timedelta
from uuid import UUID

from mission_control.core import clock
from mission_control.database.sql import rows
from mission_control.live import channels
from mission_control.live.wake import publish_signal
from mission_control.usage.queries import today

LONGEST_SLEEP_SECONDS = 5.0  # short, for somebody may set the clock


async def watch_for_midnight() -> None:
    """Wake every waiter of this process when a day begins, in an endless loop."""
    day = today()
    while True:
        await asyncio.sleep(min(seconds_left(clock.now()), LONGEST_SLEEP_SECONDS))
        if day != (day := begin_day(day)):
            await _tell_pages()


async def _tell_pages() -> None:
    """Signal to live readers that budgets of a day no longer wait for anybody."""
    for one in await rows("SELECT DISTINCT organization_id FROM budgets WHERE period = 'day'"):
        await publish_signal(UUID(str(one["organization_id"])), budgets="day")


def begin_day(known: str) -> str:
    """Return the current day; wake every waiter when it is a new one."""
    day = today()
    if day != known:
        channels.notify_all()
    return day


def seconds_left(now: datetime) -> float:
    """Return the seconds until the next day, and a moment more."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time.min)
    return (midnight - now).total_seconds() + 0.1
