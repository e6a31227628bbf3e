"""Who may do what to questions. They come with their board."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import rule
from mission_control.questions.models import Question


@rule("question.ask")
def may_ask(actor: Actor, board: Board) -> bool:
    """The lead of the board."""
    return actor.is_agent and actor.is_lead and actor.writes(board)


@rule("question.answer")
def may_answer(actor: Actor, question: Question) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(question.board)


@rule("question.withdraw")
def may_withdraw(actor: Actor, question: Question) -> bool:
    """The lead of the board, whoever led it when the question was asked."""
    return may_ask(actor, question.board)
