"""Many tasks at once, and the archive, over HTTP."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, Paging, page
from mission_control.http.body_limit import BodyLimit
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import BOARD_ROLES
from mission_control.tasks import checklist, commands, removal, reviews, schemas
from mission_control.tasks.api import BLOCKED, TASK, TASKS
from mission_control.tasks.bulk import commands as bulk
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.queries import any_task, task_read, visible_task

api = Api(__name__, "tasks", who="actor")


@api.post(f"{TASKS}/changes", bulk.TaskBulkRead, rule="task.bulk", errors={409: bulk.TaskBulkError})
async def update_tasks(actor: Actor, board: Board, data: bulk.TaskChanges) -> JsonObject:
    """Change many tasks, each in its own way: fields, tags, column and place, archive and trash.

    Every task passes the rules that hold for it alone. With `atomic`, the default, one refusal leaves all as it was.
    """
    return await bulk.answer_of(data, await bulk.change_tasks(actor, board, data))


@api.post("/boards/<board_id>/archivals", removal.ArchiveRead, rule="task.archive_old")
async def archive_old_tasks(actor: Actor, board: Board, data: removal.ArchiveRequest) -> dict[str, list[UUID]]:
    """Archive the tasks that were done before a moment."""
    return {"archived_task_ids": await removal.archive_old_tasks(actor, board, data.done_before)}


@api.post(f"{TASK}/archivals", schemas.TaskRead, rule="task.archive", errors={409: ErrorResponse})
async def archive_task(actor: Actor, task: Task) -> JsonObject:
    """Archive a done task; lists show it only when asked to."""
    return await task_read((await removal.archive_task(actor, task)).id)


@api.delete(f"{TASK}/archivals", schemas.TaskRead, rule="task.archive")
async def unarchive_task(actor: Actor, task: Task) -> JsonObject:
    """Put an archived task back on its board."""
    return await task_read((await removal.unarchive_task(actor, task)).id)


@api.post(f"{TASK}/moves", schemas.TaskRead, rule="task.move", errors=BLOCKED)
async def move_task(actor: Actor, task: Task, data: schemas.TaskMove) -> JsonObject:
    """Put a card into a column, and there before or after another card.

    A change of status must pass the same rules as when it is sent with PATCH. Where a board wants an approval before
    a task is done, a person can approve and finish it in one act.
    """
    return await task_read((await move_card(actor, task, data)).id)


@api.post(f"{TASK}/duplicates", schemas.TaskRead, rule="task.duplicate")
async def duplicate_task(actor: Actor, task: Task) -> JsonObject:
    """Copy a task into the inbox: what is to be done, and nothing of what was done about it.

    The copy has the title, description, priority, tags, custom fields, dependencies and steps, a due date that is not
    over, and no assignee. It has no comments, files, approvals and runs.
    """
    return await task_read((await commands.duplicate_task(actor, task)).id)


ITEMS = f"{TASK}/checklist"
FULL = {409: ErrorResponse}


@api.get(ITEMS, Page[checklist.ChecklistItemRead])
async def list_checklist(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List a task's steps in order."""
    return page(*await checklist.list_items(task, query), query)


@api.post(ITEMS, checklist.ChecklistItemRead, rule="task.edit_checklist", errors=FULL)
async def add_checklist_item(actor: Actor, task: Task, data: checklist.ChecklistItemCreate) -> JsonObject:
    """Add a step at the end."""
    return checklist.item_read(await checklist.add_item(actor, task, data))


@api.put(ITEMS, Page[checklist.ChecklistItemRead], rule="task.edit_checklist", errors=FULL)
async def order_checklist(actor: Actor, task: Task, data: checklist.ChecklistOrder) -> JsonObject:
    """Put all steps of a task into a new order."""
    await checklist.order_items(actor, task, data.item_ids)
    paging = Paging(limit=checklist.MOST, offset=0)
    return page(*await checklist.list_items(task, paging), paging)


