"""Notices to agents and mails of invitations that were given up; for admins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.reactions import NOTICE
from mission_control.core import clock
from mission_control.core.substance import Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, need, operation, shortened
from mission_control.needs.schemas import Need, NeedOtherwise, NeedParty
from mission_control.organizations.entrance import KIND as MAIL

REMEMBERED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: UUID
    agent_id: UUID
    agent: str
    header: str
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class _Mail:
    id: UUID
    invite_id: UUID
    email: str
    attempts: int
    last_error: str | None


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find what was given up in the last two weeks, for those who may have it sent again."""
    if not seeker.is_admin:
        return None
    columns = (
        "SELECT 'delivery' AS kind, d.id AS id, d.due_at AS since, {} AS board_id, CAST(NULL AS UUID) AS owner_id,"
    )
    columns += f" {NO_LIMIT} AS act_by, CAST(d.due_at AS TEXT) AS version FROM deliveries d"
    failed = "d.state = 'failed' AND d.kind = ? AND d.due_at > ? AND d.organization_id = ?"
    after = clock.now() - REMEMBERED
    return (
        f"{columns.format('g.board_id')} JOIN agents g ON g.id = d.agent_id LEFT JOIN mine ON mine.id = g.board_id"
        f" WHERE {failed} AND (g.board_id IS NULL OR mine.id IS NOT NULL)"
        f" UNION ALL {columns.format('CAST(NULL AS UUID)')} JOIN organization_invites i ON i.mail_delivery_id = d.id"
        f" WHERE {failed} AND i.accepted_at IS NULL AND i.expires_at > ?",
        [NOTICE, after, seeker.organization_id, MAIL, after, seeker.organization_id, clock.now()],
    )


async def say(page: Page) -> list[Need]:
    """Say which notice or mail did not arrive, and why."""
    ids = placeholders(len(page.ids))
    notices = await select(
        _Delivery,
        "SELECT d.id, d.agent_id, g.name AS agent, d.header, d.attempts, d.last_error FROM deliveries d"
        f" JOIN agents g ON g.id = d.agent_id WHERE d.id IN ({ids})",
        *page.ids,
    )
    mails = await select(
        _Mail,
        "SELECT d.id, i.id AS invite_id, i.invited_email AS email, d.attempts, d.last_error FROM deliveries d"
        f" JOIN organization_invites i ON i.mail_delivery_id = d.id WHERE d.id IN ({ids})",
        *page.ids,
    )
    found: dict[UUID, _Delivery | _Mail] = {UUID(str(one.id)): one for one in notices}
    found |= {UUID(str(one.id)): one for one in mails}
    said = [(key, found[key.id]) for key in page.keys if key.id in found]
    return [_mail(page, key, one) if isinstance(one, _Mail) else _need(page, key, one) for key, one in said]


def _mail(page: Page, key: Key, mail: _Mail) -> Need:
    again = operation("send_invitation_mail", {"invite_id": mail.invite_id})
    return need(
        page,
        key,
        title=f"{mail.email} did not get the invitation",
        reason=shortened(mail.last_error or "", 240),
        url=f"/settings/people/invitations/{mail.invite_id}",
        facts=[fact("mail", mail.email), fact("triangle-alert", f"given up after {_tries(mail.attempts)}")],
        answers=[
            answer("retry", "1", "Send again", "It is tried at once.", again, recommended=True, in_bulk=True),
        ],
        otherwise=NeedOtherwise(at=None, text="Nobody is invited until somebody hands over the link."),
    )


def _tries(attempts: int) -> str:
    return "1 try" if attempts == 1 else f"{attempts} tries"


def _need(page: Page, key: Key, delivery: _Delivery) -> Need:
    again = operation("retry_agent_delivery", {"agent_id": delivery.agent_id, "delivery_id": delivery.id})
    return need(
        page,
        key,
        title=f"{delivery.agent} did not get a notice: {delivery.header.capitalize()}",
        reason=shortened(delivery.last_error or "", 240),
        url=f"/agents/{delivery.agent_id}/inbox",
        facts=[fact("bot", delivery.agent), fact("webhook", f"given up after {_tries(delivery.attempts)}")],
        answers=[
            answer("retry", "1", "Send again", "It is tried at once.", again, recommended=True, in_bulk=True),
        ],
        otherwise=NeedOtherwise(at=None, text=f"{delivery.agent} reads it in its inbox if it looks there."),
        agent=NeedParty(id=delivery.agent_id, name=delivery.agent),
    )


async def decides(delivery_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return which notice or mail is sent again, and to whom."""
    listed = placeholders(len(delivery_ids))
    found = await rows(f"SELECT id, header, text, agent_id FROM deliveries WHERE id IN ({listed})", *delivery_ids)
    return {
        UUID(str(one["id"])): {"title": one["header"], "text": one["text"], "recipient": str(one["agent_id"] or "")}
        for one in found
    }


KIND = NeedKind(
    "delivery", "unblock", find, say, decides, ("delivery.", "agent.", "invite."), ("inbox_of",), is_for_admins=True
)
