"""Which process holds which gateway: a lease in the gateway's row, renewed while the process lives.

The only server of a SQLite file needs no lease: it takes everything over at once and renews nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.core import clock
from mission_control.database.sql import is_postgres, placeholders, rows, select, select_one
from mission_control.gateways.link import Held
from mission_control.live.channels import PROCESS

LEASE = timedelta(seconds=6)  # so long does the gateway of a process that was killed wait for another one
RENEW_SECONDS = 1.5
IDLE_SECONDS = 15.0

# The address of the demo's gateway, which is invented: no process holds it, so that it stays as it was written.
INVENTED = "ws://office-mini.invalid:18789"

COLUMNS = "id, organization_id, url, token, allow_insecure_tls, device_token"


@dataclass(frozen=True, slots=True)
class _Next:
    at: datetime | None


async def held() -> list[Held]:
    """Renew the leases of this process, take over those that nobody renews, and return all that it holds now."""
    now = clock.now()
    if is_postgres():
        # In one order, so that two processes that take over at the same moment do not wait for each other.
        free = (
            "SELECT id FROM gateways WHERE (holder = ? OR holder IS NULL OR held_until IS NULL OR held_until <= ?)"
            " AND url <> ? ORDER BY id FOR NO KEY UPDATE"
        )
        return await select(
            Held,
            f"UPDATE gateways SET holder = ?, held_until = ? WHERE id IN ({free}) RETURNING {COLUMNS}",
            PROCESS,
            now + LEASE,
            PROCESS,
            now,
            INVENTED,
        )
    await _take_everything(now)
    return await select(
        Held, f"SELECT {COLUMNS} FROM gateways WHERE holder = ? AND url <> ? ORDER BY id", PROCESS, INVENTED
    )


async def _take_everything(now: datetime) -> None:
    others, which = "(holder IS NULL OR holder <> ?) AND url <> ?", (PROCESS, INVENTED)
    if await rows(f"SELECT 1 AS one FROM gateways WHERE {others} LIMIT 1", *which):
        await rows(f"UPDATE gateways SET holder = ?, held_until = ? WHERE {others}", PROCESS, now + LEASE, *which)


async def seconds_until_free() -> float:
    """Return when the next lease of another process ends, for a process that holds nothing."""
    if not is_postgres():
        return IDLE_SECONDS
    found = await select_one(_Next, "SELECT MIN(held_until) AS at FROM gateways")
    if found is None or found.at is None:
        return IDLE_SECONDS
    return min(max((found.at - clock.now()).total_seconds(), 0.0) + 0.1, IDLE_SECONDS)


async def give_up(gateways: list[UUID]) -> None:
    """Let other processes take gateways over at once."""
    if gateways:
        await rows(
            f"UPDATE gateways SET holder = NULL, held_until = NULL WHERE holder = ?"
            f" AND id IN ({placeholders(len(gateways))})",
            PROCESS,
            *gateways,
        )
