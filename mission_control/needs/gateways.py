"""Gateways that are not connected, and why: they wait to be approved, refuse, or are away; for admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.error_codes import ErrorCode
from mission_control.core.substance import Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.gateways.queries import CONNECTED, PAIRING, REFUSED, TOKEN_CODES
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedFact, NeedOtherwise
from mission_control.openclaw.errors import TOKEN_COMMANDS, approve_command

# A gateway that restarts is back by then. One that waits to be approved asks for a person at once.
AWAY_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class _Gateway:
    id: UUID
    name: str
    state: str
    state_code: str | None
    last_error: str | None
    pairing_request_id: str | None
    pairing_device_id: str | None
    boards: int
    agents: int

    @property
    def wants_token(self) -> bool:
        """Whether it refuses the saved token."""
        return self.state == REFUSED and self.state_code in TOKEN_CODES


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find gateways that are not connected, for those who may change them."""
    if not seeker.is_admin:
        return None
    since = "COALESCE(g.away_since, g.state_at)"
    return (
        f"SELECT 'gateway' AS kind, g.id AS id, {since} AS since, CAST(NULL AS UUID) AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by,"
        " CASE g.state WHEN ? THEN COALESCE(g.pairing_request_id, '') WHEN ? THEN COALESCE(g.state_code, '')"
        " ELSE 'away' END AS version FROM gateways g"
        f" WHERE g.organization_id = ? AND g.state <> ? AND (g.state = ? OR {since} < ?)",
        [PAIRING, REFUSED, seeker.organization_id, CONNECTED, PAIRING, clock.now() - AWAY_AFTER],
    )


async def say(page: Page) -> list[Need]:
    """Say what keeps each gateway away, and what to do about it."""
    found = await select(
        _Gateway,
        "SELECT g.id, g.name, g.state, g.state_code, g.last_error, g.pairing_request_id, g.pairing_device_id,"
        " (SELECT COUNT(*) FROM boards b WHERE b.gateway_id = g.id AND b.deleted_at IS NULL) AS boards,"
        " (SELECT COUNT(*) FROM agents a WHERE a.gateway_id = g.id AND a.board_id IS NOT NULL) AS agents"
        f" FROM gateways g WHERE g.id IN ({placeholders(len(page.ids))})",
        *page.ids,
    )
    gateways = {UUID(str(one.id)): one for one in found}
    return [_need(page, key, gateways[key.id]) for key in page.keys if key.id in gateways]


def _need(page: Page, key: Key, gateway: _Gateway) -> Need:
    text = "Its agents stay out of reach" if gateway.agents else "Nothing waits for it"
    return need(
        page,
        key,
        title=_title(gateway),
        reason=gateway.last_error,
        url=f"/gateways/{gateway.id}{'/edit' if gateway.wants_token else ''}",
        facts=_facts(gateway),
        answers=_answers(gateway),
        otherwise=NeedOtherwise(at=None, text=f"{text}; Mission Control asks again by itself."),
    )


def _title(gateway: _Gateway) -> str:
    if gateway.state == PAIRING:
        return f"Gateway {gateway.name} waits to be paired"
    if gateway.wants_token:
        return f"Gateway {gateway.name} refuses the token"
    if gateway.state_code == ErrorCode.SAME_GATEWAY:
        return f"Gateway {gateway.name} is here twice"
    return f"Gateway {gateway.name} {'refuses the connection' if gateway.state == REFUSED else 'cannot be reached'}"


def _facts(gateway: _Gateway) -> list[NeedFact]:
    facts = []
    if gateway.state == PAIRING and gateway.pairing_device_id:
        facts.append(fact("key-round", f"device {gateway.pairing_device_id[:12]}"))
    if gateway.agents:
        noun = "agent" if gateway.agents == 1 else "agents"
        facts.append(fact("bot", f"{gateway.agents} {noun} cannot be reached", "warn"))
    elif not gateway.boards:
        facts.append(fact("circle-check", "no board uses it"))
    return facts


def _answers(gateway: _Gateway) -> list[NeedAnswer]:
    command, effect = None, ""
    if gateway.state == PAIRING:
        command = approve_command(gateway.pairing_request_id)
        effect = f"Run it on the host of {gateway.name}; this closes by itself."
    elif gateway.wants_token:
        command = TOKEN_COMMANDS[0]
        effect = f"Run it in a terminal on the host of {gateway.name}, and enter what it prints on the gateway's page."
    answers = []
    if command is not None:
        answers = [answer("copy", "1", "Copy the command", effect, None, copy_text=command, recommended=True)]
    again = operation("check_gateway", {"gateway_id": gateway.id})
    key, effect = str(len(answers) + 1), "Mission Control connects at once; this closes by itself when that works."
    may_help = not answers and gateway.state_code != ErrorCode.SAME_GATEWAY
    return [*answers, answer("check", key, "Check again", effect, again, recommended=may_help)]


async def decides(gateway_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return which gateway is tried again, and which request of which device is approved."""
    listed = placeholders(len(gateway_ids))
    found = await rows(f"SELECT id, name, pairing_request_id FROM gateways WHERE id IN ({listed})", *gateway_ids)
    return {UUID(str(one["id"])): {"title": one["name"], "request": one["pairing_request_id"]} for one in found}


KIND = NeedKind("gateway", "unblock", find, say, decides, ("gateway.",), ("gateway_id",), is_for_admins=True)
