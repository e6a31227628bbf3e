"""Making a board from a file."""

from uuid import UUID

from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.command import command, record
from mission_control.core.ids import new_id
from mission_control.database.sql import as_id, rows
from mission_control.exports import policy as policy
from mission_control.exports.file import BoardFile, BoardImported, ImportCounts
from mission_control.exports.labels import bind_fields, find_tags, store_values
from mission_control.exports.parts import BoardPart, CommentPart, TaskPart
from mission_control.exports.people import Known, known_in
from mission_control.memory.models import BoardMemory
from mission_control.tags.models import TagAssignment
from mission_control.tasks.models import ChecklistItem, Comment, Task, TaskDependency

BATCH = 500
IMPORTED = "import"  # who decided an approval of the file; rule A counts people and policies of this installation only


@command("board.import")
async def import_board(actor: Actor, organization_id: UUID, file: BoardFile) -> BoardImported:
    """Make a board from a file: with new ids, and with those people and agents that are here.

    Nobody is told and no reaction runs. What could not be brought over is answered as a list.
    """
    known = await known_in(organization_id)
    board = await _make_board(organization_id, file.board, known)
    board.task_count = max((task.number for task in file.tasks), default=0)
    await board.save(force_create=True)
    tasks = {part.number: _task(board, part, known) for part in file.tasks}
    await Task.bulk_create(tasks.values(), batch_size=BATCH)
    comments = [_comment(tasks[part.number], part, one, known) for part in file.tasks for one in part.comments]
    await Comment.bulk_create(comments, batch_size=BATCH)
    new_tags = await _store_around(file, board, tasks)
    fields, new_fields = await bind_fields(board, file.custom_fields, known)
    await store_values(fields, file.tasks, tasks, known)
    await _store_approvals(file, board, tasks, known)
    await _store_memory(file, board, known)
    counts = ImportCounts(
        tasks=len(tasks), comments=len(comments), approvals=len(file.approvals), memory=len(file.memory)
    )
    record(
        "board.imported",
        board,
        f"Board imported: {board.name}.",
        name=board.name,
        counts=counts.model_dump(),
        dropped=len(known.dropped),
        new_tags=new_tags,
        new_custom_fields=new_fields,
    )
    return BoardImported(board=BoardRead.of(board), counts=counts, dropped=known.dropped)


async def _make_board(organization_id: UUID, part: BoardPart, known: Known) -> Board:
    fields = part.model_dump(exclude={"gateway_id", "board_group_id", "board_group"})
    board = Board(id=new_id(), organization_id=organization_id, **fields)
    if part.board_group is not None:
        sql = "SELECT id FROM board_groups WHERE organization_id = ? AND name = ? ORDER BY created_at, id LIMIT 1"
        found = await rows(sql, organization_id, part.board_group)
        board.board_group_id = as_id(found[0]["id"]) if found else None
        if not found:
            known.drop("board group", part.board_group, "board")
    return board


def _task(board: Board, part: TaskPart, known: Known) -> Task:
    where = f"task {part.number}"
    if part.assigned_agent is not None:  # agents belong to one board, and the new one has none yet
        known.drop("assignee", part.assigned_agent, where)
    same = ("number", "title", "description", "status", "priority", "position", "due_at", "in_progress_at")
    moments = ("previous_in_progress_at", "archived_at", "created_at", "updated_at")
    return Task(
        id=new_id(),
        board_id=board.id,
        assigned_user_id=known.person(part.assigned_person, "assignee", where, must_read=True),
        created_by_user_id=known.person(part.created_by, "creator", where),
        **part.model_dump(include={*same, *moments}),
    )


def _comment(task: Task, part: TaskPart, comment: CommentPart, known: Known) -> Comment:
    user_id, agent_id = known.author(comment.author, "author of a comment", f"task {part.number}")
    return Comment(
        id=new_id(),
        task_id=task.id,
        user_id=user_id,
        agent_id=agent_id,
        author_name=None if user_id else comment.author.name,
        **comment.model_dump(include={"message", "created_at", "edited_at"}),
    )


async def _store_around(file: BoardFile, board: Board, tasks: dict[int, Task]) -> list[str]:
    """What tasks wait for, their tags, their steps; returns which tags were made."""
    tag_ids, new_tags = await find_tags(board.organization_id, file.tags)
    edges, tagged, steps = [], [], []
    for part in file.tasks:
        task_id = tasks[part.number].id
        for one in part.depends_on:
            edges.append(TaskDependency(board_id=board.id, task_id=task_id, depends_on_task_id=tasks[one].id))
        tagged += [TagAssignment(task_id=task_id, tag_id=tag_ids[slug]) for slug in part.tags]
        for position, step in enumerate(part.checklist, start=1):
            steps.append(ChecklistItem(task_id=task_id, position=float(position), **step.model_dump()))
    await TaskDependency.bulk_create(edges, batch_size=BATCH)
    await TagAssignment.bulk_create(tagged, batch_size=BATCH)
    await ChecklistItem.bulk_create(steps, batch_size=BATCH)
    return new_tags


async def _store_approvals(file: BoardFile, board: Board, tasks: dict[int, Task], known: Known) -> None:
    approvals, links = [], []
    for position, part in enumerate(file.approvals, start=1):
        where = f"approval {position}"
        user_id, agent_id = known.author(part.requested_by, "requester", where)
        approval = Approval(
            id=new_id(),
            board_id=board.id,
            requested_by_user_id=user_id,
            agent_id=agent_id,
            resolved_by_user_id=known.person(part.resolved_by, "decider", where),
            resolved_by_kind=None if part.status == "pending" else IMPORTED,
            **part.model_dump(exclude={"tasks", "requested_by", "resolved_by"}),
        )
        approvals.append(approval)
        for number in part.tasks:
            pending = part.status == "pending"
            links.append(ApprovalTask(approval_id=approval.id, task_id=tasks[number].id, is_pending=pending))
    await Approval.bulk_create(approvals, batch_size=BATCH)
    await ApprovalTask.bulk_create(links, batch_size=BATCH)


async def _store_memory(file: BoardFile, board: Board, known: Known) -> None:
    entries = []
    for position, part in enumerate(file.memory, start=1):
        user_id, agent_id = known.author(part.author, "author", f"memory entry {position}")
        fields = part.model_dump(exclude={"author"})
        ids = {"id": new_id(), "board_id": board.id, "author_user_id": user_id, "author_agent_id": agent_id}
        entries.append(BoardMemory(**ids, **fields))
    await BoardMemory.bulk_create(entries, batch_size=BATCH)
