"""Read board groups: who may, shapes, and the state of their boards."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from tortoise.expressions import RawSQL, Subquery

from mission_control.agents.fields import EVERY
from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical, rank_sql
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound
from mission_control.core.values import JsonObject, NotNull, Paging, Schema, example
from mission_control.database.sql import Row, placeholders, rows, wire_moment
from mission_control.groups.models import BoardGroup
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name
from mission_control.tasks.query import STATES
from mission_control.tasks.tags.commands import TagRef, tags_of_tasks

BoardIds = Annotated[
    list[UUID],
    Field(max_length=200, description="The boards of the group. Boards that you cannot change stay where they are"),
]


class BoardGroupCreate(Schema):
    """A group to create. A blank slug is derived from the name."""

    name: str
    slug: str
    description: str | None = None
    board_ids: BoardIds = []


class BoardGroupUpdate(Schema):
    """Changes of a group. Absent fields stay as they are."""

    name: Annotated[str | None, NotNull] = None
    slug: Annotated[str | None, NotNull] = None
    description: str | None = None
    board_ids: Annotated[BoardIds | None, NotNull] = None


class BoardGroupRead(Schema):
    """A group of boards."""

    name: str
    slug: str
    description: str | None
    id: UUID
    organization_id: UUID
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, group: BoardGroup) -> "BoardGroupRead":
        return cls.model_construct(**{name: getattr(group, name) for name in cls.model_fields})


class BoardGroupTaskSummary(Schema):
    """A task in short."""

    id: UUID
    board_id: UUID
    board_name: str
    title: str
    status: str
    priority: str
    assigned_agent_id: UUID | None
    assignee: str | None
    due_at: datetime | None
    in_progress_at: datetime | None
    tags: list[TagRef]
    created_at: datetime
    updated_at: datetime


class BoardGroupBoardSnapshot(Schema):
    """A board of a group. `task_counts` leaves out statuses without tasks."""

    board: BoardRead
    task_counts: dict[str, int]
    tasks: list[BoardGroupTaskSummary]


class BoardGroupSnapshot(Schema):
    """The state of a group's boards."""

    group: BoardGroupRead | None
    boards: list[BoardGroupBoardSnapshot]


MOST_TASKS = 200


class GroupSnapshotQuery(Schema):
    """How many tasks of each board to return, 200 at most."""

    include_done: bool = False
    per_board_task_limit: int = Field(5, ge=0)


class BoardGroupSnapshotQuery(GroupSnapshotQuery):
    """The same, and whether to include the board that asks."""

    per_board_task_limit: int = Field(5, ge=0, le=100)
    include_self: bool = False


class BoardGroupHeartbeatApply(Schema):
    """How often the server looks after the agents of a group: a number and s, m, h or d, such as `10m`; `0m` is off."""

    model_config = example(every="15m")

    every: Annotated[str, StringConstraints(strip_whitespace=True, pattern=EVERY)]
    include_board_leads: bool = False


class BoardGroupHeartbeatApplyResult(Schema):
    """Which agents have the new interval."""

    board_group_id: UUID
    requested: JsonObject
    updated_agent_ids: list[UUID]
    failed_agent_ids: list[UUID]


def reaches_group(actor: Actor, group: BoardGroup, *, write: bool) -> bool:
    membership = actor.memberships.get(group.organization_id)
    if membership is None:
        return False
    if membership.all_boards_write or (membership.all_boards_read and not write):
        return True
    if not group.boards:
        return actor.administers(group.organization_id)
    return any(actor.writes(board) if write else actor.reads(board) for board in group.boards)


def holds_board_of(actor: Actor, group: BoardGroup) -> bool:
    return actor.is_agent and any(actor.writes(board) for board in group.boards)


