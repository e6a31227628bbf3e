"""Wake live readers when there is something new."""

from collections.abc import Iterable
from uuid import UUID

import orjson

from mission_control.core.values import JsonObject
from mission_control.database.sql import is_postgres, rows
from mission_control.events import broker, wakeup_channels
from mission_control.events.broker import Signal
from mission_control.events.event_log import NOTIFY


def wake(heads: dict[UUID, int], signals: list[tuple[UUID, Signal]]) -> None:
    """Wake the readers of this process after a commit; pass them signals where no database carries those."""
    running = broker.current()
    if running is None:
        return
    for organization_id in heads:
        running.wake(organization_id)
    if not running.uses_database:
        for organization_id, signal in signals:
            running.signal(organization_id, signal)


def messages(signals: list[tuple[UUID, Signal]], names: Iterable[str]) -> list[str]:
    """Return what PostgreSQL tells every process of signals and channels; nothing on SQLite, which has one process."""
    if not is_postgres():
        return []
    of_signals = [_json({"organization": organization_id, "signal": signal}) for organization_id, signal in signals]
    return of_signals + [_json(message) for message in wakeup_channels.messages(names)]


async def announce(payloads: list[str]) -> None:
    """Send messages to every process, with the commit of the running transaction if there is one."""
    if payloads:
        await rows(NOTIFY, payloads)


def _json(message: JsonObject) -> str:
    return orjson.dumps(message, default=str).decode()


async def publish_signal(organization_id: UUID, **signal: object) -> None:
    """Send live readers a signal that no row keeps, outside a command."""
    await publish_signals([(organization_id, signal)])


async def publish_signals(signals: list[tuple[UUID, Signal]]) -> None:
    if signals:
        await announce(messages(signals, ()))
        wake({}, signals)


async def publish_wakeup(*names: str) -> None:
    await announce(messages([], names))
    wakeup_channels.channels_notify(names)
