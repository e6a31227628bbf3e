"""What reached nobody is tried again once its link works: a channel that was set up anew, a phone that is back."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.channels.delivery.state import Reader, Recent
from mission_control.channels.models import Device, ReachNeed
from mission_control.database.sql import as_id, rows

PAUSE = timedelta(minutes=10)  # after a try, also where a provider refuses one text and takes others


async def failing_channels(organization_id: UUID, stored: Sequence[ReachNeed]) -> set[UUID]:
    """Return the channels that fail; no statement while no need failed anywhere."""
    if not any(one.failed for one in stored):
        return set()
    found = await rows("SELECT id FROM reach_channels WHERE organization_id = ? AND state = 'failing'", organization_id)
    return {one for row in found if (one := as_id(row["id"])) is not None}


def recovered(
    reader: Reader, kept: Sequence[ReachNeed], recent: Recent, failing: set[UUID], now: datetime
) -> Iterator[tuple[ReachNeed, datetime]]:
    """Yield needs that no link took, and from when on they may be tried again; those of now have their links back."""
    for row in kept:
        links = [link for link in row.failed if _works(reader.devices.get(link, ()), failing)]
        if not links or row.tried:
            continue
        last = max(recent.last.get((reader.id, link), now - PAUSE) for link in links)
        if last + PAUSE <= now:
            row.failed = [link for link in row.failed if link not in links]
        yield row, max(last + PAUSE, now)


def _works(devices: Sequence[Device], failing: set[UUID]) -> bool:
    return any(
        device.channel_id not in failing if device.channel_id is not None else device.failed_at is None
        for device in devices
        if device.mark is not None  # that of a team whose provider no longer knows it is set anew
    )
