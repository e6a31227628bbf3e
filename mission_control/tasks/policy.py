"""Who may do what to tasks. `fields.py` says which fields a role may change."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor, rule
from mission_control.tasks.models import (
    Attachment,
    ChecklistItem,
    Comment,
    CustomField,
    Tag,
    Task,
    TaskLink,
    TaskProposal,
)

type OfTask = Board | Task | TaskProposal | TaskLink | tuple[Task, UUID | ChecklistItem]


def _board(thing: OfTask) -> Board:
    task = thing[0] if isinstance(thing, tuple) else thing.task if isinstance(thing, TaskLink) else thing
    return task if isinstance(task, Board) else task.board


@rule("task.read")
def may_read_tasks(actor: Actor, board: Board) -> bool:
    """Everybody who can read the board."""
    return actor.reads(board)


@rule("task.change", "task.move", "task.bulk", "task.comment", "task.edit_checklist", "task.attach", "task.link")
def may_change_task(actor: Actor, thing: OfTask) -> bool:
    """People with write access and the board's agents, within their rule set; a lead comments as `comments.py` says."""
    return actor.writes(_board(thing))


@rule("task.create", "task.delete", "task.restore", "task.duplicate")
@rule("task.change_dependencies", "task.archive", "task.archive_old", "task.decide_proposal")
def may_delete_task(actor: Actor, thing: OfTask) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(_board(thing)) and (actor.is_user or actor.is_lead)


@rule("task.propose")
def may_propose(actor: Actor, board: Board) -> bool:
    """The board's agents."""
    return actor.is_agent and actor.writes(board)


@rule("task.review")
def may_review_task(actor: Actor, task: Task) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(task.board)


@rule("task.erase")
def may_erase_task(actor: Actor, task: Task) -> bool:
    """Owners and admins of the board's organization."""
    return actor.is_user and actor.administers(task.board.organization_id)


@rule("task.edit_comment")
def may_edit_comment(actor: Actor, comment: Comment | Attachment) -> bool:
    """The author."""
    is_own = actor.id is not None and actor.id == (comment.agent_id if actor.is_agent else comment.user_id)
    return is_own and actor.writes(comment.task.board)


@rule("task.delete_comment", "task.detach")
def may_delete_comment(actor: Actor, thing: Comment | Attachment) -> bool:
    """The author, and people who administer the organization."""
    board = thing.task.board
    administers = actor.is_user and actor.administers(board.organization_id)
    return may_edit_comment(actor, thing) or (administers and actor.writes(board))


@rule("task.release")
def may_release(actor: Actor, task: Task) -> bool:
    """Actors that delete an agent or remove a person release their tasks; members who leave, their own."""
    leaves = actor.is_user and task.assigned_user_id == actor.id
    return leaves or actor.writes(task.board) or actor.administers(task.board.organization_id)


@rule("tag.create", "custom_field.create", "custom_field.order")
def may_add_labels(actor: Actor, thing: object) -> bool:
    """Allow owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rule("tag.update", "tag.delete", "custom_field.update", "custom_field.delete")
def may_change_labels(actor: Actor, thing: Tag | CustomField) -> bool:
    """Allow owners and admins of the organization of the tag or field."""
    return actor.is_user and actor.administers(thing.organization_id)
