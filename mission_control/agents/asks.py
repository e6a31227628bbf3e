"""Notices to agents and mails of invitations that were given up, as a kind of asks; for admins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from mission_control.agents.reactions import NOTICE
from mission_control.asks.kinds import NULL_ID, AskKind, Key, Page, Rows, Seeker
from mission_control.asks.saying import Ids, answer, fact, need, shortened
from mission_control.asks.schemas import Need, NeedParty
from mission_control.core import times
from mission_control.core.substance import Parts
from mission_control.database.sql import placeholders, rows, select
from mission_control.people.organization_entrance import KIND as MAIL

REMEMBERED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class _Undelivered:
    """A notice to an agent, or the mail of an invitation."""

    id: UUID
    agent_id: UUID | None
    agent: str | None
    header: str
    invite_id: UUID | None
    email: str | None
    attempts: int
    last_error: str | None


class DeliveryAsk(AskKind[_Undelivered]):
    """Notices and mails that were given up."""

    kind, group, position = "delivery", "unblock", 40
    glyph = ("triangle-alert", "bad")
    table = "deliveries"
    concerns = ("delivery.", "agent.", "invite.")
    signals = ("inbox_of",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        after = times.clock_now() - REMEMBERED
        failed = "d.state = 'failed' AND d.kind = ? AND d.due_at > ? AND d.organization_id = ?"
        notices = Rows(
            "FROM deliveries d JOIN agents g ON g.id = d.agent_id LEFT JOIN mine ON mine.id = g.board_id"
            f" WHERE {failed} AND (g.board_id IS NULL OR mine.id IS NOT NULL)",
            [NOTICE, after, seeker.organization_id],
            id="d.id",
            since="d.due_at",
            board_id="g.board_id",
            version="CAST(d.due_at AS TEXT)",
        )
        mails = replace(
            notices,
            rest="FROM deliveries d JOIN organization_invites i ON i.mail_delivery_id = d.id"
            f" WHERE {failed} AND i.accepted_at IS NULL AND i.expires_at > ?",
            values=[MAIL, after, seeker.organization_id, times.clock_now()],
            board_id=NULL_ID,
        )
        yield from (notices, mails)

    async def read(self, page: Page) -> Mapping[UUID, _Undelivered]:
        found = await select(
            _Undelivered,
            "SELECT d.id, d.agent_id, g.name AS agent, d.header, i.id AS invite_id, i.invited_email AS email,"
            " d.attempts, d.last_error FROM deliveries d LEFT JOIN agents g ON g.id = d.agent_id"
            " LEFT JOIN organization_invites i ON i.mail_delivery_id = d.id"
            f" WHERE d.id IN ({placeholders(len(page.ids))}) AND (g.id IS NOT NULL OR i.id IS NOT NULL)",
            *page.ids,
        )
        return {one.id: one for one in found}

    def say(self, page: Page, key: Key, one: _Undelivered) -> Need:
        ids: Ids
        if one.agent_id is None or one.agent is None:
            title, url = f"{one.email} did not get the invitation", f"/settings/people/invitations/{one.invite_id}"
            agent, to, icon = None, fact("mail", one.email or ""), "triangle-alert"
            performs, ids = "send_invitation_mail", {"invite_id": str(one.invite_id)}
            otherwise = "Nobody is invited until somebody hands over the link."
        else:
            title, url = f"{one.agent} did not get a notice: {one.header.capitalize()}", f"/agents/{one.agent_id}/inbox"
            agent, to, icon = NeedParty(id=one.agent_id, name=one.agent), fact("bot", one.agent), "webhook"
            performs, ids = "retry_agent_delivery", {"agent_id": one.agent_id, "delivery_id": one.id}
            otherwise = f"{one.agent} reads it in its inbox if it looks there."
        tries, done = "1 try" if one.attempts == 1 else f"{one.attempts} tries", "It is tried at once."
        return need(
            page,
            key,
            title=title,
            reason=shortened(one.last_error or "", 240),
            url=url,
            facts=[to, fact(icon, f"given up after {tries}")],
            answers=[answer("retry", "1", "Send again", done, performs, ids, recommended=True, in_bulk=True)],
            otherwise=otherwise,
            agent=agent,
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        listed = placeholders(len(subjects))
        found = await rows(f"SELECT id, header, text, agent_id FROM deliveries WHERE id IN ({listed})", *subjects)
        return {
            UUID(str(one["id"])): {"title": one["header"], "text": one["text"], "recipient": str(one["agent_id"] or "")}
            for one in found
        }


ASK = DeliveryAsk()
