"""Copy a task: what is to be done, and nothing of what was done about it."""

from mission_control.boards.commands import locked_board
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.custom_fields.queries import values_of_tasks
from mission_control.database.sql import rows
from mission_control.tags.assignment import tag_ids_of
from mission_control.tasks.commands import create_task
from mission_control.tasks.dependencies import dependency_ids
from mission_control.tasks.fields import PLAIN
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.schemas import TaskCreate


@command("task.duplicate")
async def duplicate_task(actor: Actor, task: Task) -> Task:
    """Copy a task into the inbox, below the original when that is there, else on top: nobody has begun the copy.

    It has the title, description, priority, tags, custom fields, dependencies and steps, none of them done; the due
    date unless it is over; and no assignee. The fields that the board requires now must have values.
    """
    await locked_board(task.board)
    task = await locked_task(task)
    values = (await values_of_tasks(task.board_id, [task.id])).of(task.id)
    new = TaskCreate.model_construct(
        **{name: getattr(task, name) for name in PLAIN if name != "due_at"},
        due_at=task.due_at if task.due_at and task.due_at > clock.now() else None,
        depends_on_task_ids=await dependency_ids(task.id),
        tag_ids=await tag_ids_of(task.id),
        custom_field_values={key: value for key, value in values.items() if value is not None},
    )
    copy = await create_task(actor, task.board, new, original=task)
    await _copy_steps(task, copy)
    return copy


async def _copy_steps(task: Task, copy: Task) -> None:
    steps = await rows(
        "SELECT text FROM task_checklist_items WHERE task_id = ? ORDER BY position, id",
        task.id,
    )
    await ChecklistItem.bulk_create(
        ChecklistItem(task_id=copy.id, text=step["text"], position=float(at)) for at, step in enumerate(steps, 1)
    )
