"""Store how the connection of a gateway is, for the process that holds it."""

from collections import deque
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record, signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.records import find, update
from mission_control.database.sql import rows
from mission_control.gateways.installation import opened
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import instance_in
from mission_control.gateways.reporting import (
    CONNECTED,
    CONNECTING,
    PAIRING,
    REFUSED,
    UNREACHABLE,
    Report,
    of_same_gateway,
    stored,
)
from mission_control.live.channels import PROCESS
from mission_control.openclaw.errors import GatewayError

MOST_AN_HOUR = 12  # events of a gateway that comes and goes
_recorded: dict[UUID, deque[datetime]] = {}


def channel(gateway_id: UUID) -> str:
    """Return the channel that is notified when the state of a gateway changed."""
    return f"gateway:{gateway_id}"


@command("gateway.report")
async def report(actor: Actor, gateway_id: UUID, seen: Report) -> Report | None:
    """Store a report; a no-op when nothing changed. Return what was stored, None when this process holds it no longer.

    Instead of a gateway that the organization has already, it stores that.
    """
    gateway = await find(Gateway, "id = ? AND holder = ?", gateway_id, PROCESS, lock=True)
    if gateway is None:
        return None
    if (first := await _already_here(gateway, seen)) is not None:
        seen = of_same_gateway(first)
    await apply(gateway, seen)
    return seen


async def _already_here(gateway: Gateway, seen: Report) -> Gateway | None:
    """Store a gateway's own id, unless another row of the organization has it: then return that one.

    A unique index decides between two that are found at the same moment.
    """
    instance_id = (seen.said or {}).get("instance_id")
    if instance_id is None or instance_id == gateway.instance_id:
        return None
    try:
        async with in_transaction():
            await rows("UPDATE gateways SET instance_id = ? WHERE id = ?", instance_id, gateway.id)
    except IntegrityError:
        return await instance_in(gateway.organization_id, instance_id)
    return None


async def apply(gateway: Gateway, seen: Report) -> None:
    """Inside a command that holds the row: change what a report changes, and tell who watches the gateway."""
    columns = seen.columns()
    changed = {name for name, value in columns.items() if name != "device_token" and getattr(gateway, name) != value}
    if not changed and not _has_new_device_token(gateway, seen):
        return
    before, moments = gateway.state, stored(seen)
    if before == seen.state:
        moments.pop("state_at")
    if seen.state == CONNECTED:
        moments["away_since"] = None
    elif gateway.away_since is None:
        moments["away_since"] = clock.now() if before == CONNECTED else gateway.state_at
    if before != seen.state and CONNECTED in (before, seen.state):
        await _tell_agents(gateway, is_away=seen.state != CONNECTED)
    gateway.update_from_dict(moments)
    await update(gateway, *moments)
    _record(gateway, before)
    signal(gateway.organization_id, gateway_id=str(gateway.id))
    notify(channel(gateway.id))


async def _tell_agents(gateway: Gateway, *, is_away: bool) -> None:
    """Store with the agents whether their gateway is away; what ran on it is known anew when it is back."""
    now = clock.now()
    found = await rows(
        "UPDATE agents SET gateway_away_at = ?, run_began_at = NULL WHERE gateway_id = ? RETURNING id, board_id",
        now if is_away else None,
        gateway.id,
    )
    for one in found:
        signal(gateway.organization_id, agent_id=str(one["id"]), board_id=str(one["board_id"]))


def _has_new_device_token(gateway: Gateway, seen: Report) -> bool:
    if seen.device_token is None:
        return False
    try:
        return seen.device_token != opened(gateway.device_token)
    except GatewayError:
        return True  # stored with another SECRET_KEY


def _record(gateway: Gateway, before: str) -> None:
    """Record what people should find in the log; a short interruption is not among it."""
    if gateway.state in (before, CONNECTING):
        return
    if gateway.state in (CONNECTED, UNREACHABLE) and _is_one_too_many(gateway.id):
        return
    facts: dict[str, Any] = {"name": gateway.name, "reason": gateway.state_code}
    if gateway.state == CONNECTED:
        record("gateway.connected", gateway, f"Gateway connected: {gateway.name}.", version=gateway.version, **facts)
    elif gateway.state == PAIRING:
        message = f"Gateway waits for its device to be approved: {gateway.name}."
        record("gateway.pairing_requested", gateway, message, **facts)
    elif gateway.state == REFUSED:
        record("gateway.refused", gateway, f"Gateway refuses the connection: {gateway.name}.", **facts)
    else:
        record("gateway.unreachable", gateway, f"Gateway not reachable: {gateway.name}.", **facts)


def _is_one_too_many(gateway_id: UUID) -> bool:
    """Return whether a gateway comes and goes so often that the log has enough of it; its page shows every change."""
    now, known = clock.now(), _recorded.setdefault(gateway_id, deque(maxlen=MOST_AN_HOUR))
    if len(known) == MOST_AN_HOUR and known[0] > now - timedelta(hours=1):
        return True
    known.append(now)
    return False
