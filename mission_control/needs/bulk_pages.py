"""Decide several rows of the queue of approvals in one go, and take that back."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.core.schemas import BlankToNone, NonEmptyStr
from mission_control.needs.schemas import NeedResult, NeedsAnswered, NeedsUndone
from mission_control.web.actions import Form, action
from mission_control.web.forms import done
from mission_control.web.outcomes import Outcome
from mission_control.web.shell import safe_next

pages = Blueprint("needs_bulk_pages", __name__)
WORDS = {"approve": "approved", "send_back": "sent back"}


class SelectionForm(Form):
    """One answer to the chosen rows."""

    need: list[str] = Field(min_length=1, max_length=200)
    answer: Literal["approve", "send_back"]
    note: Annotated[NonEmptyStr | None, BlankToNone] = None
    next: str = "/approvals"

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "SelectionForm":
        if self.answer == "send_back" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: None) -> NeedsAnswered:
        """Return the answer, once for each row."""
        given = {"answer": self.answer, "note": self.note}
        return NeedsAnswered.model_validate({"answers": [{"id": one, **given} for one in self.need]})


class UndoForm(Form):
    """The rows whose decisions are taken back, with commas between them."""

    needs: str = Field(max_length=20_000)
    next: str = "/approvals"

    def body(self, found: None) -> NeedsUndone:
        """Return the rows."""
        return NeedsUndone(ids=[one for one in self.needs.split(",") if one])


@action(pages, "POST", "/approvals/answers", performs="answer_needs", form=SelectionForm)
async def decide_selected(outcome: Outcome[None, SelectionForm]) -> ResponseReturnValue:
    """Decide the chosen rows, each by itself."""
    results, form = outcome.answer.results, outcome.form
    undoable = [one.id for one in results if one.outcome == "answered" and one.undoable]
    toast = said(results, WORDS[form.answer])
    undo = {"needs": ",".join(undoable), "next": safe_next(form.next)}
    return done(f"{safe_next(form.next)}#queue", toast, "/approvals/undos" if undoable else "", undo)


@action(pages, "POST", "/approvals/undos", performs="undo_needs", form=UndoForm)
async def undo_selected(outcome: Outcome[None, UndoForm]) -> ResponseReturnValue:
    """Let what was just decided wait again."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=said(outcome.answer.results, "waiting again"))


def said(results: Sequence[NeedResult], word: str) -> str:
    """Say what became of several answers: how many worked, and why others did not."""
    answered = sum(one.outcome == "answered" for one in results)
    reasons = dict.fromkeys(one.message for one in results if one.message)
    return " ".join([f"{answered} {word}." if answered else "Nothing was changed.", *filter(None, reasons)])[:400]
