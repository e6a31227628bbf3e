"""Telling live readers that there is something new."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson

from mission_control.database.sql import is_postgres, rows
from mission_control.live import bells, broker


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


async def carry(heads: dict[UUID, int], notes: list[tuple[UUID, dict[str, Any]]], rung: Iterable[str]) -> None:
    """On PostgreSQL, tell every process (this one included) when the running transaction commits, in one statement."""
    if not is_postgres():
        return
    payloads = [f"{organization_id}:{seq}" for organization_id, seq in heads.items()]
    payloads += [_json({"organization": organization_id, "note": note}) for organization_id, note in notes]
    payloads += [_json(message) for message in bells.messages(rung)]
    if payloads:
        await rows("SELECT pg_notify('mission_control', payload) FROM unnest(?::text[]) AS payload", payloads)


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message, default=str).decode()


async def publish_note(organization_id: UUID, **note: Any) -> None:
    """Tell live readers something that is worth no row, outside a command."""
    notes = [(organization_id, note)]
    await carry({}, notes, ())
    wake({}, notes)


async def publish_bell(bell: str) -> None:
    """Ring a bell in every process, outside a command."""
    await carry({}, [], [bell])
    bells.rung([bell])
