"""Commands that change budgets."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound, invalid_field
from mission_control.database.sql import is_postgres, rows
from mission_control.usage.commands import MARKS, facts, mark, owner_of, scope_of
from mission_control.usage.models import Budget
from mission_control.usage.queries import today
from mission_control.usage.schemas import BudgetCreate, inside

TAKEN = "There is a budget of this unit and period already. Change its limit."


@command("budget.manage")
async def create_budget(actor: Actor, organization_id: UUID, wanted: BudgetCreate) -> Budget:
    """Create a budget; earlier usage counts. Raise Conflict when there is one of the same kind."""
    made = Budget(
        organization_id=organization_id,
        agent_id=wanted.agent_id,
        board_id=wanted.board_id,
        unit=wanted.unit,
        period=wanted.period,
        limit_amount=inside(wanted.unit, wanted.limit),
    )
    await _hold_subject(made)
    day = today()
    made.used_amount, made.used_on = await _used_so_far(made, day), day
    try:
        async with in_transaction():
            await made.save(force_create=True)
    except IntegrityError:
        raise Conflict(TAKEN) from None
    record("budget.created", await scope_of(made), f"Budget made for {await owner_of(made)}.", **facts(made, day))
    await mark(made, day)
    await made.save(update_fields=[*MARKS])
    return made


async def _hold_subject(budget: Budget) -> None:
    """Lock the owner of a budget as reports do, then the organization, so that no report is running."""
    hold, whole = (" FOR KEY SHARE", " FOR UPDATE") if is_postgres() else ("", "")
    for table, subject in (("agents", budget.agent_id), ("boards", budget.board_id)):
        if subject is not None:
            sql = f"SELECT 1 AS one FROM {table} WHERE id = ? AND organization_id = ?{hold}"
            if not await rows(sql, subject, budget.organization_id):
                raise Invalid(f"There is no {budget.subject} with this id in the organization.")
    await rows(f"SELECT 1 AS one FROM organizations WHERE id = ?{whole}", budget.organization_id)


async def _used_so_far(budget: Budget, day: str) -> int:
    amount = "input_tokens + output_tokens" if budget.unit == "tokens" else "cost_micros"
    subject = {"agent": budget.agent_id, "board": budget.board_id, "organization": budget.organization_id}
    since = " AND day >= ?" if budget.period == "day" else ""
    [found] = await rows(
        f"SELECT COALESCE(SUM({amount}), 0) AS used FROM usage_entries WHERE {budget.subject}_id = ?{since}",
        *[subject[budget.subject], day][: 2 if since else 1],
    )
    return int(found["used"])


@command("budget.manage")
async def change_limit(actor: Actor, budget: Budget, limit: Decimal) -> Budget:
    """Set the limit of a budget. Its warnings may be recorded again, and waiting agents may go on."""
    budget = await _locked(budget)
    try:
        kept = inside(budget.unit, limit)
    except ValueError as wrong:
        raise invalid_field("limit", str(wrong), str(limit)) from None
    if kept == budget.limit_amount:
        return budget
    day, before = today(), budget.limit_amount
    was_used_up = budget.stands(budget.exceeded_on, day)
    budget.limit_amount, budget.updated_at = kept, clock.now()
    budget.warned_on = budget.exceeded_on = None
    changed: dict[str, Any] = {"before": {"limit": before}, "after": {"limit": kept}}
    what = f"Budget changed for {await owner_of(budget)}."
    changed["opens"] = was_used_up and budget.state(day) != "exceeded"
    record("budget.updated", await scope_of(budget), what, **changed, **facts(budget, day))
    await mark(budget, day)
    await budget.save(update_fields=["limit_amount", *MARKS, "updated_at"])
    await _wake_polls_of_boards(budget)
    return budget


@command("budget.manage")
async def delete_budget(actor: Actor, budget: Budget) -> None:
    """Delete a budget."""
    budget = await _locked(budget)
    scope, day = await scope_of(budget), today()
    await Budget.filter(id=budget.id).delete()
    about = facts(budget, day) | {"opens": budget.stands(budget.exceeded_on, day)}
    record("budget.deleted", scope, f"Budget lifted for {await owner_of(budget)}.", **about)
    await _wake_polls_of_boards(budget)


async def _locked(budget: Budget) -> Budget:
    found = await Budget.select_for_update().get_or_none(id=budget.id)
    if found is None:
        raise NotFound()
    return found


async def _wake_polls_of_boards(budget: Budget) -> None:
    """Wake the agents that wait for work on the boards of a budget."""
    condition, subject = "organization_id = ? AND deleted_at IS NULL", budget.organization_id
    if budget.board_id is not None:
        condition, subject = "id = ?", budget.board_id
    elif budget.agent_id is not None:
        condition, subject = "id = (SELECT board_id FROM agents WHERE id = ?)", budget.agent_id
    for row in await rows(f"SELECT id FROM boards WHERE {condition}", subject):
        notify(f"work:{UUID(str(row['id']))}")
