"""Set until when a question is to be answered, on its page."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.approvals.deadline_pages import OTHERWISE as OF_APPROVALS
from mission_control.core import clock
from mission_control.questions.models import Question
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done

pages = Blueprint("question_deadline_pages", __name__)
PATH = "/boards/<uuid:board_id>/questions/<uuid:question_id>/deadline"
OPTION = "option:"  # and the id of the option that is taken then
OTHERWISE = {name: OF_APPROVALS[name] for name in ("remind", "ask")}


class DeadlineForm(Form):
    """How many hours are left, and what happens otherwise."""

    hours: Literal["1", "4", "24", "72", "168"]
    otherwise: str = "remind"
    person: UUID | None = None

    def body(self, found: Question) -> Fields:
        """Return the deadline; a person counts only where somebody is asked."""
        takes = self.otherwise.startswith(OPTION)
        return {
            "decide_by": clock.now() + timedelta(hours=int(self.hours)),
            "otherwise": "option" if takes else self.otherwise,
            "otherwise_user_id": self.person if self.otherwise == "ask" else None,
            "otherwise_option_id": self.otherwise.removeprefix(OPTION) if takes else None,
        }


def otherwise_of(options: list[dict[str, object]]) -> dict[str, str]:
    """Return what may happen without an answer, by the value of the form's field."""
    return OTHERWISE | {f"{OPTION}{one['id']}": f"take “{one['label']}”" for one in options}


@action(pages, "POST", PATH, performs="set_question_deadline", form=DeadlineForm)
async def set_deadline(outcome: Outcome[Question, DeadlineForm]) -> ResponseReturnValue:
    """Set the deadline of a question."""
    return done(_page_of(outcome.found), toast="The deadline is set.")


@action(pages, "POST", f"{PATH}/removal", performs="remove_question_deadline")
async def remove_deadline(outcome: Outcome[Question, None]) -> ResponseReturnValue:
    """Remove the deadline of a question."""
    return done(_page_of(outcome.found), toast="It waits without a deadline.")


def _page_of(question: Question) -> str:
    return f"/boards/{question.board_id}/questions/{question.id}"
