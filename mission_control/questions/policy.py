"""Who may do what to questions. They come with their board."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.questions.models import Question

rules = Rules()


@rules.rule("question.ask")
def may_ask(actor: Actor, board: Board) -> bool:
    """Every agent of the board."""
    return actor.is_agent and actor.writes(board)


@rules.rule("question.ask_as_lead")
def may_ask_as_lead(actor: Actor, board: Board) -> bool:
    """The lead of the board, by the operation that clients of the predecessor know."""
    return may_ask(actor, board) and actor.is_lead


@rules.rule("question.answer")
def may_answer(actor: Actor, question: Question) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(question.board)


@rules.rule("question.withdraw")
def may_withdraw(actor: Actor, question: Question) -> bool:
    """Whoever asked, and the lead of the board, whoever led it when the question was asked."""
    return may_ask(actor, question.board) and (actor.is_lead or question.agent_id == actor.agent_id)
