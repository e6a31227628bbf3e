"""Commands that create and change tasks."""

from copy import copy
from datetime import datetime
from uuid import UUID

from mission_control.approvals.votes import lapse_changed
from mission_control.boards.attempts import begin_run, held_by, refuse_lost_lease, track_run
from mission_control.boards.commands import locked_board, next_task_number
from mission_control.boards.models import Board
from mission_control.boards.parking import go_on
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.field_tables import UNSET, Unset, sent
from mission_control.core.values import new_id
from mission_control.database.records import insert
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.tasks import dependencies, notices, parts, rules
from mission_control.tasks.changes import (
    Differences,
    TaskChange,
    held_task,
    locked_task,
    neighbour_of,
    position_next_to,
    save,
)
from mission_control.tasks.comments import write_comment
from mission_control.tasks.custom_fields.queries import (
    check_new_values,
    merge_values,
    store_new_values,
    values_of_tasks,
)
from mission_control.tasks.fields import PLAIN
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.removal import REOPENED, update_dependents
from mission_control.tasks.schemas import TaskCreate
from mission_control.tasks.tags.commands import check_tags, replace_tags, tag_ids_of

EVENTS = (
    Kind("task.created", "A task was put on a board.", "added"),
    Kind(
        "task.updated", "A task changed but not its status, or what it waits for was done, opened, deleted or restored."
    ),
    Kind("task.status_changed", "A task went to another column."),
)


@command("task.create")
async def create_task(
    actor: Actor, board: Board, new: TaskCreate, *, original: Task | None = None, above: Task | None = None
) -> Task:
    """Create a task at the top of its column, or below `above` or the one that it is a copy of when that is there.

    Raise an error for unknown or circular dependencies, a blocked start, and rules R and A.
    """
    task = Task(
        id=new_id(),
        board_id=board.id,
        position=rules.top_position(),
        created_by_user_id=actor.user_id,
        auto_created=actor.is_agent,
        auto_reason=f"lead_agent:{actor.id}" if actor.is_agent else None,
        **new.model_dump(include={*PLAIN, "status", "parent_id", "blocks_parent"}),
    )
    task.board = board
    worker = new.assigned_agent_id if actor.is_agent and new.status == "in_progress" else None
    limits = await rules.lock_limits(worker, board.id) if worker else rules.Limits()
    values = await _check_new(actor, board, task.id, new)
    assignee = new.model_dump(include={"assigned_agent_id", "assigned_user_id"}, exclude_none=True)
    await rules.assign(board, task, TaskChange(**assignee))
    if actor.is_agent and held_by(task) is not None:
        rules.refuse_early(task)
        await rules.refuse_assignment(limits, task)
    neighbour = above or original
    if neighbour is not None and neighbour.status == task.status:
        task.position = await position_next_to(task, neighbour, above=False)
    task.number = await next_task_number(board.id)
    if task.status == "in_progress":
        task.in_progress_at = times.clock_now()
    task.fence = 0 if held_by(task) is None else 1
    await insert(task)
    if (agent_id := held_by(task)) is not None:
        await begin_run(task, agent_id)
    if new.depends_on_task_ids:
        await dependencies.replace_dependencies(board.id, task.id, new.depends_on_task_ids)
    if new.tag_ids:
        await replace_tags(task.id, new.tag_ids)
    await store_new_values(task.id, values)
    await _announce_new(actor, task, original)
    return task


async def _check_new(actor: Actor, board: Board, task_id: UUID, new: TaskCreate) -> dict[UUID, object]:
    """Return the values of its custom fields, by the field's id."""
    await dependencies.check_dependencies(board, task_id, new.depends_on_task_ids)
    await parts.check_parent(board, task_id, new.parent_id)
    await check_tags(board.organization_id, new.tag_ids)
    await _refuse_blocked_start(actor, new)
    values = await check_new_values(board.id, new.custom_field_values)
    if new.status == "done":
        await rules.pass_done_gates(board, None, None)
    if actor.is_agent and board.done_needs and new.status in ("review", "done"):
        raise Conflict(ErrorCode.TASK_DONE_NEEDS.detail(missing=board.done_needs))
    if actor.is_agent:
        await rules.check_agent(board, new.assigned_agent_id, may_be_lead=False)
    return values


