"""Budgets as a page of the settings."""

from typing import Any
from uuid import UUID

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError
from mission_control.core.policy import require
from mission_control.database.sql import placeholders, rows
from mission_control.usage.budgets import change_limit, create_budget, delete_budget
from mission_control.usage.forms import LABELS, BudgetForm, LimitForm
from mission_control.usage.models import Budget
from mission_control.usage.page_live import TEMPLATE, budgets_stream, context_of
from mission_control.usage.queries import budget_read, visible_budget
from mission_control.web.forms import FormInvalid, done, is_htmx, read_form
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("usage_pages", __name__)
HOME = "/settings/budgets"
NEW = {"subject": "organization", "unit": "tokens", "period": "day"}


@pages.get(HOME)
async def budgets() -> str:
    """The budgets of the organization with what is used of them, and who used up what."""
    return await _page(await _admin(), NEW, {})


@pages.get(f"{HOME}/live")
async def live() -> Response:
    """Keep the page live."""
    return await budgets_stream(await _admin())


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "budget.manage")
    return actor


async def _page(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    context = await context_of(actor) | {"values": values, "errors": errors, "labels": LABELS}
    return await shell_page(actor, TEMPLATE, active="settings", subjects=await _subjects(actor), **context)


async def _subjects(actor: Actor) -> list[tuple[str, str]]:
    """What a budget may be for, as options of a form: the organization, its boards, their agents."""
    boards = await boards_of(actor)
    agents = await rows(
        f"SELECT id, name, board_id FROM agents WHERE board_id IN ({placeholders(len(boards) or 1)})"
        " ORDER BY LOWER(name), id",
        *([board.id for board in boards] or [actor.organization_id]),
    )
    found = [("organization", "The whole organization")]
    for board in boards:
        found.append((f"board:{board.id}", f"Board {board.name}"))
        mine = [agent for agent in agents if str(agent["board_id"]) == str(board.id)]
        found += [(f"agent:{agent['id']}", f"{board.name} / {agent['name']}") for agent in mine]
    return found


@pages.post(HOME)
async def create() -> ResponseReturnValue:
    """Make a budget."""
    actor = await _admin()
    try:
        form = await read_form(BudgetForm)
    except FormInvalid as invalid:
        return await _page(actor, invalid.values, invalid.errors), 422
    try:
        await create_budget(actor, actor.organization_id, form.wanted())
    except DomainError as refused:
        return await _page(actor, form.model_dump(), {"": refused.sentence}), refused.status
    return done(HOME)


@pages.get(f"{HOME}/<uuid:budget_id>")
async def edit(budget_id: UUID) -> str:
    """Ask for another limit: a dialog for htmx, else a page."""
    actor = await _admin()
    budget = await visible_budget(actor, budget_id)
    return await _edit(actor, budget, {"limit": BudgetForm.fields_of(budget)["limit"]}, {})


async def _edit(actor: Actor, budget: Budget, values: dict[str, Any], errors: dict[str, str]) -> str:
    context = {"budget": await budget_read(actor, budget.id), "values": values, "errors": errors}
    if is_htmx():
        return render_macro("usage/rows.html", "limit_dialog", **context)
    return await shell_page(actor, "usage/limit.html", active="settings", **context)


@pages.post(f"{HOME}/<uuid:budget_id>")
async def change(budget_id: UUID) -> ResponseReturnValue:
    """Give a budget another limit."""
    actor = await _admin()
    budget = await visible_budget(actor, budget_id)
    try:
        form = await read_form(LimitForm)
        limit = form.wanted(budget.unit)
    except FormInvalid as invalid:
        return await _edit(actor, budget, invalid.values, invalid.errors), 422
    except ValueError as wrong:
        sentence = f"{str(wrong)[:1].upper()}{str(wrong)[1:]}."
        return await _edit(actor, budget, form.model_dump(), {"limit": sentence}), 422
    await change_limit(actor, budget, limit)
    return done(HOME)


@pages.post(f"{HOME}/<uuid:budget_id>/deletion")
async def delete(budget_id: UUID) -> Response:
    """Lift a limit; the message makes it again."""
    actor = await _admin()
    budget = await visible_budget(actor, budget_id)
    await delete_budget(actor, budget)
    return done(HOME, toast="Budget lifted", undo_action=HOME, undo=BudgetForm.fields_of(budget))
