"""The loop that holds gateways: it leases them, and keeps one connection to each.

A bad gateway disturbs nobody: each has its own tasks, and the loop itself waits for none.
"""

import asyncio
import logging
from uuid import UUID

from mission_control.core.clock import monotonic
from mission_control.database.sql import is_postgres
from mission_control.gateways import answering, leases
from mission_control.gateways.link import Held, Link
from mission_control.live import channels
from mission_control.live.wake import publish_wakeup
from mission_control.openclaw.connection import Connection

# Gateways were made, changed or deleted, or a process gave its own up.
CHANNEL = "gateways"
# `gateway-retry:<id>`: connect now, without waiting for the next attempt.
RETRY = "gateway-retry"
CLOSING_SECONDS = 5.0

_log = logging.getLogger(__name__)
_links: dict[UUID, Link] = {}


def held_here() -> frozenset[UUID]:
    """Return the gateways whose connection this process has now."""
    return frozenset(gateway_id for gateway_id, link in _links.items() if link.is_connected)


def connection_of(gateway_id: UUID) -> Connection | None:
    """Return the connection of a gateway, None when this process has none."""
    link = _links.get(gateway_id)
    return link.connection if link is not None and link.is_connected else None


def look_now() -> None:
    """Let the loop look at once."""
    channels.notify([CHANNEL])


def retry(channel: str) -> None:
    """Connect to the gateway that a channel of `RETRY` names, unless it is connected or another process holds it."""
    link = _links.get(UUID(channel.partition(":")[2]))
    if link is not None:
        link.retry()


async def run_connector() -> None:
    """Hold gateways until the server stops; then others get them at once."""
    closing: set[asyncio.Task[None]] = set()
    answers = asyncio.create_task(answering.run(connection_of, lambda: list(_links)))
    valid_until = 0.0
    try:
        while True:
            with channels.listening(CHANNEL) as notified:
                try:
                    began = monotonic()
                    pause = await _look(closing)
                    valid_until = began + leases.LEASE.total_seconds()
                except Exception:
                    _log.exception("holding gateways failed")
                    pause = leases.RENEW_SECONDS
                    if is_postgres() and monotonic() >= valid_until:
                        _close(list(_links), closing)  # others may hold them now
                await channels.notified_within(notified, pause)
    finally:
        answers.cancel()
        await _stop(closing, answers)


async def _look(closing: set["asyncio.Task[None]"]) -> float:
    """Hold what can be held; return the seconds until the next look."""
    found = {one.id: one for one in await leases.held()}
    changed = [key for key, link in _links.items() if key not in found or link.gateway.differs_from(found[key])]
    _close(changed, closing)
    new = [one for key, one in found.items() if key not in _links]
    if new:
        await answering.fail_orphans([one.id for one in new])
    for one in new:
        _open(one, closing)
    if not _links:
        return await leases.seconds_until_free()
    return leases.RENEW_SECONDS if is_postgres() else leases.IDLE_SECONDS


def _open(gateway: Held, closing: set["asyncio.Task[None]"]) -> None:
    def lost(gateway_id: UUID) -> None:
        _close([gateway_id], closing)

    _links[gateway.id] = Link(gateway, lost=lost)


def _close(gateways: list[UUID], closing: set["asyncio.Task[None]"]) -> None:
    """End connections beside everything else: a gateway may take long for its goodbye."""
    for gateway_id in gateways:
        if (link := _links.pop(gateway_id, None)) is not None:
            task = asyncio.create_task(link.close())
            closing.add(task)
            task.add_done_callback(closing.discard)


async def _stop(closing: set["asyncio.Task[None]"], answers: "asyncio.Task[None]") -> None:
    held = list(_links)
    _close(held, closing)
    await asyncio.wait({answers, *closing}, timeout=CLOSING_SECONDS)
    try:
        await answering.fail_orphans(held)
        await leases.give_up(held)
        if held:
            await publish_wakeup(CHANNEL)
    except Exception:
        _log.exception("giving gateways up failed")
