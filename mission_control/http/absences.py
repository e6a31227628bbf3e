"""Absences of people: who comes back after hours without a sign is shown what happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.core import times
from mission_control.database.sql import rows, select_one

AWAY_AFTER = timedelta(hours=4)
REPORTED_FOR = timedelta(hours=12)  # after the return, unless the person closes it
_LAST_SIGN = "(SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = users.id)"
_returned: dict[UUID, datetime] = {}


@dataclass(frozen=True, slots=True)
class Absence:
    """From the last sign of a person in any browser to the return."""

    since: datetime
    until: datetime
    is_closed: bool = False


def remember_return(user_id: UUID | None, last_seen_at: datetime | None) -> None:
    """Remember that a browser was used again after long; `write_returns` looks at the others."""
    now = times.clock_now()
    if user_id is not None and last_seen_at is not None and now - last_seen_at >= AWAY_AFTER:
        _returned.setdefault(user_id, now)


async def write_returns() -> None:
    """Store the remembered returns; call it before the new signs are written."""
    for user_id, at in list(_returned.items()):
        await record_return(user_id, at)
        _returned.pop(user_id, None)


async def record_return(user_id: UUID | None, at: datetime) -> None:
    """Store an absence that ended, if the last sign is old; a second call changes nothing that a reader sees."""
    await rows(
        f"UPDATE users SET absent_since = {_LAST_SIGN}, back_at = ? WHERE id = ? AND {_LAST_SIGN} <= ?"
        f" AND (back_at IS NULL OR back_at < {_LAST_SIGN})",
        at,
        user_id,
        at - AWAY_AFTER,
    )


@dataclass(frozen=True, slots=True)
class _Signs:
    absent_since: datetime | None
    back_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None


async def absence_of(user_id: UUID | None, organization_id: UUID | None) -> Absence | None:
    """Find the absence from which a person came back just now, whether it is stored yet or not."""
    signs = await select_one(
        _Signs,
        f"SELECT users.absent_since, users.back_at, {_LAST_SIGN} AS seen_at, m.report_closed_at AS closed_at"
        " FROM users JOIN organization_members m ON m.user_id = users.id AND m.organization_id = ? WHERE users.id = ?",
        organization_id,
        user_id,
    )
    return None if signs is None else _newest(signs, times.clock_now())


def _newest(signs: _Signs, now: datetime) -> Absence | None:
    seen, back = signs.seen_at, signs.back_at
    if seen is not None and now - seen >= AWAY_AFTER and (back is None or back < seen):
        return Absence(seen, now)
    if signs.absent_since is None or back is None or now - back > REPORTED_FOR:
        return None
    return Absence(signs.absent_since, back, signs.closed_at is not None and signs.closed_at >= back)
