"""Commands that create and change tasks."""

from typing import Any
from uuid import UUID

from mission_control.agents.work_state import refuse_when_paused, refuse_when_used_up
from mission_control.boards.attempts import begin_run, held_by, refuse_lost_lease, track_run
from mission_control.boards.commands import locked_board, next_task_number
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.declared import UNSET, sent
from mission_control.core.errors import Conflict
from mission_control.core.values import new_id
from mission_control.database.records import insert, update
from mission_control.database.sql import rows
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import record
from mission_control.tasks import dependencies, notices, rules
from mission_control.tasks.changes import (
    DependencyChange,
    Difference,
    RelationChanges,
    TaskChange,
    TaskSnapshot,
    change_relations,
    locked_task,
    position_next_to,
)
from mission_control.tasks.comments import write_comment
from mission_control.tasks.custom_field_queries import check_new_values, store_new_values, values_of_tasks
from mission_control.tasks.dependencies import dependency_ids
from mission_control.tasks.fields import PLAIN
from mission_control.tasks.leaving import REOPENED, update_dependents
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.rules import (
    Limits,
    lock_limits,
    lock_limits_for,
    pass_comment_gate,
    pass_done_gates,
    pass_gates,
    refuse_assignment,
)
from mission_control.tasks.schemas import TaskCreate
from mission_control.tasks.tags import check_tags, replace_tags, tag_ids_of

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
        **new.model_dump(include={*PLAIN, "status"}),
    )
    task.board = board
    worker = new.assigned_agent_id if actor.is_agent and new.status == "in_progress" else None
    limits = await lock_limits(worker, board.id) if worker else Limits()
    await dependencies.check_dependencies(board, task.id, new.depends_on_task_ids)
    await check_tags(board.organization_id, new.tag_ids)
    await _refuse_blocked_start(actor, board, new)
    values = await check_new_values(board.id, new.custom_field_values)
    if new.status == "done":
        await pass_done_gates(board, None, None)
    await _assign_new(actor, board, task, new)
    if actor.is_agent and held_by(task) is not None:
        await _refuse_new_work(board, task)
        await refuse_assignment(limits, task)
    neighbour = above or original
    if neighbour is not None and neighbour.status == task.status:
        task.position = await position_next_to(task, neighbour.id, above=False)
    task.number = await next_task_number(board.id)
    if task.status == "in_progress":
        task.in_progress_at = times.clock_now()
    if held_by(task) is not None:
        task.fence = 1
    await insert(task)
    if (agent_id := held_by(task)) is not None:
        await begin_run(task, agent_id)
    if new.depends_on_task_ids:
        await dependencies.replace_dependencies(board.id, task.id, new.depends_on_task_ids)
    if new.tag_ids:
        await replace_tags(task.id, new.tag_ids)
    await store_new_values(task.id, values)
    more = {"assigned_user_id": task.assigned_user_id} if task.assigned_user_id else {}
    more |= {"copy_of_task_id": original.id} if original is not None else {}
    record("task.created", task, f"Task created: {task.title}.", title=task.title, status=task.status, **more)
    if actor.is_user:
        await notices.notify_lead_of_new_task(board, task)
    if task.assigned_agent_id is not None:
        await notices.notify_assignee(actor, board, task, None)
    return task


async def _refuse_new_work(board: Board, task: Task) -> None:
    """Raise 409 when the agent that would hold a task is paused or has used up a budget."""
    await refuse_when_paused(held_by(task), board.id)
    await refuse_when_used_up(held_by(task), board)


async def _refuse_blocked_start(actor: Actor, board: Board, new: TaskCreate) -> None:
    if not new.depends_on_task_ids or (
        new.status == "inbox" and new.assigned_agent_id is None and new.assigned_user_id is None
    ):
        return
    found = await Task.filter(id__in=new.depends_on_task_ids).exclude(status="done").values_list("id", flat=True)
    open_ids = {str(one) for one in found}
    blockers = [str(one) for one in new.depends_on_task_ids if str(one) in open_ids]
    if blockers:
        raise dependencies.blocked_error(blockers, with_code=actor.is_user)


async def _assign_new(actor: Actor, board: Board, task: Task, new: TaskCreate) -> None:
    if actor.is_agent:
        await rules.check_agent(board, new.assigned_agent_id, may_be_lead=False)
    assignee = new.model_dump(include={"assigned_agent_id", "assigned_user_id"}, exclude_none=True)
    await rules.assign(board, task, TaskChange(**assignee))


