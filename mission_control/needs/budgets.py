"""Budgets that are nearly or fully used up; for admins. One answers by a higher limit, by waiting, or by a stop."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.substance import Parts
from mission_control.core.times import iso
from mission_control.database.sql import placeholders, rows
from mission_control.needs.kinds import NO_LIMIT, Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, fact, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise
from mission_control.organizations.work_state import STOPPED
from mission_control.usage.budgets import owner_of
from mission_control.usage.models import WARN_AT_PERCENT, Budget
from mission_control.usage.queries import MICROS, amount, today
from mission_control.usage.wording import amount_of

LIMIT = ("limit", "The new limit", True)
WHY = "Its budget is used up."
STOPS = {
    "agent": ("set_agent_work_state", "agent_id", "This agent stops"),
    "board": ("set_board_work_state", "board_id", "All agents of the board stop"),
    "organization": ("set_my_org_work_state", "", "All agents stop"),
}
THEN = {"agent": "Its agent gets no work.", "board": "Its agents get no work.", "organization": "No agent gets work."}


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find budgets that are used up to 80 % or more, for those who may change them; not of who is stopped."""
    if not seeker.is_admin:
        return None
    day = today()
    return (
        "SELECT 'budget' AS kind, u.id AS id, COALESCE(u.state_at, u.updated_at) AS since, b.id AS board_id,"
        f" CAST(NULL AS UUID) AS owner_id, {NO_LIMIT} AS act_by, CAST(u.limit_amount AS TEXT) || ' ' ||"
        " COALESCE(u.warned_on, '') || ' ' || COALESCE(u.exceeded_on, '') AS version"
        " FROM budgets u JOIN organizations o ON o.id = u.organization_id LEFT JOIN agents a ON a.id = u.agent_id"
        " LEFT JOIN boards b ON b.id = COALESCE(u.board_id, a.board_id) LEFT JOIN mine ON mine.id = b.id"
        " WHERE u.organization_id = ? AND u.warned_on IS NOT NULL AND (u.period = 'total' OR u.warned_on = ?)"
        " AND (b.id IS NULL OR mine.id IS NOT NULL)"
        " AND CASE WHEN u.agent_id IS NOT NULL THEN a.work_state WHEN u.board_id IS NOT NULL THEN b.work_state"
        " ELSE o.work_state END <> ?",
        [seeker.organization_id, day, STOPPED],
    )


async def say(page: Page) -> list[Need]:
    """Say which budget is used up, how far, and what that means."""
    budgets = {one.id: one for one in await Budget.filter(id__in=page.ids)}
    return [await _need(page, key, budgets[key.id]) for key in page.keys if key.id in budgets]


async def _need(page: Page, key: Key, budget: Budget) -> Need:
    day, is_daily = today(), budget.period == "day"
    is_over = budget.state(day) == "exceeded"
    used, limit = (_words(budget, one) for one in (budget.used(day), budget.limit_amount))
    span = "today (UTC)" if is_daily else "in total"
    after = "It starts over at midnight (UTC)." if is_daily else "It stays so until somebody raises it."
    return need(
        page,
        key,
        title=f"The budget of {await owner_of(budget)} is used up{'' if is_over else f' to {WARN_AT_PERCENT} %'}",
        reason=f"{used.rpartition(' ')[0]} of {limit} {span}.{f' {THEN[budget.subject]}' if is_over else ''}",
        url="/settings/budgets",
        facts=[fact("gauge", f"{budget.used(day) * 100 // budget.limit_amount} %", "bad" if is_over else "warn")],
        answers=_answers(key, budget, is_over=is_over),
        otherwise=NeedOtherwise(at=_midnight() if is_daily else None, text=after),
    )


def _answers(key: Key, budget: Budget, *, is_over: bool) -> list[NeedAnswer]:
    ids, more = {"budget_id": budget.id}, raised(budget)
    limit, words = amount(budget.unit, more), _words(budget, more)
    goes_on = "Its agents go on at once." if is_over else "Its agents may use more."
    is_daily = budget.period == "day"
    later = "until midnight (UTC), when it starts over" if is_daily else "again before it changes"
    until = {"until": iso(_midnight())} if is_daily else {"until_changed": True}
    name, field, stops = STOPS[budget.subject]
    who: dict[str, UUID | str] = {field: subject} if field and (subject := budget.agent_id or budget.board_id) else {}
    return [
        answer(
            "raise",
            "1",
            f"Raise to {words}",
            goes_on,
            operation("update_budget", ids, {"limit": limit}),
            recommended=True,
        ),
        answer("set_limit", "2", "Set a limit", goes_on, operation("update_budget", ids, {}, LIMIT), note=LIMIT),
        answer(
            "wait",
            "3",
            "Wait until midnight" if is_daily else "Leave it",
            f"You are not asked {later}.",
            operation("snooze_need", {"need_id": key.name}, until),
            course="person",
        ),
        answer(
            "stop",
            "4",
            "Stop",
            f"{stops} until somebody resumes; what is in progress goes back to the inbox.",
            operation(name, who, {"state": STOPPED, "reason": WHY}),
            course="stop",
        ),
    ]


def raised(budget: Budget) -> int:
    """Return a limit that is half as high again, above what is used, and round to two digits."""
    wanted: int = max(budget.limit_amount * 3 // 2, budget.used_amount * 5 // 4, budget.limit_amount + 1)
    step = int(10 ** max(0, len(str(wanted)) - 2))
    return -(-wanted // step) * step


def _words(budget: Budget, kept: int) -> str:
    return amount_of(budget.unit, kept if budget.unit == "tokens" else kept / MICROS)


def _midnight() -> datetime:
    day = clock.now().date() + timedelta(days=1)
    return datetime.combine(day, time.min, UTC).replace(tzinfo=None)


async def decides(budget_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return which limit is raised or left."""
    found = await rows(
        f"SELECT id, unit, period, limit_amount FROM budgets WHERE id IN ({placeholders(len(budget_ids))})", *budget_ids
    )
    return {
        UUID(str(one["id"])): {"period": one["period"], "limit": f"{one['limit_amount']} {one['unit']}"}
        for one in found
    }


async def hold(budget_id: UUID) -> None:
    """Lock a budget."""
    await Budget.select_for_update().get_or_none(id=budget_id)


CHANGES = ("budget.", "board.", "agent.", "organization.work_state_changed")
KIND = NeedKind("budget", "unblock", find, say, decides, CHANGES, ("budgets",), is_for_admins=True, hold=hold)
