"""Notices to agents that were given up; for admins."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.reactions import NOTICE
from mission_control.core import clock
from mission_control.database.sql import placeholders, select
from mission_control.needs.kinds import Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, need, operation, shortened
from mission_control.needs.schemas import Need, NeedOtherwise, NeedParty

REMEMBERED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: UUID
    agent_id: UUID
    agent: str
    header: str
    attempts: int
    last_error: str | None


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find what was given up in the last two weeks, for those who may have it sent again."""
    if not seeker.is_admin:
        return None
    return (
        "SELECT 'delivery' AS kind, d.id AS id, d.due_at AS since, g.board_id AS board_id,"
        " CAST(NULL AS UUID) AS owner_id,"
        " CAST(d.due_at AS TEXT) AS version FROM deliveries d JOIN agents g ON g.id = d.agent_id"
        " LEFT JOIN mine ON mine.id = g.board_id WHERE d.state = 'failed' AND d.kind = ? AND d.due_at > ?"
        " AND d.organization_id = ? AND (g.board_id IS NULL OR mine.id IS NOT NULL)",
        [NOTICE, clock.now() - REMEMBERED, seeker.organization_id],
    )


async def say(page: Page) -> list[Need]:
    """Say which notice did not arrive, and why."""
    found = await select(
        _Delivery,
        "SELECT d.id, d.agent_id, g.name AS agent, d.header, d.attempts, d.last_error FROM deliveries d"
        f" JOIN agents g ON g.id = d.agent_id WHERE d.id IN ({placeholders(len(page.ids))})",
        *page.ids,
    )
    deliveries = {UUID(str(one.id)): one for one in found}
    return [_need(page, key, deliveries[key.id]) for key in page.keys if key.id in deliveries]


def _need(page: Page, key: Key, delivery: _Delivery) -> Need:
    tries = "try" if delivery.attempts == 1 else "tries"
    again = operation("retry_agent_delivery", {"agent_id": delivery.agent_id, "delivery_id": delivery.id})
    return need(
        page,
        key,
        title=f"{delivery.agent} did not get a notice: {delivery.header.capitalize()}",
        reason=shortened(delivery.last_error or "", 240),
        url=f"/agents/{delivery.agent_id}/inbox",
        facts=[fact("bot", delivery.agent), fact("webhook", f"given up after {delivery.attempts} {tries}")],
        answers=[
            answer("retry", "1", "Send again", "It is tried at once.", again, recommended=True, in_bulk=True),
        ],
        otherwise=NeedOtherwise(at=None, text=f"{delivery.agent} reads it in its inbox if it looks there."),
        agent=NeedParty(id=delivery.agent_id, name=delivery.agent),
    )


KIND = NeedKind("delivery", "unblock", find, say, ("delivery.", "agent."), ("inbox_of",), is_for_admins=True)
