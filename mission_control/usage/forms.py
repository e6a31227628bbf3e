"""What people type about budgets."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from mission_control.core.ids import parse_id
from mission_control.usage.models import Budget
from mission_control.usage.queries import MOST_LIMIT, Period, Unit, amount, inside
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm

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
    if not limit.is_finite() or limit > MOST_LIMIT:
        raise ValueError(f"enter at most {MOST_LIMIT:,}")
    if limit <= 0:
        raise ValueError("enter more than 0")
    inside(unit, limit)
    return limit


class BudgetForm(Form):
    """A new budget: for `organization`, `board:<id>` or `agent:<id>`."""

    subject: Annotated[str, AfterValidator(_somebody)]
    unit: Unit
    period: Period
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
        """Return the fields of the form that creates a budget again."""
        subject_id = budget.agent_id or budget.board_id
        subject = f"{budget.subject}:{subject_id}" if subject_id else "organization"
        limit = format(Decimal(str(amount(budget.unit, budget.limit_amount))), "f")
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
