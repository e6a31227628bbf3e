"""Import a board from a file: the people, agents, tags and fields that it names, and its tasks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from uuid import UUID

from tortoise.exceptions import OperationalError
from tortoise.models import Model

from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards import staging
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor, require
from mission_control.core.errors import NotFound
from mission_control.core.values import new_id, to_json
from mission_control.database.sql import as_id, is_missing_reference, rows
from mission_control.events.commands import ATTEMPTS, command, uncancelled
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.retries import committed
from mission_control.memory.models import BoardMemory
from mission_control.people.jobs import commands as jobs
from mission_control.tasks.custom_fields.values import mismatch
from mission_control.tasks.fields import EXPORTED
from mission_control.tasks.models import (
    ChecklistItem,
    Comment,
    CustomField,
    CustomFieldBoard,
    CustomFieldValue,
    Tag,
    TagAssignment,
    Task,
    TaskDependency,
    TaskLink,
    TaskProposal,
)
from mission_control.tasks.tags.commands import is_nameless, save_nameless, slug_from
from mission_control.transfer.file import (
    ApprovalPart,
    AuthorPart,
    BoardFile,
    BoardImported,
    BoardPart,
    CommentPart,
    Dropped,
    FieldPart,
    ImportCounts,
    TagPart,
    TaskPart,
)
from mission_control.transfer.history import Work
from mission_control.transfer.history_file import NotePart

EVENTS = (Kind("board.imported", "A board was created from a file.", "made from a file the board"),)


@dataclass(slots=True)
class Known:
    """The people and agents of the organization, and what was dropped for lack of them."""

    people: dict[str, UUID] = field(default_factory=dict)
    readers: set[UUID] = field(default_factory=set)
    agents: dict[str, UUID] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)

    def drop(self, what: str, name: str, where: str) -> None:
        self.dropped.append(Dropped(what=what, name=name, where=where))

    def person(self, email: str | None, what: str, where: str, *, must_read: bool = False) -> UUID | None:
        """Return the member with an e-mail address; with `must_read` only one who reaches every new board."""
        if email is None:
            return None
        found = self.people.get(email.lower())
        if found is None or (must_read and found not in self.readers):
            self.drop(what, email, where)
            return None
        return found

    def author(self, author: AuthorPart, what: str, where: str) -> tuple[UUID | None, UUID | None]:
        """Return the person and the agent behind something, at most one of them not null."""
        if author.kind == "person":
            if author.email is None:
                self.drop(what, author.name or "a person without an e-mail address", where)
            return self.person(author.email, what, where), None
        if author.kind == "agent":
            found = self.agents.get(author.name or "")
            if found is None:
                self.drop(what, author.name or "", where)
            return None, found
        return None, None


async def known_in(organization_id: UUID) -> Known:
    """Find members by e-mail, and agents by name where the name is unique."""
    known = Known()
    for row in await rows(
        "SELECT u.id, u.email, m.all_boards_read, m.all_boards_write FROM organization_members m"
        " JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND u.email IS NOT NULL",
        organization_id,
    ):
        known.people[row["email"].lower()] = user_id = UUID(str(row["id"]))
        if row["all_boards_read"] or row["all_boards_write"]:
            known.readers.add(user_id)
    for row in await rows(
        "SELECT name, MIN(CAST(id AS TEXT)) AS id FROM agents WHERE organization_id = ?"
        " GROUP BY name HAVING COUNT(*) = 1",
        organization_id,
    ):
        known.agents[row["name"]] = UUID(str(row["id"]))
    return known


BATCH = 500


async def find_tags(organization_id: UUID, parts: list[TagPart]) -> tuple[dict[str, UUID], list[str]]:
    """Find ids by the slugs in the file, and the slugs of tags that were created."""
    nameless = [part for part in parts if is_nameless(part.slug)]
    new = [_tag(organization_id, part) for part in parts if not is_nameless(part.slug)]
    await Tag.bulk_create(new, ignore_conflicts=True)
    made = {tag.slug: tag.id for tag in new}
    ids = dict(await Tag.filter(organization_id=organization_id, slug__in=list(made)).values_list("slug", "id"))
    new_slugs = [slug for slug, tag_id in ids.items() if tag_id == made[slug]]
    for part in nameless:
        tag, is_new = await _find_nameless(organization_id, part, set(ids.values()))
        ids[part.slug] = tag.id
        new_slugs += [tag.slug] if is_new else []
    return ids, sorted(new_slugs)


async def _find_nameless(organization_id: UUID, part: TagPart, used: set[UUID]) -> tuple[Tag, bool]:
    """Return the tag for a slug that no name gives, and whether it was created. The slug may be taken here."""
    if slug_from(part.name):
        here = await Tag.get_or_none(organization_id=organization_id, slug=part.slug)
        if here is not None and here.id not in used and slug_from(here.name):
            return here, False
    tag = _tag(organization_id, part)
    stored = await save_nameless(tag, excluding=used)
    return stored, stored is tag


def _tag(organization_id: UUID, part: TagPart) -> Tag:
    return Tag(id=new_id(), organization_id=organization_id, **part.model_dump())


async def bind_fields(
    board: Board, parts: list[FieldPart], dropped: list[Dropped]
) -> tuple[dict[str, CustomField], list[str]]:
    """Give the board its fields by key. Return them and those created; one with another type here is dropped."""
    made = [_field(board, part) for part in parts]
    await CustomField.bulk_create(made, ignore_conflicts=True)
    keys = [part.field_key for part in parts]
    stored = await CustomField.filter(organization_id=board.organization_id, field_key__in=keys)
    types = {part.field_key: part.field_type for part in parts}
    bound: dict[str, CustomField] = {}
    for custom in stored:
        if custom.field_type == types[custom.field_key]:
            bound[custom.field_key] = custom
        else:
            where = f"it is {custom.field_type} here"
            dropped.append(Dropped(what="custom field", name=custom.field_key, where=where))
    await CustomFieldBoard.bulk_create(CustomFieldBoard(board_id=board.id, field_id=one.id) for one in bound.values())
    ids = {custom.id for custom in made}
    return bound, sorted(key for key, custom in bound.items() if custom.id in ids)


def _field(board: Board, part: FieldPart) -> CustomField:
    fields = part.model_dump(exclude={"default_value"})
    custom = CustomField(id=new_id(), organization_id=board.organization_id, **fields)
    # Encoded here: the field would store a plain text as JSON.
    custom.default_value = None if part.default_value is None else to_json(part.default_value).decode()
    return custom


async def store_values(
    fields: dict[str, CustomField], parts: list[TaskPart], ids: dict[int, UUID], dropped: list[Dropped]
) -> None:
    """Store the tasks' values of the board's fields. Values that a field here refuses are dropped."""
    values = []
    for part in parts:
        for key, value in part.custom_fields.items():
            if value is None or key not in fields:
                continue
            if mismatch(fields[key], value):
                dropped.append(Dropped(what="value", name=key, where=f"task {part.number}"))
                continue
            stored = CustomFieldValue(task_id=ids[part.number], field_id=fields[key].id)
            stored.value = to_json(value).decode()
            values.append(stored)
    await CustomFieldValue.bulk_create(values, batch_size=BATCH)


IMPORTED = "import"  # the decider of an imported approval; the gate to done counts deciders of this installation only


async def import_board(actor: Actor, organization_id: UUID, file: BoardFile) -> BoardImported:
    """Import a board with new ids, and with those people and agents that exist here.

    It is written in pieces and appears as a whole or not at all. Nobody is notified and no reaction runs. Return what
    could not be imported, too.
    """
    require(actor, "board.import", organization_id)
    return await uncancelled(import_here(actor, organization_id, file))


async def dropped_of(organization_id: UUID, file: BoardFile) -> list[Dropped]:
    """Name what an import would leave out for lack of people, agents and groups."""
    known = await known_in(organization_id)
    board = await _make_board(organization_id, file.board, known)
    ids = {part.number: board.id for part in file.tasks}
    for part in file.tasks:
        _task(board, ids, part, known)
        for comment in part.comments:
            _comment(board.id, part, comment, known)
    list(_approvals(board, [(new_id(), part) for part in file.approvals], known))
    list(_proposals(board, file, ids, known))
    list(_memory(board, file, known))
    for note in file.notes:
        _sender(known, note)
    return known.dropped


async def import_here(actor: Actor, organization_id: UUID, file: BoardFile, attempt: int = 1) -> BoardImported:
    """Import a board in the running task. When that is cancelled before its end, nothing is left of the board."""
    known = await known_in(organization_id)
    board = await _make_board(organization_id, file.board, known)
    board.task_count = max((task.number for task in file.tasks), default=0)
    ids = {part.number: new_id() for part in file.tasks}
    try:
        await staging.begin(board)
        await jobs.step("Storing what is on the board", _size(file))
        await _store(board, file, ids, known)
        await jobs.step("Tags and custom fields")
        brought = await committed(actor, partial(_finish, actor, organization_id, board.id, file, ids, known))
        assert brought is not None
        return brought
    except BaseException as error:
        await staging.clear(board.id)
        if not (isinstance(error, OperationalError) and is_missing_reference(error)):
            raise
        if attempt == ATTEMPTS:
            raise NotFound() from error
    # A person or agent in it was deleted during the import.
    return await import_here(actor, organization_id, file, attempt + 1)


def _size(file: BoardFile) -> int:
    of_tasks = sum(
        1 + len(part.comments) + len(part.depends_on) + len(part.links) + len(part.checklist) + len(part.runs)
        for part in file.tasks
    )
    of_approvals = sum(1 + len(part.tasks) for part in file.approvals)
    of_agents = len(file.sessions) + sum(len(session.activities) for session in file.sessions) + len(file.notes)
    return of_tasks + of_approvals + len(file.proposals) + len(file.memory) + of_agents


async def _store(board: Board, file: BoardFile, ids: dict[int, UUID], known: Known) -> None:
    for rows_of_one_table in _rows(board, file, ids, known):
        await staging.store(board.id, rows_of_one_table)


def _rows(board: Board, file: BoardFile, ids: dict[int, UUID], known: Known) -> Iterator[Iterable[Model]]:
    """Yield what is on a board, a table after those that it refers to."""
    yield (_task(board, ids, part, known) for part in parents_first(file.tasks))
    yield (_comment(ids[part.number], part, comment, known) for part in file.tasks for comment in part.comments)
    yield _dependencies(board, file, ids)
    yield _links(file, ids)
    yield _steps(file, ids)
    yield _proposals(board, file, ids, known)
    approvals = [(new_id(), part) for part in file.approvals]
    yield _approvals(board, approvals, known)
    yield (
        ApprovalTask(approval_id=approval_id, task_id=ids[number], is_pending=part.status == "pending")
        for approval_id, part in approvals
        for number in part.tasks
    )
    yield _memory(board, file, known)
    yield from Work.of(board, file, ids).rows(partial(_sender, known))


def _dependencies(board: Board, file: BoardFile, ids: dict[int, UUID]) -> Iterator[TaskDependency]:
    for part in file.tasks:
        for number in part.depends_on:
            yield TaskDependency(board_id=board.id, task_id=ids[part.number], depends_on_task_id=ids[number])


def _links(file: BoardFile, ids: dict[int, UUID]) -> Iterator[TaskLink]:
    for part in file.tasks:
        for link in part.links:
            yield TaskLink(task_id=ids[part.number], other_id=ids[link.task], kind=link.kind)


def _sender(known: Known, part: NotePart) -> UUID | None:
    return known.person(part.sent_by, "sender of a note", f"task {part.task}" if part.task else "a session")


@command("board.import")
async def _finish(
    actor: Actor, organization_id: UUID, board_id: UUID, file: BoardFile, ids: dict[int, UUID], known: Known
) -> BoardImported:
    """Store what the organization shares, and record the events."""
    dropped = list(known.dropped)  # the command may be retried
    board = await staging.appear(board_id)
    tag_ids, new_tags = await find_tags(organization_id, file.tags)
    tagged = [
        TagAssignment(task_id=ids[part.number], tag_id=tag_ids[slug]) for part in file.tasks for slug in part.tags
    ]
    await TagAssignment.bulk_create(tagged, batch_size=BATCH)
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


def parents_first(parts: list[TaskPart]) -> list[TaskPart]:
    by_number = {part.number: part for part in parts}
    order = TopologicalSorter({part.number: [part.parent] if part.parent else [] for part in parts})
    return [by_number[number] for number in order.static_order()]


def _task(board: Board, ids: dict[int, UUID], part: TaskPart, known: Known) -> Task:
    where = f"task {part.number}"
    if part.assigned_agent is not None:  # agents belong to one board, and the new one has none yet
        known.drop("assignee", part.assigned_agent, where)
    return Task(
        id=ids[part.number],
        board_id=board.id,
        parent_id=ids[part.parent] if part.parent else None,
        assigned_user_id=known.person(part.assigned_person, "assignee", where, must_read=True),
        created_by_user_id=known.person(part.created_by, "creator", where),
        fence=max((run.fence for run in part.runs), default=0),
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


def _proposals(board: Board, file: BoardFile, ids: dict[int, UUID], known: Known) -> Iterator[TaskProposal]:
    for position, part in enumerate(file.proposals, start=1):
        yield TaskProposal(
            board_id=board.id,
            found_in_id=ids[part.found_in] if part.found_in else None,
            task_id=ids[part.task] if part.task else None,
            decided_by_user_id=known.person(part.decided_by, "decider", f"proposal {position}"),
            **part.model_dump(exclude={"found_in", "task", "decided_by"}),
        )


def _memory(board: Board, file: BoardFile, known: Known) -> Iterator[BoardMemory]:
    for position, part in enumerate(file.memory, start=1):
        user_id, agent_id = known.author(part.author, "author", f"memory entry {position}")
        fields = part.model_dump(exclude={"author"})
        written_by = {"author_user_id": user_id, "author_agent_id": agent_id}
        yield BoardMemory(id=new_id(), board_id=board.id, **written_by, **fields)
