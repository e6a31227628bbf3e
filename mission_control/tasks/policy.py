"""Who may do what to tasks. Which fields a role may change is in `rules.py`."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import rule
from mission_control.tasks.models import Task


@rule("task.create")
def may_create_task(actor: Actor, board: Board) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(board) and (actor.is_user or actor.is_lead)


@rule("task.read")
def may_read_tasks(actor: Actor, board: Board) -> bool:
    """Everybody who reaches the board."""
    return actor.reads(board)


@rule("task.change")
@rule("task.move")
def may_change_task(actor: Actor, task: Task) -> bool:
    """People with write access and the board's agents, within their rule set."""
    return actor.writes(task.board)


@rule("task.delete")
@rule("task.restore")
def may_delete_task(actor: Actor, task: Task) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(task.board) and (actor.is_user or actor.is_lead)


@rule("task.comment")
def may_comment(actor: Actor, task: Task) -> bool:
    """People with write access and the board's agents; a lead within what `comments.py` asks."""
    return actor.writes(task.board)


@rule("task.release")
def may_release(actor: Actor, task: Task) -> bool:
    """Whoever may delete an agent gives its tasks back."""
    return actor.writes(task.board)
