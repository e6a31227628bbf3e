"""Rules for questions; `board` must be loaded."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.questions.models import Question

rules = Rules()


@rules.rule("question.ask")
def may_ask(actor: Actor, board: Board) -> bool:
    """Allow every agent of the board."""
    return actor.is_agent and actor.writes(board)


@rules.rule("question.ask_as_lead")
def may_ask_as_lead(actor: Actor, board: Board) -> bool:
    """Allow the lead of the board, for the operation inherited from the predecessor."""
    return may_ask(actor, board) and actor.is_lead


@rules.rule("question.answer")
def may_answer(actor: Actor, question: Question) -> bool:
    """Allow people who can write on the board."""
    return actor.is_user and actor.writes(question.board)


@rules.rule("question.apply_deadline")
def only_the_system(actor: Actor, question: Question) -> bool:
    """Only the system itself."""
    return False


@rules.rule("question.withdraw")
def may_withdraw(actor: Actor, question: Question) -> bool:
    """Allow the asker and the current lead of the board."""
    return may_ask(actor, question.board) and (actor.is_lead or question.agent_id == actor.agent_id)
