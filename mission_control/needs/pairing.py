"""Gateways that wait until this installation is approved on them; for admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.core.substance import Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.gateways.reporting import PAIRING
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, need, operation
from mission_control.needs.schemas import Need, NeedOtherwise
from mission_control.openclaw.errors import approve_command


@dataclass(frozen=True, slots=True)
class _Gateway:
    id: UUID
    name: str
    last_error: str | None
    pairing_request_id: str | None
    pairing_device_id: str | None
    agents: int


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find gateways that wait for pairing, for those who may change them."""
    if not seeker.is_admin:
        return None
    return (
        "SELECT 'pairing' AS kind, g.id AS id, g.state_at AS since, CAST(NULL AS UUID) AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by,"
        " COALESCE(g.pairing_request_id, '') AS version"
        " FROM gateways g WHERE g.organization_id = ? AND g.state = ?",
        [seeker.organization_id, PAIRING],
    )


async def say(page: Page) -> list[Need]:
    """Say which gateways wait, and what to run on them."""
    found = await select(
        _Gateway,
        "SELECT g.id, g.name, g.last_error, g.pairing_request_id, g.pairing_device_id, (SELECT COUNT(*) FROM agents a"
        " WHERE a.gateway_id = g.id AND a.board_id IS NOT NULL) AS agents FROM gateways g"
        f" WHERE g.id IN ({placeholders(len(page.ids))})",
        *page.ids,
    )
    gateways = {UUID(str(one.id)): one for one in found}
    return [_need(page, key, gateways[key.id]) for key in page.keys if key.id in gateways]


def _need(page: Page, key: Key, gateway: _Gateway) -> Need:
    facts = []
    if gateway.pairing_device_id:
        facts.append(fact("key-round", f"device {gateway.pairing_device_id[:12]}"))
    if gateway.agents:
        noun = "agent" if gateway.agents == 1 else "agents"
        facts.append(fact("bot", f"{gateway.agents} {noun} cannot be reached", "warn"))
    command = approve_command(gateway.pairing_request_id)
    again = operation("check_gateway", {"gateway_id": gateway.id})
    return need(
        page,
        key,
        title=f"Gateway {gateway.name} waits to be paired",
        reason=gateway.last_error,
        url=f"/gateways/{gateway.id}",
        facts=facts,
        answers=[
            answer(
                "copy",
                "1",
                "Copy the command",
                f"Run it on the host of {gateway.name}; this closes by itself.",
                None,
                copy_text=command,
                recommended=True,
            ),
            answer("check", "2", "Check again", "Mission Control connects at once.", again),
        ],
        otherwise=NeedOtherwise(at=None, text="Its agents stay out of reach; Mission Control asks again by itself."),
    )


async def decides(gateway_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return which request of which device is approved."""
    listed = placeholders(len(gateway_ids))
    found = await rows(f"SELECT id, name, pairing_request_id FROM gateways WHERE id IN ({listed})", *gateway_ids)
    return {UUID(str(one["id"])): {"title": one["name"], "request": one["pairing_request_id"]} for one in found}


KIND = NeedKind("pairing", "unblock", find, say, decides, ("gateway.",), ("gateway_id",), is_for_admins=True)
