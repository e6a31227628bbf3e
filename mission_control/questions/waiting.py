"""Wait for people's answers without polling the database."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.polls import settled_list
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.operations.operation import settled
from mission_control.questions.models import Question
from mission_control.questions.queries import list_questions, read_question, visible_question
from mission_control.questions.schemas import QuestionQuery

reactions = Reactions()

MARKS = ("id", "state", "answer", "chosen_option_id")


async def wait_for_people(actor: Actor, question: Question, seconds: float) -> dict[str, Any]:
    """Return a question once it is no longer open, or still open when the time is over.

    An agent that lost the right to read it while it waited is refused.
    """
    return await settled(
        actor,
        question,
        channel_of(question.id),
        find=lambda present: visible_question(present, question.board_id, question.id),
        read=lambda one: read_question(one.id),
        is_settled=lambda answer: answer["state"] != "open",
        seconds=seconds,
    )


async def wait_for_questions(actor: Actor, board: Board, query: QuestionQuery) -> dict[str, Any]:
    """Return the board's questions once they are others than the caller knows, or when the time is over."""
    return await settled_list(actor, board, channel_of_list(board.id), query, list_questions, MARKS)


@reactions.to("question.asked")
async def wake_polls_of_questions(actor: Actor, event: NewEvent) -> None:
    """Another question is listed on a board, or one is over."""
    if event.scope.board_id is not None:
        notify(channel_of_list(event.scope.board_id))


@reactions.to("question.answered", "question.withdrawn", "question.closed", "question.ended_on_gateway")
async def wake_polls_of_question(actor: Actor, event: NewEvent) -> None:
    """A question is no longer open."""
    notify(channel_of(UUID(str(event.data["question_id"]))))
    await wake_polls_of_questions(actor, event)


def channel_of(question_id: UUID) -> str:
    """Return the wake-up channel that is notified when a question is over."""
    return f"question:{question_id}"


def channel_of_list(board_id: UUID) -> str:
    """Return the wake-up channel that is notified when the questions of a board change."""
    return f"questions:{board_id}"
