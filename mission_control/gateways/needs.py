"""Gateways that are not connected, and why: they wait to be approved, refuse, or are away. Admins are asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.core import times
from mission_control.core.errors import ErrorCode
from mission_control.core.substance import Opaque, Parts
from mission_control.database.sql import Condition, placeholders, rows, select
from mission_control.gateways.protocol.errors import TOKEN_COMMANDS, approve_command
from mission_control.gateways.queries import CONNECTED, PAIRING, REFUSED, TOKEN_CODES
from mission_control.needs.kinds import Key, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need, NeedAnswer, NeedFact
from mission_control.needs.wording import answer, fact, need

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
        return self.state == REFUSED and self.state_code in TOKEN_CODES


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
    command, effect, ids = None, "", {"gateway_id": gateway.id}
    if gateway.state == PAIRING:
        command = approve_command(gateway.pairing_request_id)
        effect = f"Run it on the host of {gateway.name}; this closes by itself."
    elif gateway.wants_token:
        command = TOKEN_COMMANDS[0]
        effect = f"Run it in a terminal on the host of {gateway.name}, and enter what it prints on the gateway's page."
    answers = []
    if command is not None:
        answers = [answer("copy", "1", "Copy the command", effect, None, copy_text=command, recommended=True)]
    key, effect = str(len(answers) + 1), "Mission Control connects at once; this closes by itself when that works."
    may_help = not answers and gateway.state_code != ErrorCode.SAME_GATEWAY
    return [*answers, answer("check", key, "Check again", effect, "check_gateway", ids, recommended=may_help)]


class GatewayNeeds(NeedKind[_Gateway]):
    """Gateways that are not connected."""

    kind, group, position, title = "gateway", "unblock", 30, "Gateways that need somebody"
    glyph = ("radio-tower", "ask")
    table = "gateways"
    concerns = ("gateway.",)
    signals = ("gateway_id",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        since = "COALESCE(g.away_since, g.state_at)"
        yield Rows(
            f"FROM gateways g WHERE g.organization_id = ? AND g.state <> ? AND (g.state = ? OR {since} < ?)",
            [seeker.organization_id, CONNECTED, PAIRING, times.clock_now() - AWAY_AFTER],
            id="g.id",
            since=since,
            version=f"CASE g.state WHEN '{PAIRING}' THEN COALESCE(g.pairing_request_id, '')"
            f" WHEN '{REFUSED}' THEN COALESCE(g.state_code, '') ELSE 'away' END",
        )

    async def read(self, page: Page) -> Mapping[UUID, _Gateway]:
        gateways = await select(
            _Gateway,
            "SELECT g.id, g.name, g.state, g.state_code, g.last_error, g.pairing_request_id, g.pairing_device_id,"
            " (SELECT COUNT(*) FROM boards b WHERE b.gateway_id = g.id AND b.deleted_at IS NULL) AS boards,"
            " (SELECT COUNT(*) FROM agents a WHERE a.gateway_id = g.id AND a.board_id IS NOT NULL) AS agents"
            f" FROM gateways g WHERE g.id IN ({placeholders(len(page.ids))})",
            *page.ids,
        )
        return {gateway.id: gateway for gateway in gateways}

    def say(self, page: Page, key: Key, gateway: _Gateway) -> Need:
        text = "Its agents stay out of reach" if gateway.agents else "Nothing waits for it"
        return need(
            page,
            key,
            title=_title(gateway),
            reason=gateway.last_error,
            url=f"/gateways/{gateway.id}{'/edit' if gateway.wants_token else ''}",
            facts=_facts(gateway),
            answers=_answers(gateway),
            otherwise=f"{text}; Mission Control asks again by itself.",
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        listed = placeholders(len(subjects))
        gateways = await rows(f"SELECT id, name, pairing_request_id FROM gateways WHERE id IN ({listed})", *subjects)
        return {
            UUID(str(gateway["id"])): {"title": gateway["name"], "request": Opaque(gateway["pairing_request_id"])}
            for gateway in gateways
        }

    def begins(self, since: datetime, until: datetime) -> Condition:
        """Find the gateways that are away for too long from a moment on."""
        away = "COALESCE(away_since, state_at)"
        return (
            "SELECT organization_id, 'gateway_id' AS name, id AS value FROM gateways"
            f" WHERE state <> '{CONNECTED}' AND {away} >= ? AND {away} < ?",
            [since - AWAY_AFTER, until - AWAY_AFTER],
        )


ASK = GatewayNeeds()
