"""Archive done tasks: boards, lists and snapshots leave them out unless they are asked for."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.schemas import Body, Moment
from mission_control.database.sql import is_postgres, rows
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Task


class ArchiveRequest(Body):
    """Tasks that were done before this moment."""

    done_before: Moment


class ArchiveRead(BaseModel):
    """Which tasks were archived."""

    archived_task_ids: list[UUID]


@command("task.archive_old")
async def archive_old_tasks(actor: Actor, board: Board, done_before: datetime) -> list[UUID]:
    """Archive the tasks of a board that were done before a moment. Return them, oldest first."""
    hold = " FOR NO KEY UPDATE OF t" if is_postgres() else ""
    found = await rows(
        "SELECT t.id FROM tasks t WHERE t.board_id = ? AND t.status = 'done' AND t.deleted_at IS NULL"
        " AND t.archived_at IS NULL AND COALESCE((SELECT MAX(e.created_at) FROM events e WHERE e.task_id = t.id"
        f" AND e.kind = 'task.status_changed'), t.created_at) < ? ORDER BY t.created_at, t.id{hold}",
        board.id,
        done_before,
    )
    archived = []
    for task in await Task.filter(id__in=[row["id"] for row in found]).order_by("created_at", "id"):
        task.board = board
        await _archive(task)
        archived.append(task.id)
    return archived


@command("task.archive")
async def archive_task(actor: Actor, task: Task) -> Task:
    """Archive a done task. Raise Conflict when it is not done."""
    task = await locked_task(task)
    if task.status != "done":
        raise Conflict("Only done tasks can be archived.")
    if task.archived_at is None:
        await _archive(task)
    return task


async def _archive(task: Task) -> None:
    task.archived_at = task.updated_at = clock.now()
    await task.save(update_fields=["archived_at", "updated_at"])
    record("task.archived", task, f"Task archived: {task.title}.", title=task.title)


@command("task.archive")
async def unarchive_task(actor: Actor, task: Task) -> Task:
    """Return an archived task to its board."""
    task = await locked_task(task)
    if task.archived_at is not None:
        task.archived_at, task.updated_at = None, clock.now()
        await task.save(update_fields=["archived_at", "updated_at"])
        record("task.unarchived", task, f"Task taken out of the archive: {task.title}.", title=task.title)
    return task
