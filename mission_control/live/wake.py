"""Telling live readers that there is something new."""

from typing import Any
from uuid import UUID

import orjson

from mission_control.database.sql import is_postgres, rows
from mission_control.live import broker


def wake(heads: dict[UUID, int], notes: list[tuple[UUID, dict[str, Any]]]) -> None:
    """After a commit: new heads for readers in this process, and notes where no database carries them."""
    running = broker.current()
    if running is None:
        return
    for organization_id in heads:
        running.wake(organization_id)
    if not running.hears_database:
        for organization_id, note in notes:
            running.note(organization_id, note)


async def carry_notes(notes: list[tuple[UUID, dict[str, Any]]]) -> None:
    """On PostgreSQL, send notes to every process (this one included) when the transaction commits."""
    if is_postgres():
        for organization_id, note in notes:
            payload = orjson.dumps({"organization": organization_id, "note": note}, default=str).decode()
            await rows("SELECT pg_notify('mission_control', ?)", payload)


async def publish_note(organization_id: UUID, **note: Any) -> None:
    """Tell live readers something that is worth no row, outside a command."""
    notes = [(organization_id, note)]
    await carry_notes(notes)
    wake({}, notes)
