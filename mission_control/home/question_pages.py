"""The page of one question, and the forms of its answer and its deadline."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.asks.pages import OTHERWISE, AskPage, DeadlineForm, deadline_actions
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.values import BlankToNone, NonEmptyStr
from mission_control.home import question_queries
from mission_control.home.models import Question
from mission_control.home.question_queries import visible_question
from mission_control.home.question_schemas import LONGEST_ANSWER
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import render_block
from mission_control.web.shell import safe_next, shell_page, signed_in


class AnswerForm(Form):
    """A person's answer: an option, their own words, or both."""

    answer: Annotated[NonEmptyStr | None, BlankToNone] = Field(None, max_length=LONGEST_ANSWER)
    option: Annotated[str | None, BlankToNone] = None
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.answer is None and self.option is None:
            raise ValueError("Fill this in.")
        return self

    def body(self, found: object) -> Fields:
        return {"answer": self.answer, "option_id": self.option, "substance": self.substance}


pages = Blueprint("questions_pages", __name__)
QUESTION = "/boards/<uuid:board_id>/questions/<uuid:question_id>"
NOTHING_TYPED: dict[str, Any] = {"sentence": "", "typed": "", "values": {}, "errors": {}}
OPTION = "option:"  # and the id of the option that is taken without an answer


def _otherwise_of(item: question_queries.Item) -> dict[str, str]:
    """Return what may happen without an answer, by the value of the form's field."""
    return OTHERWISE | {f"{OPTION}{one['id']}": f"take “{one['label']}”" for one in item.options}


PAGE = AskPage[question_queries.Item](
    kind="question",
    template="questions/show.html",
    model=Question,
    item=question_queries.item,
    otherwise=_otherwise_of,
    idle=lambda board: {**NOTHING_TYPED, "next_url": f"/boards/{board.id}/approvals"},
)
REGIONS = PAGE.regions("question.", "board.")


@pages.get("/boards/<uuid:board_id>/questions/<uuid:question_id>")
async def one_question(board_id: UUID, question_id: UUID) -> ResponseReturnValue:
    """Show one question in any state."""
    actor = await signed_in()
    return await _question_as_it_is(actor, await visible_question(actor, board_id, question_id))


@pages.get("/boards/<uuid:board_id>/questions/<uuid:question_id>/live")
async def one_live(board_id: UUID, question_id: UUID) -> Response:
    """Keep the page of one question live."""
    actor = await signed_in()
    question = await visible_question(actor, board_id, question_id)
    return await PAGE.stream(actor, question.board, question.id)


async def _not_answered(refusal: Refusal[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer what was typed with the reason; the question as it is when somebody else was faster."""
    error, form = refusal.error, refusal.form
    if isinstance(error, FormInvalid):
        errors = {name or "answer": text for name, text in refusal.errors.items()}
        return await _question_as_it_is(refusal.actor, refusal.found, values=refusal.values, errors=errors)
    if isinstance(error, Invalid):
        errors = {"answer": error.sentence}
        return await _question_as_it_is(refusal.actor, refusal.found, values=refusal.values, errors=errors)
    if isinstance(error, Conflict) and form is not None:
        return await _question_as_it_is(refusal.actor, refusal.found, sentence=error.sentence, typed=form.answer or "")
    raise error


@action(pages, f"{QUESTION}/answers", form=AnswerForm, refused=_not_answered)
async def answer_question(outcome: Outcome[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.found.agent_name} has your answer.")


async def _question_as_it_is(actor: Actor, question: Question, **more: object) -> str:
    """Return the current question: its row for htmx, else its page."""
    context: dict[str, Any] = {"item": await question_queries.item(actor, question.board, question.id)}
    if not is_htmx():
        context = await PAGE.context(actor, question.board, question.id)
    if context["item"] is None:
        raise NotFound()
    context |= {**NOTHING_TYPED, **more}
    context["next_url"] = safe_next(context["values"].get("next") or f"/boards/{question.board_id}/approvals")
    if is_htmx():
        return await render_block(PAGE.template, "row", **context)
    return await shell_page(actor, PAGE.template, active="approvals", **context)


class QuestionDeadlineForm(DeadlineForm):
    """How many hours are left, and what happens otherwise: maybe an option is taken."""

    def body(self, found: Question) -> Fields:
        if not self.otherwise.startswith(OPTION):
            return super().body(found)
        option = {"otherwise": "option", "otherwise_option_id": self.otherwise.removeprefix(OPTION)}
        return {**super().body(found), **option}


deadline_actions(pages, QUESTION, "set_question_deadline", "remove_question_deadline", QuestionDeadlineForm)
