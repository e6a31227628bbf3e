"""Who decides on a board, as a page: how many people have to approve, and who is asked when nobody has looked."""

from typing import Literal
from uuid import UUID

from pydantic import Field, ValidationError
from quart.typing import ResponseReturnValue

from mission_control.boards.forms import TypedBoardChange
from mission_control.boards.models import Board
from mission_control.boards.schemas import MOST_NEEDED
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import in_list, rows
from mission_control.needs.escalation import MOST_PEOPLE, Escalation, EscalationStep, escalation_of
from mission_control.needs.recipients import in_words, writers
from mission_control.needs.wording import span
from mission_control.people.accounts.names import person_name
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import FormInvalid, FormValues, VersionedForm, go, sentences
from mission_control.web.lists import Pages
from mission_control.web.shell import shell_page

pages = Pages("deciding_pages", __name__)
DECIDING = "/boards/<uuid:board_id>/deciding"
STEPS = ("first", "then")
ROTAS = [("", "all of them"), ("day", "one of them, another one each day"), ("week", "one of them, another each week")]
LABELS = {
    "approvals_needed": "People who have to approve",
    "first_minutes": "Minutes without a look",
    "first_people": "Whom to ask",
    "then_minutes": "Minutes after that",
    "then_people": "Whom to ask then",
    "escalation": "Whom to ask",
}
Minutes = int | None


class DecidingForm(VersionedForm):
    """How many people have to approve, and the two steps of the escalation; a step without people is none."""

    approvals_needed: int | None = Field(None, ge=1, le=MOST_NEEDED)
    programs_need_quorum: bool = False
    first_minutes: Minutes = Field(None, ge=1, le=10_080)
    first_people: list[UUID] = Field(default_factory=list, max_length=MOST_PEOPLE)
    first_rota: Literal["", "day", "week"] = ""
    then_minutes: Minutes = Field(None, ge=1, le=10_080)
    then_people: list[UUID] = Field(default_factory=list, max_length=MOST_PEOPLE)
    then_rota: Literal["", "day", "week"] = ""

    def body(self, found: Board) -> TypedBoardChange:
        wanted: FormValues = {"escalation": self._escalation(found)}
        if self.approvals_needed is not None:
            wanted |= {"approvals_needed": self.approvals_needed, "programs_need_quorum": self.programs_need_quorum}
        return TypedBoardChange.model_validate(wanted)

    def _escalation(self, found: Board) -> Escalation | None:
        steps = [
            {
                "after_minutes": getattr(self, f"{name}_minutes"),
                "user_ids": getattr(self, f"{name}_people"),
                "rota": getattr(self, f"{name}_rota") or None,
            }
            for name in STEPS
            if getattr(self, f"{name}_people")
        ]
        if missing := self._missing():
            raise FormInvalid(self.model_dump(), missing)
        if not steps:
            return None
        zone = (found.escalation or {}).get("timezone") or times.reader().key
        try:
            return Escalation.model_validate({"steps": steps, "timezone": zone})
        except ValidationError as error:
            raise FormInvalid(self.model_dump(), sentences(error.errors())) from None

    def _missing(self) -> dict[str, str]:
        """Return what a step lacks of which a part is filled in; the second needs the first."""
        found = {}
        for name in STEPS:
            people, minutes = getattr(self, f"{name}_people"), getattr(self, f"{name}_minutes")
            if people and not minutes:
                found[f"{name}_minutes"] = "Fill this in."
            elif minutes and not people:
                found[f"{name}_people"] = "Choose at least one person."
        if self.then_people and not self.first_people:
            found.setdefault("first_people", "Choose who is asked first.")
        return found

    @classmethod
    def values_of(cls, board: Board) -> FormValues:
        escalation = escalation_of(board.escalation)
        steps = dict(zip(STEPS, escalation.steps if escalation is not None else (), strict=False))
        values: FormValues = {
            "approvals_needed": board.approvals_needed,
            "programs_need_quorum": board.programs_need_quorum,
        }
        for name in STEPS:
            step = steps.get(name)
            values[f"{name}_minutes"] = step.after_minutes if step is not None else None
            values[f"{name}_people"] = list(step.user_ids) if step is not None else []
            values[f"{name}_rota"] = (step.rota if step is not None else None) or ""
        return values


async def in_sentences(board: Board) -> list[str]:
    number = board.approvals_needed
    programs = ", also of programs and gateways" if board.programs_need_quorum else ""
    found = [f"{number} people have to approve{programs}." if number > 1 else "One person approves."]
    escalation = escalation_of(board.escalation)
    if escalation is None:
        return [*found, "Nobody else is asked when nobody looks."]
    listed, people = in_list(escalation.people)
    known = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM users u WHERE u.id IN ({listed})", *people
    )
    names = {UUID(str(row["id"])): row["name"] for row in known}
    for at, step in enumerate(escalation.steps):
        asked = in_words([names.get(one, "Somebody who is gone") for one in step.user_ids])
        found.append(f"{'After' if not at else 'Then after'} {span(60 * step.after_minutes)} {_whom(step, asked)}.")
        if step.rota:
            [turn] = escalation.asked_at(at, times.clock_now())
            found.append(f"Now it is the turn of {names.get(turn, 'somebody who is gone')}.")
    return found


def _whom(step: EscalationStep, asked: str) -> str:
    if step.rota and len(step.user_ids) > 1:
        return f"without a look, one of {asked} is asked, another one each {step.rota}"
    return f"without a look, {asked} {'is' if len(step.user_ids) == 1 else 'are'} asked"


async def _deciding(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str:
    return await shell_page(
        actor, "boards/deciding.html", active=f"board-{board.id}", board=board, values=values, errors=errors,
        labels=LABELS, people=await writers(board), rotas=ROTAS, most=MOST_NEEDED,
        may_set=actor.administers(board.organization_id),
    )  # fmt: skip


@action(pages, DECIDING, performs="update_board", form=DecidingForm, page=DECIDING, shows=_deciding)
async def change_deciding(outcome: Outcome[Board, DecidingForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/settings?saved=1#deciding-title")