async def _announce_new(actor: Actor, task: Task, original: Task | None) -> None:
    more = {"assigned_user_id": task.assigned_user_id} if task.assigned_user_id else {}
    more |= {"copy_of_task_id": original.id} if original is not None else {}
    more |= {"not_before": task.not_before} if task.not_before is not None else {}
    record("task.created", task, f"Task created: {task.title}.", title=task.title, status=task.status, **more)
    await parts.tell_parent(task, task.parent_id, "was added")
    if actor.is_user:
        await notices.notify_lead_of_new_task(task)
    if task.assigned_agent_id is not None:
        await notices.notify_assignee(actor, task, None)


async def _refuse_blocked_start(actor: Actor, new: TaskCreate) -> None:
    starts = new.status != "inbox" or new.assigned_agent_id or new.assigned_user_id
    if not (new.depends_on_task_ids and starts):
        return
    blocker_ids = await Task.filter(id__in=new.depends_on_task_ids).exclude(status="done").values_list("id", flat=True)
    unfinished = {str(task_id) for task_id in blocker_ids}
    if blockers := [str(task_id) for task_id in new.depends_on_task_ids if str(task_id) in unfinished]:
        refusal = rules.blocked_error(blockers)
        if actor.is_agent and isinstance(refusal.detail, dict):
            del refusal.detail["code"]
        raise refusal


@command("task.change")
async def change_task(actor: Actor, task: Task, change: TaskChange) -> Task:
    """Change a task as the actor's rule set and the board's rules allow. Setting a field to its value is a no-op."""
    named, limits = task, rules.Limits()
    if actor.fence is not None:
        await refuse_lost_lease([task.id])
    if actor.is_agent:
        rules.refuse_fields(actor, task, change.names)
        limits = await rules.lock_limits_for(actor, task, change)
    await _check_relations(task, change)
    task = await held_task(task)
    if actor.fence is not None:
        await refuse_lost_lease([task.id])
    if actor.is_agent and (named.status, named.assigned_agent_id) != (task.status, task.assigned_agent_id):
        limits = await rules.lock_limits_for(actor, task, change)  # against the order of locks: a deadlock is retried
    before, relations = copy(task), await _change_dependencies(task, change.depends_on_task_ids)
    await rules.apply(actor, task, before, change)
    if actor.is_agent and held_by(task) not in (None, held_by(before)):
        await rules.refuse_assignment(limits, task, before)
    elif change.status == "in_progress" and actor.agent_id is not None and held_by(task) == actor.agent_id:
        # Without a lease, as all work that is begun in this way.
        if await go_on(task.scope(), task.title):
            await rules.refuse_assignment(rules.Limits(limits.own), task)
    relations |= await _change_tags_and_values(task, change)
    if change.comment is not UNSET:
        # The lead is told of a hand-in by one notice, which names the task.
        is_handed_in = task.status == "review" and before.status != "review" and "@" not in change.comment
        await write_comment(actor, task, change.comment, notify=not is_handed_in)
    await save_change(actor, task, before, relations)
    return task


async def _check_relations(task: Task, change: TaskChange) -> None:
    if depends_on := sent(change.depends_on_task_ids, []):
        await dependencies.check_dependencies(task.board, task.id, depends_on)
    await parts.check_parent(task.board, task.id, sent(change.parent_id, None))
    if tag_ids := sent(change.tag_ids, []):
        await check_tags(task.board.organization_id, tag_ids)


async def _change_tags_and_values(task: Task, change: TaskChange) -> Differences:
    relations: Differences = {}
    if change.tag_ids is not UNSET and (tags := await replace_tags(task.id, change.tag_ids)) is not None:
        relations["tag_ids"] = tags
    if change.custom_field_values is not UNSET:
        if (values := await merge_values(task.board_id, task.id, change.custom_field_values)) is not None:
            relations["custom_field_values"] = values
    return relations


async def _change_dependencies(task: Task, depends_on: list[UUID] | Unset) -> Differences:
    if depends_on is UNSET or depends_on == (present := await dependencies.dependency_ids(task.id)):
        return {}
    if task.status == "done":
        raise Conflict("The dependencies of a done task cannot be changed.")
    await dependencies.replace_dependencies(task.board_id, task.id, depends_on)
    return {"depends_on_task_ids": (present, depends_on)}


