"""Budgets as a page of the settings, kept live."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ValidationInfo, field_validator
from quart import request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Budget
from mission_control.agents.usage import queries as usage_queries
from mission_control.agents.usage import schemas as usage_schemas
from mission_control.boards.queries import boards_of
from mission_control.core import amounts, times
from mission_control.core.actor import Actor, can, require
from mission_control.core.values import Paging, parse_id
from mission_control.database.sql import placeholders, rows
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import EditConflict, Fields, Form, FormInvalid, VersionedForm, done, is_htmx
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Pages, number_asked
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry, SettingsPage, administers, settings_page, signed_in

MAX_ROWS = 200


async def listed(actor: Actor, _: Asked) -> PageContext:
    budgets, total = await usage_queries.list_budgets(actor, Paging(limit=MAX_ROWS, offset=0))
    return {"budgets": budgets, "total": total}


DAYS = (1, 7, 14, 30, 90)


@dataclass(frozen=True, slots=True)
class Shares:
    """Among whom the usage is shared, and of how many days."""

    by: usage_schemas.Sharer
    days: int

    @classmethod
    def here(cls) -> "Shares":
        asked, days = request.args.get("by", ""), number_asked("days")
        by = next((one for one in usage_queries.SHARERS if one == asked), None)
        return cls(by or "agent", days if days in DAYS else 14)

    @property
    def query(self) -> usage_schemas.ShareQuery:
        since = times.clock_now().date() - timedelta(days=self.days - 1)
        return usage_schemas.ShareQuery.model_validate({"by": self.by, "from": since, "limit": MAX_ROWS, "offset": 0})


async def _shared(actor: Actor, asked: Shares) -> PageContext:
    shares = await usage_queries.usage_shares(actor, asked.query)
    return {
        "asked": asked, "shares": shares, "spans": DAYS, "sharers": tuple(usage_queries.SHARERS),
        "days": await usage_queries.days_shared(actor, asked.query), "words": amounts.WORDS,
        "may_price": can(actor, "price.manage", None),
    }  # fmt: skip


LABELS = {"subject": "For", "unit": "Of", "period": "Counted", "limit": "Limit"}


def _somebody(text: str) -> str:
    kind, _, name = text.partition(":")
    if text != "organization" and (kind not in ("board", "agent") or parse_id(name) is None):
        raise ValueError("choose one of the options")
    return text


def _limit(text: str, unit: str) -> Decimal:
    """A typed limit; ValueError says what is wrong with it."""
    if not text.strip():
        raise ValueError("fill this in")
    try:
        limit = Decimal(text.replace(",", "").replace(" ", "").lstrip("$"))
    except InvalidOperation:
        raise ValueError("enter a number") from None
    if not limit.is_finite() or limit > usage_schemas.MOST_LIMIT:
        raise ValueError(f"enter at most {usage_schemas.MOST_LIMIT:,}")
    if limit <= 0:
        raise ValueError("enter more than 0")
    amounts.inside(unit, limit)
    return limit


class BudgetForm(Form):
    """A new budget: for `organization`, `board:<id>` or `agent:<id>`."""

    subject: Annotated[str, AfterValidator(_somebody)]
    unit: usage_schemas.Unit
    period: usage_schemas.Period
    limit: str

    @field_validator("limit")
    @classmethod
    def _is_a_limit(cls, text: str, info: ValidationInfo) -> str:
        return str(_limit(text, info.data.get("unit", "cost")))

    def body(self, found: object) -> Fields:
        kind, _, name = self.subject.partition(":")
        return self.model_dump(exclude={"subject"}) | ({f"{kind}_id": parse_id(name)} if name else {})

    @staticmethod
    def fields_of(budget: Budget) -> dict[str, str]:
        is_of_all = budget.subject == "organization"
        subject = budget.subject if is_of_all else f"{budget.subject}:{budget.subject_id}"
        limit = format(Decimal(str(amounts.amount(budget.unit, budget.limit_amount))), "f")
        return {"subject": subject, "unit": budget.unit, "period": budget.period, "limit": limit}


class LimitForm(VersionedForm):
    """Another limit of a budget."""

    limit: str

    def body(self, found: Budget) -> Fields:
        try:
            limit = _limit(self.limit, found.unit)
        except ValueError as wrong:
            raise FormInvalid(self.model_dump(), {"limit": f"{str(wrong)[:1].upper()}{str(wrong)[1:]}."}) from None
        return {"limit": limit}

    @classmethod
    def values_of(cls, budget: Budget) -> dict[str, str]:
        return {"limit": BudgetForm.fields_of(budget)["limit"]}


pages = Pages("usage_pages", __name__)
HOME = "/settings/budgets"
BUDGET = f"{HOME}/<uuid:budget_id>"
SETTINGS = SettingsPage(
    "budgets", "Organization", "Budgets", HOME, "gauge", 170, "limits tokens money cost usage", may=administers
)
NEW = {"subject": "organization", "unit": "tokens", "period": "day"}


async def _form(actor: Actor) -> PageContext:
    return {"subjects": await _subjects(actor), "values": NEW, "errors": {}, "labels": LABELS}


ENTRY = PaletteEntry("Usage", "/agents/usage", "gauge", "cost money tokens agents spent models", position=32)

# Reports of agents, and everything that changes a budget or whose it is.
NEWS = Concerns[View](("budget.", "agent.", "board."), ("usage",))
LIST = LiveList(
    pages=pages, place=SETTINGS, template="agents/usage/budgets.html", read=listed, around=_form,
    blocks=("budgets",), news=NEWS, verb="budget.manage", is_shared=True,
)  # fmt: skip
LiveList(
    pages=pages, place="agents", path="/agents/usage", template="agents/usage/shares.html", read=_shared,
    asks=Shares.here, blocks=("usage",), news=Concerns[View](("price.", "agent.", "board."), ("usage",)),
    verb="usage.read",
)  # fmt: skip


async def _subjects(actor: Actor) -> list[tuple[str, str]]:
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


@action(pages, HOME, form=BudgetForm, refused=_not_created)
async def create_budget(outcome: Outcome[None, BudgetForm]) -> ResponseReturnValue:
    return done(HOME)


@pages.get(BUDGET)
async def edit(budget_id: UUID) -> str:
    actor = await signed_in()
    require(actor, "budget.manage")
    budget = await usage_queries.visible_budget(actor, budget_id)
    return await _edit(actor, budget, LimitForm.shown(budget), {})


async def _edit(actor: Actor, budget: Budget, values: Fields, errors: dict[str, str]) -> str:
    context = {"budget": await usage_queries.budget_read(actor, budget.id), "values": values, "errors": errors}
    if is_htmx():
        return render_macro("agents/usage/rows.html", "limit_dialog", **context)
    return await settings_page(actor, "agents/usage/limit.html", "budgets", **context)


@action(pages, BUDGET, form=LimitForm, refused=again(_edit, EditConflict, FormInvalid))
async def update_budget(outcome: Outcome[Budget, LimitForm]) -> ResponseReturnValue:
    return done(HOME)


@action(pages, f"{BUDGET}/deletion")
async def delete_budget(outcome: Outcome[Budget, None]) -> ResponseReturnValue:
    """Delete a budget; Undo creates it again."""
    return done(HOME, toast="Budget lifted", undo_action=HOME, undo=BudgetForm.fields_of(outcome.found))
