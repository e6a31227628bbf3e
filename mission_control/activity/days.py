"""Group the lines of a feed by day."""

from datetime import datetime, timedelta

from mission_control.activity.sentences import Entry
from mission_control.core import zones

Day = tuple[str, list[Entry]]


def by_day(found: list[Entry]) -> list[Day]:
    """Return lines grouped under the names of their days, where the reader is."""
    days: list[Day] = []
    for entry in found:
        name = day_name(entry.created_at)
        if not days or days[-1][0] != name:
            days.append((name, []))
        days[-1][1].append(entry)
    return days


def day_name(moment: datetime) -> str:
    """Return Today, Yesterday, or the date of a moment."""
    zone = zones.reader()
    day, today = zones.day_of(moment, zone), zones.today(zone)
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
