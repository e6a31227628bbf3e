"""Wake live readers when there is something new."""

from collections.abc import Iterable
from uuid import UUID

import orjson

from mission_control.database.sql import is_postgres, rows
from mission_control.log import broker, channels


def wake(heads: dict[UUID, int], signals: list[tuple[UUID, dict[str, object]]]) -> None:
    """Wake the readers of this process after a commit; pass them signals where no database carries those."""
    running = broker.current()
    if running is None:
        return
    for organization_id in heads:
        running.wake(organization_id)
    if not running.uses_database:
        for organization_id, signal in signals:
            running.signal(organization_id, signal)


async def announce(heads: dict[UUID, int], signals: list[tuple[UUID, dict[str, object]]], names: Iterable[str]) -> None:
    """Announce heads, signals and channels to every process when the transaction commits; PostgreSQL only."""
    if not is_postgres():
        return
    payloads = [f"{organization_id}:{seq}" for organization_id, seq in heads.items()]
    payloads += [_json({"organization": organization_id, "signal": signal}) for organization_id, signal in signals]
    payloads += [_json(message) for message in channels.messages(names)]
    if payloads:
        await rows("SELECT pg_notify('mission_control', payload) FROM unnest(?::text[]) AS payload", payloads)


def _json(message: dict[str, object]) -> str:
    return orjson.dumps(message, default=str).decode()


async def publish_signal(organization_id: UUID, **signal: object) -> None:
    """Send live readers a signal that no row keeps, outside a command."""
    signals = [(organization_id, signal)]
    await announce({}, signals, ())
    wake({}, signals)


async def publish_wakeup(*names: str) -> None:
    """Notify channels in every process, outside a command."""
    await announce({}, [], names)
    channels.channels_notify(names)
