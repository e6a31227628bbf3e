"""When it is quiet for a person, found in another way than the plan does: by intervals of a calendar."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from mission_control.channels.delivery.plan import Person

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
AHEAD = timedelta(hours=15)  # of UTC no clock is further


@cache
def shown_from(zone: ZoneInfo, day: date, clock: time) -> datetime:
    """Return the first moment at which the clock on the wall shows this time of this day, or a later one."""
    wall = datetime.combine(day, clock)
    moment = wall - AHEAD
    while moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) < wall:
        moment += MINUTE
    return moment


def _intervals(person: Person, zone: ZoneInfo, around: datetime) -> list[tuple[datetime, datetime]]:
    found = []
    begins, ends = person.quiet or (time(8), time(8))
    for number in range(-2, 11):
        day = around.date() + number * DAY
        if begins != ends:
            found.append((shown_from(zone, day, begins), shown_from(zone, day if begins < ends else day + DAY, ends)))
        if day.weekday() in person.days_off:
            found.append((shown_from(zone, day, time(0)), shown_from(zone, day + DAY, ends)))
    return found


def end_of_quiet(person: Person, at: datetime) -> datetime | None:
    """Return when the quiet around a moment is over; None when it is not quiet."""
    ends = at
    if person.away_until is not None and at < person.away_until:
        ends = person.away_until
    if not person.is_team and person.zone is not None:
        intervals = sorted(_intervals(person, person.zone, ends))
        while grown := [end for begin, end in intervals if begin <= ends < end]:
            ends = max(grown)
    return None if ends == at else ends


def mornings(person: Person, after: datetime, until: datetime) -> list[datetime]:
    """Return the moments in (after, until] at which quiet hours end."""
    assert person.zone is not None
    ends = person.quiet[1] if person.quiet else time(8)
    days = [after.date() + number * DAY for number in range(-1, (until - after).days + 3)]
    return [moment for day in days if after < (moment := shown_from(person.zone, day, ends)) <= until]
