"""Rules for tasks. `fields.py` says which fields a role may change."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor, Rules
from mission_control.tasks.models import Attachment, ChecklistItem, Comment, CustomField, Tag, Task

rules = Rules()


@rules.rule("task.create")
def may_create_task(actor: Actor, board: Board) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(board) and (actor.is_user or actor.is_lead)


@rules.rule("task.read")
def may_read_tasks(actor: Actor, board: Board) -> bool:
    """Everybody who can read the board."""
    return actor.reads(board)


@rules.rule("task.change")
@rules.rule("task.move")
def may_change_task(actor: Actor, task: Task) -> bool:
    """People with write access and the board's agents, within their rule set."""
    return actor.writes(task.board)


@rules.rule("task.review")
def may_review_task(actor: Actor, task: Task) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(task.board)


@rules.rule("task.delete")
@rules.rule("task.restore")
def may_delete_task(actor: Actor, task: Task) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(task.board) and (actor.is_user or actor.is_lead)


@rules.rule("task.erase")
def may_erase_task(actor: Actor, task: Task) -> bool:
    """Owners and admins of the board's organization."""
    return actor.is_user and actor.administers(task.board.organization_id)


@rules.rule("task.change_dependencies")
def may_change_dependencies(actor: Actor, thing: Task | tuple[Task, UUID]) -> bool:
    """People with write access and the board's lead."""
    return may_delete_task(actor, thing[0] if isinstance(thing, tuple) else thing)


@rules.rule("task.duplicate")
@rules.rule("task.archive")
def may_archive_task(actor: Actor, task: Task) -> bool:
    """People with write access and the board's lead."""
    return may_delete_task(actor, task)


@rules.rule("task.archive_old")
def may_archive_old_tasks(actor: Actor, board: Board) -> bool:
    """People with write access and the board's lead."""
    return actor.writes(board) and (actor.is_user or actor.is_lead)


@rules.rule("task.bulk")
def may_change_tasks(actor: Actor, board: Board) -> bool:
    """People with write access and the board's agents; each task then asks its own rules."""
    return actor.writes(board)


@rules.rule("task.edit_checklist")
@rules.rule("task.attach")
def may_add_to_task(actor: Actor, thing: Task | tuple[Task, ChecklistItem]) -> bool:
    """People with write access and the board's agents."""
    task = thing[0] if isinstance(thing, tuple) else thing
    return actor.writes(task.board)


@rules.rule("task.detach")
def may_detach(actor: Actor, attachment: Attachment) -> bool:
    """The author of the file, and people who administer the organization."""
    return _is_own_or_administered(actor, attachment)


@rules.rule("task.edit_comment")
def may_edit_comment(actor: Actor, comment: Comment) -> bool:
    """The author."""
    return actor.writes(comment.task.board) and _is_own(actor, comment)


@rules.rule("task.delete_comment")
def may_delete_comment(actor: Actor, comment: Comment) -> bool:
    """The author, and people who administer the organization."""
    return _is_own_or_administered(actor, comment)


def _is_own(actor: Actor, thing: Comment | Attachment) -> bool:
    return actor.id is not None and actor.id == (thing.agent_id if actor.is_agent else thing.user_id)


def _is_own_or_administered(actor: Actor, thing: Comment | Attachment) -> bool:
    board = thing.task.board
    administers = actor.is_user and actor.administers(board.organization_id)
    return actor.writes(board) and (_is_own(actor, thing) or administers)


@rules.rule("task.comment")
def may_comment(actor: Actor, task: Task) -> bool:
    """People with write access and the board's agents; a lead within what `comments.py` asks."""
    return actor.writes(task.board)


@rules.rule("task.release")
def may_release(actor: Actor, task: Task) -> bool:
    """Actors that delete an agent or remove a person release their tasks; members who leave, their own."""
    leaves = actor.is_user and task.assigned_user_id == actor.id
    return leaves or actor.writes(task.board) or actor.administers(task.board.organization_id)


@rules.rule("tag.create")
@rules.rule("custom_field.create")
@rules.rule("custom_field.order")
def may_add_labels(actor: Actor, thing: object) -> bool:
    """Allow owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rules.rule("tag.update")
@rules.rule("tag.delete")
@rules.rule("custom_field.update")
@rules.rule("custom_field.delete")
def may_change_labels(actor: Actor, thing: Tag | CustomField) -> bool:
    """Allow owners and admins of the organization of the tag or field."""
    return actor.is_user and actor.administers(thing.organization_id)
