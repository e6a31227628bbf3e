"""Take back what the person just answered, where nothing happened since."""

from datetime import timedelta
from uuid import UUID

from mission_control.approvals.commands import reopen_approval
from mission_control.approvals.models import Approval
from mission_control.boards.queries import visible_board
from mission_control.commands.transaction import atomically
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, DomainError, Invalid, NotFound
from mission_control.needs.answering import hold, refused, results
from mission_control.needs.ended import Asked, Last, asked_need, last_of, present_key
from mission_control.needs.schemas import NeedResult, NeedResults, NeedsUndone
from mission_control.tasks.leaving import restore_task
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.schemas import TaskMove

WINDOW = timedelta(minutes=10)


async def undo_many(actor: Actor, wanted: NeedsUndone) -> NeedResults:
    """Take back many answers, each by itself."""
    return results([await _one(actor, need_id) for need_id in wanted.ids])


async def _one(actor: Actor, need_id: str) -> NeedResult:
    try:
        asked = await asked_need(actor, need_id)
        await atomically(actor, lambda: _undo(actor, asked))
    except DomainError as error:
        return refused(need_id, error)
    return NeedResult(id=asked.name, title=None, outcome="undone", message=None, undoable=False)


async def _undo(actor: Actor, asked: Asked) -> None:
    await hold(asked)
    if await present_key(actor, asked.kind, asked.id) is not None:
        raise Invalid("This waits for an answer already; there is nothing to take back.")
    last = await last_of(asked)
    if asked.board_id is None or last is None or last.actor_id is None or asked.kind == "question":
        raise Invalid("This answer cannot be taken back.")
    if last.actor_id != actor.user_id:
        raise Conflict(ErrorCode.NEED_ENDED.detail(last.sentence))
    if clock.now() - last.created_at > WINDOW:
        raise Invalid("An answer can be taken back for ten minutes.")
    board = await visible_board(actor, asked.board_id)
    if asked.kind == "approval":
        approval = await Approval.get(id=asked.id)
        approval.board = board
        await reopen_approval(actor, approval)
        return
    task = await Task.get(id=asked.id)
    task.board = board
    await _undo_change(actor, task, last)


async def _undo_change(actor: Actor, task: Task, last: Last) -> None:
    if last.kind == "task.deleted":
        await restore_task(actor, task)
        return
    before = last.data.get("before")
    if last.kind != "task.status_changed" or not isinstance(before, dict) or "status" not in before:
        raise Invalid("This answer cannot be taken back.")
    if task.deleted_at is not None:
        raise NotFound()
    task = await locked_task(task)
    move = TaskMove(
        status=before["status"],
        assigned_agent_id=_id(before.get("assigned_agent_id", task.assigned_agent_id)),
        assigned_user_id=_id(before.get("assigned_user_id", task.assigned_user_id)),
    )
    await move_card(actor, task, move)


def _id(value: object) -> UUID | None:
    return UUID(str(value)) if value else None
