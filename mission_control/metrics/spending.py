"""What agents spent, by the time of their reports."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.database.sql import placeholders, select
from mission_control.metrics.buckets import Window
from mission_control.metrics.series import points

MICROS = 1_000_000


@dataclass(slots=True)
class Spending:
    """The costs of one hour, in the window that ends now and in the one before it."""

    hour: str
    now: int
    before: int


async def read_spending(boards: list[UUID], primary: Window, before: Window) -> list[Spending]:
    """Return the costs on these boards by hour; every bucket consists of whole hours."""
    if not boards:
        return []
    return await select(
        Spending,
        "SELECT SUBSTR(CAST(created_at AS TEXT), 1, 13) AS hour,"
        " CAST(SUM(CASE WHEN created_at >= ? THEN cost_micros ELSE 0 END) AS BIGINT) AS now,"
        " CAST(SUM(CASE WHEN created_at <= ? THEN cost_micros ELSE 0 END) AS BIGINT) AS before FROM usage_entries"
        f" WHERE board_id IN ({placeholders(len(boards))}) AND day >= ? AND created_at >= ? AND created_at <= ?"
        " GROUP BY 1",
        primary.start,
        before.end,
        *boards,
        before.start.date().isoformat(),
        before.start,
        primary.end,
    )


def spent(window: Window, spending: list[Spending], *, before: bool = False) -> dict[str, Any]:
    """Return the US dollars spent in each bucket of the window that ends now, or of the one before it."""
    micros: Counter[datetime] = Counter()
    for one in spending:
        micros[window.period_of(datetime.fromisoformat(f"{one.hour}:00"))] += one.before if before else one.now
    return points(window, {period: number / MICROS for period, number in micros.items()})