@rule("board_group.create")
def may_create_group(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rule("board_group.read")
def may_read_group(actor: Actor, group: BoardGroup) -> bool:
    """People who reach the group."""
    return actor.is_user and reaches_group(actor, group, write=False)


@rule("board_group.update", "board_group.delete")
def may_change_group(actor: Actor, group: BoardGroup) -> bool:
    """Owners and admins who can write in the group."""
    return actor.is_user and actor.administers(group.organization_id) and reaches_group(actor, group, write=True)


@rule("board_group.apply_heartbeat")
def may_apply_heartbeat(actor: Actor, group: BoardGroup) -> bool:
    """The same people, and the lead of one of the group's boards."""
    return may_change_group(actor, group) or (actor.is_lead and holds_board_of(actor, group))


@lookup
async def visible_group(actor: Actor, group_id: UUID) -> BoardGroup:
    return await _group_in([actor.organization_id], group_id, lambda group: may_read_group(actor, group))


async def reachable_group(actor: Actor, group_id: UUID) -> BoardGroup:
    """Return a group of any of a person's organizations, or of an agent's board. Raises NotFound for others."""
    if actor.is_user:
        return await _group_in(list(actor.memberships), group_id, lambda group: may_read_group(actor, group))
    return await _group_in([actor.organization_id], group_id, lambda group: any(map(actor.reads, group.boards)))


async def _group_in(
    organization_ids: list[UUID], group_id: UUID, is_reached: Callable[[BoardGroup], bool]
) -> BoardGroup:
    group = await BoardGroup.get_or_none(id=group_id, organization_id__in=organization_ids)
    if group is None or not is_reached(await with_boards(group)):
        raise NotFound()
    return group


async def with_boards(group: BoardGroup) -> BoardGroup:
    """Load the group's live boards, by name."""
    boards = Board.filter(board_group_id=group.id, deleted_at=None)
    group.boards = await boards.annotate(sort_name=RawSQL("LOWER(name)")).order_by("sort_name", "created_at", "id")
    return group


async def group_of(board: Board) -> BoardGroup | None:
    group = await BoardGroup.get_or_none(id=board.board_group_id) if board.board_group_id else None
    return None if group is None else await with_boards(group)


async def list_groups(actor: Actor, paging: Paging, *, named: Sequence[str] = ()) -> tuple[list[BoardGroup], int]:
    """Return a page of the groups in which the actor reads a board, by name, and how many there are.

    Actors who read all boards also get empty groups. Names hold each word of `named`.
    """
    groups = BoardGroup.filter(organization_id=actor.organization_id)
    for word in named:
        groups = groups.filter(name__icontains=word)
    whole, _ = actor.readable_boards()
    if actor.organization_id not in whole:
        readable = Board.visible_to(actor).filter(board_group_id__not_isnull=True)
        groups = groups.filter(id__in=Subquery(readable.values("board_group_id")))
    ordered = groups.annotate(sort_name=RawSQL("LOWER(name)")).order_by("sort_name", "created_at", "id")
    return await ordered.limit(paging.limit).offset(paging.offset), await groups.count()


async def entries_of(group: BoardGroup) -> int:
    [row] = await rows("SELECT COUNT(*) AS n FROM board_group_memory WHERE board_group_id = ?", group.id)
    return int(row["n"])


_IN_ORDER = (
    "CASE t.status WHEN 'in_progress' THEN 0 WHEN 'review' THEN 1 WHEN 'inbox' THEN 2 WHEN 'done' THEN 3 ELSE 4 END,"
    f" {rank_sql('t.priority')} DESC,"
    " t.updated_at DESC, t.created_at DESC, t.id DESC"
)
_MOMENTS = {"due_at", "in_progress_at", "created_at", "updated_at"}


async def snapshot_of_group(actor: Actor, group: BoardGroup, query: GroupSnapshotQuery) -> JsonObject:
    boards = group.boards if actor.is_agent else [board for board in group.boards if actor.reads(board)]
    counts, tasks = await _counts(boards), await _summaries(boards, query)
    snapshots = [
        {"board": BoardRead.of(board), "task_counts": counts[str(board.id)], "tasks": tasks[str(board.id)]}
        for board in boards
    ]
    return {"group": BoardGroupRead.of(group), "boards": snapshots}


async def snapshot_around(actor: Actor, board: Board, query: BoardGroupSnapshotQuery) -> JsonObject:
    group = await group_of(board)
    if group is None:
        return {"group": None, "boards": []}
    if not query.include_self:
        group.boards = [member for member in group.boards if member.id != board.id]
    return await snapshot_of_group(actor, group, query)


async def _counts(boards: list[Board]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    if boards:
        here = f"board_id IN ({placeholders(len(boards))})"
        for row in await rows(
            "SELECT board_id, status, COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL"
            f" AND {here} GROUP BY board_id, status ORDER BY board_id, status",
            *[board.id for board in boards],
        ):
            counts[str(row["board_id"])][row["status"]] = int(row["n"])
    return counts


async def _summaries(boards: list[Board], query: GroupSnapshotQuery) -> dict[str, list[Row]]:
    by_board: dict[str, list[Row]] = defaultdict(list)
    if not boards or not query.per_board_task_limit:
        return by_board
    undone = "" if query.include_done else f" AND {STATES['open']}"
    tasks = await rows(
        "SELECT * FROM (SELECT t.id, t.board_id, t.title, t.status, t.priority, t.assigned_agent_id, t.due_at,"
        " t.in_progress_at, t.created_at, t.updated_at,"
        f" COALESCE(g.name, {person_name('u')}) AS assignee,"
        f" ROW_NUMBER() OVER (PARTITION BY t.board_id ORDER BY {_IN_ORDER}) AS place"
        " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id LEFT JOIN users u ON u.id = t.assigned_user_id"
        " WHERE t.deleted_at IS NULL AND t.archived_at IS NULL"
        f" AND t.board_id IN ({placeholders(len(boards))}){undone}) ranked WHERE place <= ? ORDER BY board_id, place",
        *[board.id for board in boards],
        min(query.per_board_task_limit, MOST_TASKS),
    )
    names = {str(board.id): board.name for board in boards}
    tags = await tags_of_tasks([row["id"] for row in tasks])
    for row in tasks:
        board_id, moments = str(row["board_id"]), {name: wire_moment(row[name]) for name in _MOMENTS}
        facts = {"board_name": names[board_id], "tags": tags.get(str(row["id"]), [])}
        task = {**row, **moments, **facts, "priority": canonical(row["priority"])}
        by_board[board_id].append({name: task[name] for name in BoardGroupTaskSummary.model_fields})
    return by_board