@api.get(f"{ITEMS}/<item_id>", checklist.ChecklistItemRead)
async def get_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> JsonObject:
    """Read a step."""
    return checklist.item_read(found[1])


@api.patch(f"{ITEMS}/<item_id>", checklist.ChecklistItemRead, rule="task.edit_checklist")
async def change_checklist_item(
    actor: Actor, found: tuple[Task, ChecklistItem], data: checklist.ChecklistItemUpdate
) -> JsonObject:
    """Change a step, or tick it."""
    task, item = found
    return checklist.item_read(await checklist.change_item(actor, task, item, data))


@api.delete(f"{ITEMS}/<item_id>", rule="task.edit_checklist")
async def remove_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> OkResponse:
    """Take a step away."""
    await checklist.remove_item(actor, *found)
    return OK


@api.post(f"{TASK}/dependencies", schemas.TaskRead, rule="task.change_dependencies", errors={409: ErrorResponse})
async def add_dependency(actor: Actor, task: Task, data: schemas.TaskDependencyCreate) -> JsonObject:
    """Make a task wait for another one of its board.

    A dependency that exists is a no-op. Tasks that would wait for each other in a circle: 409.
    """
    return await task_read((await commands.change_dependency(actor, task, data.task_id, waits=True)).id)


async def task_and_dependency(
    actor: Actor, board_id: UUID, task_id: UUID, depends_on_task_id: UUID
) -> tuple[Task, UUID]:
    return await visible_task(actor, board_id, task_id), depends_on_task_id


@api.delete(
    f"{TASK}/dependencies/<depends_on_task_id>",
    schemas.TaskRead,
    find=task_and_dependency,
    rule="task.change_dependencies",
    errors={409: ErrorResponse},
)
async def remove_dependency(actor: Actor, found: tuple[Task, UUID]) -> JsonObject:
    """Let a task no longer wait for another one. A dependency that does not exist is a no-op."""
    return await task_read((await commands.change_dependency(actor, *found, waits=False)).id)


@api.delete(
    TASK,
    who="user",
    rule="task.delete",
    agents=hints(
        "agent_task_delete",
        "board_lead",
        roles=BOARD_ROLES,
        use="To take a task off the board that was made by mistake.",
        avoid="Not for finished work; move it to done.",
        needs="You are the lead of the board.",
        effects="The task leaves the board; people can restore it.",
        never="Do not delete what a person created unless they asked for it.",
        route="Lead only.",
        example="remove a duplicate task",
    ),
)
async def delete_task(actor: Actor, task: Task) -> OkResponse:
    """Take a task off its board; a restoration brings it back."""
    await removal.delete_task(actor, task)
    return OK


@api.post(
    f"{TASK}/restorations",
    schemas.TaskRead,
    find=any_task,
    rule="task.restore",
    errors={409: ErrorResponse},
    who="user",
)
async def restore_task(actor: Actor, task: Task) -> JsonObject:
    """Put a deleted task back.

    Tasks that wait for it wait again, and started ones return to the inbox. So does the task itself when its work
    cannot continue.
    """
    return await task_read((await removal.restore_task(actor, task)).id)


@api.post(f"{TASK}/erasures", find=any_task, rule="task.erase", errors={409: ErrorResponse}, who="user")
async def erase_task(actor: Actor, task: Task) -> OkResponse:
    """Delete a task of the trash for good, with its comments, files and runs. Only the log keeps that it was there."""
    await removal.erase_task(actor, task)
    return OK


@api.post(f"{TASK}/reviews", schemas.TaskRead, rule="task.review", errors={409: schemas.BlockedTaskError}, who="user")
async def review_task(actor: Actor, task: Task, data: schemas.TaskReview) -> JsonObject:
    """Finish a task in review, or send it back to the agent that did it, with your note; 409 when it left review."""
    return await task_read((await reviews.review_task(actor, task, data)).id)


FILES = BodyLimit("POST", "/api/v1/boards/[^/]+/tasks/[^/]+/attachments", "max_file_bytes")