@command("task.change")
async def change_task(actor: Actor, task: Task, change: TaskChange) -> Task:
    """Change a task as the actor's rule set and the board's rules allow. Setting a field to its value is a no-op."""
    await refuse_lost_lease([task.id])
    rules.refuse_fields(actor, task, change.names)
    board = task.board
    limits = await lock_limits_for(actor, task, change)
    if wanted := sent(change.depends_on_task_ids, []):
        await dependencies.check_dependencies(board, task.id, wanted)
    await check_tags(board.organization_id, sent(change.tag_ids, []))
    found, task = task, await locked_task(task)
    if (found.status, found.assigned_agent_id) != (task.status, task.assigned_agent_id):
        limits = await lock_limits_for(actor, task, change)  # against the order of locks: a deadlock is retried
    before = TaskSnapshot(task)
    dependency_change = await _apply_role(actor, board, task, change)
    await pass_gates(board, task, before.status, status_sent=change.status is not UNSET)
    if not (actor.is_agent and actor.is_lead):
        await pass_comment_gate(board, task, before, sent(change.comment, ""), actor.user_id)
        await rules.assign_to_lead(board, task, before.status)
    if task.status != "done":
        task.archived_at = None
    if actor.is_agent and held_by(task) not in (None, held_by(before)):
        await _refuse_new_work(board, task)
        await refuse_assignment(limits, task, before)
    await track_run(actor, task, before)
    relations = await change_relations(board, task, change, dependency_change)
    if change.comment is not UNSET:
        # The lead is told of a hand-in by one notice, which names the task.
        is_handed_in = task.status == "review" and before.status != "review" and "@" not in sent(change.comment, "")
        await write_comment(actor, task, change.comment, notify=not is_handed_in)
    await save_change(actor, board, task, before, relations)
    return task


async def _apply_role(actor: Actor, board: Board, task: Task, change: TaskChange) -> DependencyChange:
    """Apply the actor's rule set. Return the dependencies before and after when they changed."""
    if actor.is_agent and not actor.is_lead:
        await rules.apply_worker_rules(actor, board, task, change)
        return None
    dependency_change = await _change_dependencies(task, change)
    if actor.is_agent:
        await rules.apply_lead_rules(actor, board, task, change)
    else:
        await rules.apply_user_rules(actor, board, task, change)
    return dependency_change


async def _change_dependencies(task: Task, change: TaskChange) -> DependencyChange:
    wanted = change.depends_on_task_ids
    if wanted is UNSET or wanted == (present := await dependencies.dependency_ids(task.id)):
        return None
    if task.status == "done":
        raise Conflict("The dependencies of a done task cannot be changed.")
    await dependencies.replace_dependencies(task.board_id, task.id, wanted)
    return present, wanted


@command("task.change_dependencies")
async def add_dependency(actor: Actor, task: Task, depends_on_id: UUID) -> Task:
    """Make a task wait for another one, after those that it waits for already.

    The board and the task are locked before the list is read, so that concurrent additions keep each other's.
    """
    await locked_board(task.board)
    task = await locked_task(task)
    known = await dependencies.dependency_ids(task.id)
    return await change_task(actor, task, TaskChange(depends_on_task_ids=list(dict.fromkeys([*known, depends_on_id]))))


@command("task.change_dependencies")
async def remove_dependency(actor: Actor, task: Task, depends_on_id: UUID) -> Task:
    """Let a task no longer wait for another one; a no-op when it does not."""
    await locked_board(task.board)
    task = await locked_task(task)
    known = await dependencies.dependency_ids(task.id)
    return await change_task(
        actor, task, TaskChange(depends_on_task_ids=[one for one in known if one != depends_on_id])
    )


async def save_change(actor: Actor, board: Board, task: Task, before: TaskSnapshot, relations: RelationChanges) -> None:
    """Store and record what changed, and notify the agents that it concerns. The calling command holds the task."""
    changed = before.changed(task)
    if not changed and not relations:
        return
    task.updated_at = times.clock_now()
    await update(task, *changed, "updated_at")
    _record_change(task, changed, relations)
    if task.status != before.status and "done" in (task.status, before.status):
        await update_dependents(actor, task, "was finished" if task.status == "done" else REOPENED)
    await notices.notify_after_change(actor, board, task, before)


def _record_change(task: Task, changed: dict[str, Difference], relations: RelationChanges) -> None:
    pairs = {name: pair for name, pair in (changed | relations).items() if name != "position"}
    data: dict[str, Any] = {
        "before": {name: pair[0] for name, pair in pairs.items()},
        "after": {name: pair[1] for name, pair in pairs.items()},
    }
    if "status" in changed:
        record("task.status_changed", task, f"Task moved to {task.status}: {task.title}.", **data)
    else:
        record("task.updated", task, f"Task updated: {task.title}.", **data)


@command("task.move")
async def move_task(
    actor: Actor,
    task: Task,
    status: str,
    before_task_id: UUID | None = None,
    after_task_id: UUID | None = None,
) -> Task:
    """Move a card to a column, and there before or after a neighbour."""
    moved = await change_task(actor, task, TaskChange(status=status))
    neighbour = before_task_id or after_task_id
    if neighbour is None:
        return moved
    position = await position_next_to(moved, neighbour, above=before_task_id is not None)
    if position != moved.position:
        moved.position = position
        await moved.save(update_fields=["position"])
        record("task.updated", moved, f"Task moved within {status}: {moved.title}.", after={"position": position})
    return moved


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
        due_at=task.due_at if task.due_at and task.due_at > times.clock_now() else None,
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
