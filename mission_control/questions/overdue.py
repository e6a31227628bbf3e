"""Set deadlines of questions, and do what they say when nobody has answered."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.approvals.deadlines import (
    AFTER_ALL,
    CHANNEL,
    COLUMNS,
    AskUser,
    DecideBy,
    DecideIn,
    check,
    clear_deadline,
    name_of_writer,
    put_deadline,
)
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Invalid
from mission_control.core.schemas import Body, example
from mission_control.questions.commands import OVER, answer_question, held_question, snippet
from mission_control.questions.models import Question

FIELDS = [*COLUMNS, "otherwise_option_id"]


class QuestionDeadline(Body):
    """Until when an answer is needed, and what happens otherwise."""

    model_config = Body.model_config | example(
        decide_by="2027-01-04T18:00:00Z", otherwise="option", otherwise_option_id="1"
    )

    decide_by: DecideBy = None
    decide_in: DecideIn = None
    otherwise: Annotated[Literal["remind", "ask", "option"], Field(description=AFTER_ALL)] = "remind"
    otherwise_user_id: AskUser = None
    otherwise_option_id: Annotated[str | None, Field(max_length=64, description="Which option is taken then")] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check(self)
        check_option(self.otherwise, self.otherwise_option_id)
        return self


def check_option(otherwise: str | None, option_id: str | None) -> None:
    """Raise ValueError when an option is named and not taken, or the other way round."""
    if (otherwise == "option") != (option_id is not None):
        raise ValueError("`otherwise: option` and otherwise_option_id go together")


@command("question.answer")
async def set_deadline(actor: Actor, question: Question, deadline: QuestionDeadline | None) -> Question:
    """Set or remove the deadline of an open question. Raise Conflict when it is over, or a gateway's own."""
    question = await held_question(question)
    if question.state != "open":
        raise Conflict(OVER[question.state].detail())
    if question.gateway_id is not None:
        raise Conflict(ErrorCode.QUESTION_OF_GATEWAY.detail())
    before = [getattr(question, name) for name in FIELDS]
    if deadline is None:
        clear_deadline(question)
        question.otherwise_option_id = None
    else:
        if deadline.otherwise_option_id not in (None, *(one["id"] for one in question.options or [])):
            raise Invalid("This question has no such option.")
        await put_deadline(question, question.board, deadline)
        question.otherwise_option_id = deadline.otherwise_option_id
    if before != [getattr(question, name) for name in FIELDS]:
        await question.save(update_fields=FIELDS)
        message = f"Deadline changed: {snippet(question.content)}"
        due = {"decide_by": question.decide_by, "otherwise": question.otherwise}
        record("question.deadline_changed", question, message, question_id=question.id, **due)
    notify(CHANNEL)
    return question


async def end_deadline(question_id: UUID, organization_id: UUID) -> None:
    """Do what the deadline of a question says; a no-op when it was answered or another process did it."""
    question = await Question.get_or_none(id=question_id)
    if question is not None:
        question.board = await Board.get(id=question.board_id)
        await apply_deadline(system(organization_id), question)


@command("question.apply_deadline")
async def apply_deadline(actor: Actor, question: Question) -> None:
    """Remind people, ask another one, or take an option."""
    question = await held_question(question)
    due, otherwise, person = question.decide_by, question.otherwise, question.otherwise_user_id
    option_id = question.otherwise_option_id
    if question.state != "open" or due is None or due > clock.now():
        return
    clear_deadline(question)
    name = await name_of_writer(question.board, person) if otherwise == "ask" else None
    if name is not None:
        question.asked_user_id = person
        await question.save(update_fields=FIELDS)
        message = f"Asked {name} because nobody answered: {snippet(question.content)}"
        record("question.asked_another", question, message, question_id=question.id, user_id=person)
    elif otherwise == "option" and option_id is not None:
        await question.save(update_fields=FIELDS)
        await answer_question(actor, question, None, option_id)
    else:
        question.reminded_at = clock.now()
        await question.save(update_fields=FIELDS)
        message = f"Still waits for an answer: {snippet(question.content)}"
        record("question.reminded", question, message, question_id=question.id)
