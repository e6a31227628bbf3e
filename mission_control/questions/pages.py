"""The pages of one question and of one request of a gateway, and their forms."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.core.values import BlankToNone, NonEmptyStr
from mission_control.needs.pages import OTHERWISE, AnswerPage, DeadlineForm, deadline_actions
from mission_control.questions.models import Question
from mission_control.questions.queries import item_of, visible_question
from mission_control.questions.schemas import LONGEST_ANSWER
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done
from mission_control.web.shell import safe_next


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
OPTION = "option:"  # and the id of the option that is taken without an answer


QUESTION_PAGE = AnswerPage[Question](
    pages=pages,
    path=QUESTION,
    kind="question",
    template="questions/show.html",
    find=visible_question,
    item=item_of,
    news=("question.", "board."),
    otherwise=lambda item: OTHERWISE | {f"{OPTION}{one['id']}": f"take “{one['label']}”" for one in item.options},
    next_url=lambda item: f"/boards/{item.board_id}/approvals",
)
QUESTION_REGIONS = QUESTION_PAGE.regions


@action(pages, f"{QUESTION}/answers", form=AnswerForm, refused=QUESTION_PAGE.refused_answer)
async def answer_question(outcome: Outcome[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.found.agent_name} has your answer.")


class QuestionDeadlineForm(DeadlineForm):
    """How many hours are left, and what happens otherwise: maybe an option is taken."""

    def body(self, found: Question) -> Fields:
        if not self.otherwise.startswith(OPTION):
            return super().body(found)
        option = {"otherwise": "option", "otherwise_option_id": self.otherwise.removeprefix(OPTION)}
        return {**super().body(found), **option}


deadline_actions(pages, QUESTION, "set_question_deadline", "remove_question_deadline", QuestionDeadlineForm)
