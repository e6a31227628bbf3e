"""Import a board from a file."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from tortoise.exceptions import OperationalError

from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards import staging
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.commands.command import command
from mission_control.commands.transaction import ATTEMPTS, uncancelled
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.ids import new_id
from mission_control.core.policy import require
from mission_control.database.references import is_missing_reference
from mission_control.database.sql import as_id, rows
from mission_control.exports.file import BoardFile, BoardImported, Dropped, ImportCounts
from mission_control.exports.labels import bind_fields, find_tags, store_values
from mission_control.exports.parts import ApprovalPart, BoardPart, CommentPart, TaskPart
from mission_control.exports.people import Known, known_in
from mission_control.jobs import progress
from mission_control.memory.models import BoardMemory
from mission_control.operations.retries import committed
from mission_control.tags.models import TagAssignment
from mission_control.tasks.fields import EXPORTED
from mission_control.tasks.models import ChecklistItem, Comment, Task, TaskDependency

BATCH = 500
IMPORTED = "import"  # the decider of an imported approval; the gate to done counts deciders of this installation only


async def import_board(actor: Actor, organization_id: UUID, file: BoardFile) -> BoardImported:
    """Import a board with new ids, and with those people and agents that exist here.

    It is written in pieces and appears as a whole or not at all. Nobody is notified and no reaction runs. Return what
    could not be imported, too.
    """
    require(actor, "board.import", organization_id)
    return await uncancelled(import_here(actor, organization_id, file))


async def dropped_of(organization_id: UUID, file: BoardFile) -> list[Dropped]:
    """Return what an import of a file would leave out for lack of people, agents and groups."""
    known = await known_in(organization_id)
    board = await _make_board(organization_id, file.board, known)
    for part in file.tasks:
        _task(board, board.id, part, known)
        for one in part.comments:
            _comment(board.id, part, one, known)
    for made in (_approvals(board, [(new_id(), part) for part in file.approvals], known), _memory(board, file, known)):
        for _ in made:
            pass
    return known.dropped


async def import_here(actor: Actor, organization_id: UUID, file: BoardFile, attempt: int = 1) -> BoardImported:
    """Import a board in the running task. When that is cancelled before its end, nothing is left of the board."""
    known = await known_in(organization_id)
    board = await _make_board(organization_id, file.board, known)
    board.task_count = max((task.number for task in file.tasks), default=0)
    ids = {part.number: new_id() for part in file.tasks}
    try:
        await staging.begin(board)
        await progress.step("Storing what is on the board", _number_of(file))
        await _store(board, file, ids, known)
        await progress.step("Tags and custom fields")
        brought = await committed(actor, partial(_finish, actor, organization_id, board.id, file, ids, known))
        assert brought is not None
        return brought
    except BaseException as error:
        await staging.clear(board.id)
        if not (isinstance(error, OperationalError) and is_missing_reference(error)):
            raise
        if attempt == ATTEMPTS:
            raise NotFound() from error
    return await import_here(
        actor, organization_id, file, attempt + 1
    )  # a person or agent in it was deleted during the import


def _number_of(file: BoardFile) -> int:
    """Return how many rows are stored for a file before those that the organization shares."""
    of_tasks = sum(1 + len(part.comments) + len(part.depends_on) + len(part.checklist) for part in file.tasks)
    return of_tasks + sum(1 + len(part.tasks) for part in file.approvals) + len(file.memory)


async def _store(board: Board, file: BoardFile, ids: dict[int, UUID], known: Known) -> None:
    """Store what belongs to the board alone."""
    comments = (_comment(ids[part.number], part, one, known) for part in file.tasks for one in part.comments)
    await staging.store(board.id, (_task(board, ids[part.number], part, known) for part in file.tasks))
    await staging.store(board.id, comments)
    await staging.store(board.id, _edges(board, file, ids))
    await staging.store(board.id, _steps(file, ids))
    approvals = [(new_id(), part) for part in file.approvals]
    await staging.store(board.id, _approvals(board, approvals, known))
    await staging.store(board.id, _links(approvals, ids))
    await staging.store(board.id, _memory(board, file, known))


@command("board.import")
async def _finish(
    actor: Actor, organization_id: UUID, board_id: UUID, file: BoardFile, ids: dict[int, UUID], known: Known
) -> BoardImported:
    """Store what the organization shares, and record the events."""
    dropped = list(known.dropped)  # the command may be retried
    board = await staging.appear(board_id)
    new_tags = await _tag(organization_id, file, ids)
    fields, new_fields = await bind_fields(board, file.custom_fields, dropped)
    await store_values(fields, file.tasks, ids, dropped)
    counts = ImportCounts.of(file)
    record(
        "board.imported",
        board,
        f"Board imported: {board.name}.",
        name=board.name,
        counts=counts.model_dump(),
        dropped=len(dropped),
        new_tags=new_tags,
        new_custom_fields=new_fields,
    )
    return BoardImported(board=BoardRead.of(board), counts=counts, dropped=dropped)


async def _make_board(organization_id: UUID, part: BoardPart, known: Known) -> Board:
    fields = part.model_dump(exclude={"board_group"})
    board = Board(id=new_id(), organization_id=organization_id, **fields)
    if part.board_group is not None:
        sql = "SELECT id FROM board_groups WHERE organization_id = ? AND name = ? ORDER BY created_at, id LIMIT 1"
        found = await rows(sql, organization_id, part.board_group)
        board.board_group_id = as_id(found[0]["id"]) if found else None
        if not found:
            known.drop("board group", part.board_group, "board")
    return board


def _task(board: Board, task_id: UUID, part: TaskPart, known: Known) -> Task:
    where = f"task {part.number}"
    if part.assigned_agent is not None:  # agents belong to one board, and the new one has none yet
        known.drop("assignee", part.assigned_agent, where)
    return Task(
        id=task_id,
        board_id=board.id,
        assigned_user_id=known.person(part.assigned_person, "assignee", where, must_read=True),
        created_by_user_id=known.person(part.created_by, "creator", where),
        **part.model_dump(include={"number", "status", *EXPORTED}),
    )


def _comment(task_id: UUID, part: TaskPart, comment: CommentPart, known: Known) -> Comment:
    user_id, agent_id = known.author(comment.author, "author of a comment", f"task {part.number}")
    return Comment(
        id=new_id(),
        task_id=task_id,
        user_id=user_id,
        agent_id=agent_id,
        author_name=None if user_id else comment.author.name,
        **comment.model_dump(include={"message", "created_at", "edited_at"}),
    )


def _edges(board: Board, file: BoardFile, ids: dict[int, UUID]) -> Iterator[TaskDependency]:
    """Store which tasks wait for which."""
    for part in file.tasks:
        for one in part.depends_on:
            yield TaskDependency(board_id=board.id, task_id=ids[part.number], depends_on_task_id=ids[one])


def _steps(file: BoardFile, ids: dict[int, UUID]) -> Iterator[ChecklistItem]:
    for part in file.tasks:
        for position, step in enumerate(part.checklist, start=1):
            yield ChecklistItem(task_id=ids[part.number], position=float(position), **step.model_dump())


def _approvals(board: Board, parts: list[tuple[UUID, ApprovalPart]], known: Known) -> Iterator[Approval]:
    for position, (approval_id, part) in enumerate(parts, start=1):
        where = f"approval {position}"
        user_id, agent_id = known.author(part.requested_by, "requester", where)
        yield Approval(
            id=approval_id,
            board_id=board.id,
            requested_by_user_id=user_id,
            agent_id=agent_id,
            resolved_by_user_id=known.person(part.resolved_by, "decider", where),
            resolved_by_kind=None if part.status == "pending" else IMPORTED,
            **part.model_dump(exclude={"tasks", "requested_by", "resolved_by"}),
        )


def _links(parts: list[tuple[UUID, ApprovalPart]], ids: dict[int, UUID]) -> Iterator[ApprovalTask]:
    """Store which tasks the approvals are about."""
    for approval_id, part in parts:
        for number in part.tasks:
            pending = part.status == "pending"
            yield ApprovalTask(approval_id=approval_id, task_id=ids[number], is_pending=pending)


def _memory(board: Board, file: BoardFile, known: Known) -> Iterator[BoardMemory]:
    for position, part in enumerate(file.memory, start=1):
        user_id, agent_id = known.author(part.author, "author", f"memory entry {position}")
        fields = part.model_dump(exclude={"author"})
        written_by = {"author_user_id": user_id, "author_agent_id": agent_id}
        yield BoardMemory(id=new_id(), board_id=board.id, **written_by, **fields)


async def _tag(organization_id: UUID, file: BoardFile, ids: dict[int, UUID]) -> list[str]:
    """Give the tasks their tags. Return the tags that were created."""
    tag_ids, new_tags = await find_tags(organization_id, file.tags)
    tagged = [
        TagAssignment(task_id=ids[part.number], tag_id=tag_ids[slug]) for part in file.tasks for slug in part.tags
    ]
    await TagAssignment.bulk_create(tagged, batch_size=BATCH)
    return new_tags
