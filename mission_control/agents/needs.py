"""What admins are asked: about notices and mails that were given up, and budgets that are nearly or fully used up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from mission_control.agents.models import WARN_AT_PERCENT, Budget
from mission_control.agents.reactions import NOTICE
from mission_control.agents.usage.budgets import owner_of
from mission_control.agents.usage.schemas import today
from mission_control.core import times
from mission_control.core.amounts import MICROS, amount, amount_of
from mission_control.core.substance import Opaque, Parts
from mission_control.core.times import iso
from mission_control.database.sql import Row, placeholders, rows, select
from mission_control.needs.kinds import NULL_ID, Key, NeedKind, Page, Rows, Seeker
from mission_control.needs.schemas import Need, NeedAnswer, NeedParty
from mission_control.needs.wording import Ids, answer, fact, need, shortened
from mission_control.people.organizations.invitations import KIND as MAIL
from mission_control.people.organizations.work_state import STOPPED

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


class DeliveryNeeds(NeedKind[_Undelivered]):
    """Notices and mails that were given up."""

    kind, group, position, title = "delivery", "unblock", 40, "Notices that were given up"
    urgency = "digest"
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
        undelivered = await select(
            _Undelivered,
            "SELECT d.id, d.agent_id, g.name AS agent, d.header, i.id AS invite_id, i.invited_email AS email,"
            " d.attempts, d.last_error FROM deliveries d LEFT JOIN agents g ON g.id = d.agent_id"
            " LEFT JOIN organization_invites i ON i.mail_delivery_id = d.id"
            f" WHERE d.id IN ({placeholders(len(page.ids))}) AND (g.id IS NOT NULL OR i.id IS NOT NULL)",
            *page.ids,
        )
        return {notice.id: notice for notice in undelivered}

    def say(self, page: Page, key: Key, notice: _Undelivered) -> Need:
        ids: Ids
        if notice.agent_id is None or notice.agent is None:
            title = f"{notice.email} did not get the invitation"
            url = f"/settings/people/invitations/{notice.invite_id}"
            agent, to, icon = None, fact("mail", notice.email or ""), "triangle-alert"
            performs, ids = "resend_invitation", {"invite_id": str(notice.invite_id)}
            otherwise = "Nobody is invited until somebody hands over the link."
        else:
            title = f"{notice.agent} did not get a notice: {notice.header.capitalize()}"
            url = f"/agents/{notice.agent_id}/inbox"
            agent, to, icon = NeedParty(id=notice.agent_id, name=notice.agent), fact("bot", notice.agent), "webhook"
            performs, ids = "resend_agent_delivery", {"agent_id": notice.agent_id, "delivery_id": notice.id}
            otherwise = f"{notice.agent} reads it in its inbox if it looks there."
        tries, done = "1 try" if notice.attempts == 1 else f"{notice.attempts} tries", "It is tried at once."
        return need(
            page,
            key,
            title=title,
            reason=shortened(notice.last_error or "", 240),
            url=url,
            facts=[to, fact(icon, f"given up after {tries}")],
            answers=[answer("resend", "1", "Send again", done, performs, ids, recommended=True, in_bulk=True)],
            otherwise=otherwise,
            agent=agent,
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        listed = placeholders(len(subjects))
        deliveries = await rows(
            "SELECT d.id, d.header, d.text, d.agent_id, a.name FROM deliveries d LEFT JOIN agents a"
            f" ON a.id = d.agent_id WHERE d.id IN ({listed})",
            *subjects,
        )
        return {
            UUID(str(row["id"])): {
                "title": row["header"],
                "text": row["text"],
                "recipient": Opaque(str(row["agent_id"] or ""), row["name"]),
            }
            for row in deliveries
        }


LIMIT = ("limit", "The new limit", True)
WHY = "Its budget is used up."
STOPS = {
    "agent": ("set_agent_work_state", "agent_id", "This agent stops"),
    "board": ("set_board_work_state", "board_id", "All agents of the board stop"),
    "organization": ("set_my_org_work_state", "", "All agents stop"),
}
THEN = {"agent": "Its agent gets no work.", "board": "Its agents get no work.", "organization": "No agent gets work."}


def _answers(key: Key, budget: Budget, *, is_over: bool) -> list[NeedAnswer]:
    ids, more = {"budget_id": budget.id}, raised(budget)
    raise_to, goes_on = f"Raise to {_words(budget, more)}", "Its agents go on at once."
    if not is_over:
        goes_on = "Its agents may use more."
    body = {"limit": amount(budget.unit, more)}
    wait, later = "Leave it", "again before it changes"
    until: Row = {"until_changed": True}
    if budget.period == "day":
        wait, later = "Wait until midnight", "until midnight (UTC), when it starts over"
        until = {"until": iso(_midnight())}
    name, field, stops = STOPS[budget.subject]
    subject = budget.agent_id or budget.board_id
    who: Ids = {field: subject} if field and subject is not None else {}
    ends = f"{stops} until somebody resumes; what is in progress goes back to the inbox."
    stop = {"state": STOPPED, "reason": WHY}
    not_asked, need_id = f"You are not asked {later}.", {"need_id": key.name}
    return [
        answer("raise", "1", raise_to, goes_on, "update_budget", ids, body, recommended=True),
        answer("set_limit", "2", "Set a limit", goes_on, "update_budget", ids, {}, note=LIMIT),
        answer("wait", "3", wait, not_asked, "snooze_need", need_id, until, course="person"),
        answer("stop", "4", "Stop", ends, name, who, stop, course="stop"),
    ]


def raised(budget: Budget) -> int:
    """Return a limit that is half as high again, above what is used, and round to two digits."""
    limit: int = max(budget.limit_amount * 3 // 2, budget.used_amount * 5 // 4, budget.limit_amount + 1)
    step = int(10 ** max(0, len(str(limit)) - 2))
    return -(-limit // step) * step


def _words(budget: Budget, quantity: int) -> str:
    return amount_of(budget.unit, quantity if budget.unit == "tokens" else quantity / MICROS)


def _midnight() -> datetime:
    day = times.clock_now().date() + timedelta(days=1)
    return datetime.combine(day, time.min, UTC).replace(tzinfo=None)


class BudgetNeeds(NeedKind[tuple[Budget, str]]):
    """Budgets that are nearly or fully used up."""

    kind, group, position, title = "budget", "unblock", 50, "Budgets that are used up"
    glyph = ("gauge", "warn")
    table = "budgets"
    concerns = ("budget.", "board.", "agent.", "organization.work_state_changed")
    signals = ("budgets",)
    is_for_admins = True

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM budgets u JOIN organizations o ON o.id = u.organization_id LEFT JOIN agents a ON a.id = u.agent_id"
            " LEFT JOIN boards b ON b.id = COALESCE(u.board_id, a.board_id) LEFT JOIN mine ON mine.id = b.id"
            " WHERE u.organization_id = ? AND u.warned_on IS NOT NULL AND (u.period = 'total' OR u.warned_on = ?)"
            " AND (b.id IS NULL OR mine.id IS NOT NULL)"
            " AND CASE WHEN u.agent_id IS NOT NULL THEN a.work_state WHEN u.board_id IS NOT NULL THEN b.work_state"
            " ELSE o.work_state END <> ?",
            [seeker.organization_id, today(), STOPPED],
            id="u.id",
            since="COALESCE(u.state_at, u.updated_at)",
            board_id="b.id",
            version="CAST(u.limit_amount AS TEXT) || ' ' || COALESCE(u.warned_on, '') || ' ' ||"
            " COALESCE(u.exceeded_on, '')",
        )

    async def read(self, page: Page) -> Mapping[UUID, tuple[Budget, str]]:
        return {budget.id: (budget, await owner_of(budget)) for budget in await Budget.filter(id__in=page.ids)}

    def say(self, page: Page, key: Key, owned: tuple[Budget, str]) -> Need:
        budget, owner = owned
        day, is_daily = today(), budget.period == "day"
        is_over = budget.state(day) == "exceeded"
        used, limit = (_words(budget, one) for one in (budget.used(day), budget.limit_amount))
        span = "today (UTC)" if is_daily else "in total"
        return need(
            page,
            key,
            title=f"The budget of {owner} is used up{'' if is_over else f' to {WARN_AT_PERCENT} %'}",
            reason=f"{used.rpartition(' ')[0]} of {limit} {span}.{f' {THEN[budget.subject]}' if is_over else ''}",
            url="/settings/budgets",
            facts=[fact("gauge", f"{budget.used(day) * 100 // budget.limit_amount} %", "bad" if is_over else "warn")],
            answers=_answers(key, budget, is_over=is_over),
            otherwise="It starts over at midnight (UTC)." if is_daily else "It stays so until somebody raises it.",
            at=_midnight() if is_daily else None,
        )

    async def decides(self, subjects: Sequence[UUID]) -> dict[UUID, Parts]:
        budgets = await rows(
            f"SELECT id, unit, period, limit_amount FROM budgets WHERE id IN ({placeholders(len(subjects))})", *subjects
        )
        return {
            UUID(str(row["id"])): {"period": row["period"], "limit": f"{row['limit_amount']} {row['unit']}"}
            for row in budgets
        }

    async def hold(self, budget_id: UUID) -> None:
        await Budget.select_for_update().get_or_none(id=budget_id)


DELIVERIES, BUDGETS = DeliveryNeeds(), BudgetNeeds()
