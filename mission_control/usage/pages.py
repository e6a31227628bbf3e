"""Budgets as a page of the settings."""

from uuid import UUID

from quart.typing import ResponseReturnValue

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.database.sql import placeholders, rows
from mission_control.usage.forms import LABELS, BudgetForm, LimitForm
from mission_control.usage.models import Budget
from mission_control.usage.page_view import listed
from mission_control.usage.queries import budget_read, visible_budget
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import EditConflict, Fields, FormInvalid, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers, settings_page, signed_in

pages = Pages("usage_pages", __name__)
HOME = "/settings/budgets"
BUDGET = f"{HOME}/<uuid:budget_id>"
SETTINGS = SettingsPage(
    "budgets", "Organization", "Budgets", HOME, "gauge", 170, "limits tokens money cost usage", may=administers
)
NEW = {"subject": "organization", "unit": "tokens", "period": "day"}


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "budget.manage")
    return actor


async def _form(actor: Actor) -> dict[str, object]:
    return {"subjects": await _subjects(actor), "values": NEW, "errors": {}, "labels": LABELS}


# Reports of agents, and everything that changes a budget or whose it is.
NEWS = Concerns[View](("budget.", "agent.", "board."), ("usage",))
LIST = LiveList(
    pages=pages, place=SETTINGS, template="usage/budgets.html", read=listed, around=_form,
    blocks=("budgets", "used"), news=NEWS, verb="budget.manage", is_shared=True,
)  # fmt: skip


async def _subjects(actor: Actor) -> list[tuple[str, str]]:
    """Return the subjects of a budget as options of a form: the organization, its boards, their agents."""
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


async def _not_created(refusal: Refusal[None, BudgetForm]) -> ResponseReturnValue:
    return await LIST.show(refusal.actor, values=refusal.values, errors=refusal.errors)


@action(pages, "POST", HOME, performs="create_budget", form=BudgetForm, refused=_not_created)
async def create(outcome: Outcome[None, BudgetForm]) -> ResponseReturnValue:
    """Create a budget."""
    return done(HOME)


@pages.get(BUDGET)
async def edit(budget_id: UUID) -> str:
    """Show the form of another limit: a dialog for htmx, else a page."""
    actor = await _admin()
    budget = await visible_budget(actor, budget_id)
    return await _edit(actor, budget, LimitForm.shown(budget), {})


async def _edit(actor: Actor, budget: Budget, values: Fields, errors: dict[str, str]) -> str:
    context = {"budget": await budget_read(actor, budget.id), "values": values, "errors": errors}
    if is_htmx():
        return render_macro("usage/rows.html", "limit_dialog", **context)
    return await settings_page(actor, "usage/limit.html", "budgets", **context)


@action(
    pages, "POST", BUDGET, performs="update_budget", form=LimitForm, refused=again(_edit, EditConflict, FormInvalid)
)  # fmt: skip
async def change(outcome: Outcome[Budget, LimitForm]) -> ResponseReturnValue:
    """Give a budget another limit."""
    return done(HOME)


@action(pages, "POST", f"{BUDGET}/deletion", performs="delete_budget")
async def delete(outcome: Outcome[Budget, None]) -> ResponseReturnValue:
    """Delete a budget; Undo creates it again."""
    return done(HOME, toast="Budget lifted", undo_action=HOME, undo=BudgetForm.fields_of(outcome.found))
