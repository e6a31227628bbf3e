"""Which agents are in a turn on their gateway, stored for every process.

A turn is also a sign of life, once the agent has called for the first time. What begins and ends within a moment is
written once: a gateway that tells much causes few statements.
"""

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

from mission_control.core import clock
from mission_control.database.sql import rows
from mission_control.gateways.events import GatewayRef
from mission_control.live.wake import publish_signal

PACE_SECONDS = 0.3
SIGN = "last_seen_at = CASE WHEN last_seen_at IS NULL OR checkin_deadline_at IS NOT NULL THEN last_seen_at ELSE ? END"
OURS = "gateway_id = ? AND gateway_agent_id = ?"

_log = logging.getLogger(__name__)
_storing: dict[tuple[UUID, str], asyncio.Task[None]] = {}


def changed(gateway: GatewayRef, agent: str, is_in_turn: Callable[[], bool]) -> None:
    """Store soon whether an agent of a gateway is in a turn."""
    place = (gateway.id, agent)
    if agent and place not in _storing:
        _storing[place] = asyncio.create_task(_store(gateway, agent, is_in_turn))


async def _store(gateway: GatewayRef, agent: str, is_in_turn: Callable[[], bool]) -> None:
    """Store it again where it changed during the write: one after the other, so that the newest is what stays."""
    try:
        stored = None
        while stored != is_in_turn():
            await asyncio.sleep(PACE_SECONDS)
            stored = is_in_turn()
            await _write(gateway, agent, stored)
    except Exception:
        _log.exception("storing the turns of an agent of gateway %s failed", gateway.id)
    finally:
        del _storing[gateway.id, agent]


async def _write(gateway: GatewayRef, agent: str, is_begun: bool) -> None:
    began, also = ("?, ", " AND run_began_at IS NULL") if is_begun else ("NULL, ", "")
    now = clock.now()
    found = await rows(
        f"UPDATE agents SET run_began_at = {began}{SIGN} WHERE {OURS}{also} RETURNING id, board_id",
        *([now, now] if is_begun else [now]),
        gateway.id,
        agent,
    )
    for one in found:
        await publish_signal(gateway.organization_id, agent_id=str(one["id"]), board_id=str(one["board_id"]))


async def forget(gateway: GatewayRef) -> None:
    """Store that no agent of a gateway is known to be in a turn, such as after a connection was lost."""
    await rows("UPDATE agents SET run_began_at = NULL WHERE gateway_id = ? AND run_began_at IS NOT NULL", gateway.id)