async def save_change(actor: Actor, task: Task, before: Task, relations: Differences | None = None) -> None:
    """Begin or end the task's run, store and record what changed, and notify the agents that it concerns.

    `before` is a copy of the task, which the calling command holds; `relations` changed outside of its row.
    """
    await track_run(actor, task, before)
    is_moved = task.status != before.status
    message = f"Task moved to {task.status}: {task.title}." if is_moved else f"Task updated: {task.title}."
    if not await save(task, before, message, relations=relations):
        return
    is_reworded = (before.title, before.description) != (task.title, task.description)
    if is_reworded and task.board.approvals_needed > 1:
        await lapse_changed(task.id)
    if before.parent_id != task.parent_id:
        await parts.tell_parent(before, before.parent_id, "was taken away")
        await parts.tell_parent(task, task.parent_id, "was added")
    elif before.blocks_parent != task.blocks_parent:
        await parts.tell_parent(before, task.parent_id, "was changed")
    if is_moved and "done" in (task.status, before.status):
        await update_dependents(actor, task, "was finished" if task.status == "done" else REOPENED)
    await notices.notify_after_change(actor, task, before)


@command("task.change_dependencies")
async def change_dependency(actor: Actor, task: Task, depends_on_id: UUID, *, waits: bool) -> Task:
    """Make a task wait for another one, after those that it waits for already, or no longer.

    The board and the task are locked before the list is read, so that concurrent additions keep each other's.
    """
    await locked_board(task.board)
    task = await locked_task(task)
    others = await dependencies.dependency_ids(task.id)
    if waits != (depends_on_id in others):
        others = [*others, depends_on_id] if waits else [task_id for task_id in others if task_id != depends_on_id]
    return await change_task(actor, task, TaskChange(depends_on_task_ids=others))


@command("task.move")
async def move_task(
    actor: Actor, task: Task, status: str, before_task_id: UUID | None = None, after_task_id: UUID | None = None
) -> Task:
    """Move a card to a column, and there before or after a neighbour."""
    neighbour_id = before_task_id or after_task_id
    # Before the change: a task that is open again sends those that wait for it back, perhaps the neighbour.
    neighbour = await neighbour_of(task, status, neighbour_id) if neighbour_id else None
    task = await change_task(actor, task, TaskChange(status=status))
    if neighbour is None:
        return task
    position = await position_next_to(task, neighbour, above=before_task_id is not None)
    if position != task.position:
        task.position = position
        await task.save(update_fields=["position"])
        record("task.updated", task, f"Task moved within {status}: {task.title}.", after={"position": position})
    return task


@command("task.duplicate")
async def duplicate_task(actor: Actor, task: Task) -> Task:
    """Copy a task into the inbox, below the original when that is there, else on top: nobody has begun the copy.

    It has the title, description, priority, tags, custom fields, parent, dependencies and steps, none of them
    done; its moments unless they are over; and no assignee. The fields that the board requires now must have values.
    """
    await locked_board(task.board)
    task = await locked_task(task)
    values, now = (await values_of_tasks(task.board_id, [task.id])).of(task.id), times.clock_now()
    plain = {name: getattr(task, name) for name in PLAIN}
    new = TaskCreate.model_construct(
        **{name: value for name, value in plain.items() if not (isinstance(value, datetime) and value <= now)},
        depends_on_task_ids=await dependencies.dependency_ids(task.id),
        tag_ids=await tag_ids_of(task.id),
        parent_id=task.parent_id,
        blocks_parent=task.blocks_parent,
        custom_field_values={key: value for key, value in values.items() if value is not None},
    )
    made = await create_task(actor, task.board, new, original=task)
    steps = await rows(
        "SELECT text, is_criterion FROM task_checklist_items WHERE task_id = ? ORDER BY position, id", task.id
    )
    await ChecklistItem.bulk_create(
        ChecklistItem(task_id=made.id, text=step["text"], is_criterion=bool(step["is_criterion"]), position=float(at))
        for at, step in enumerate(steps, 1)
    )
    return made
