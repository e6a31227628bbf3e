"""Queries of board groups."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.expressions import RawSQL, Subquery

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import rows
from mission_control.groups.models import BoardGroup
from mission_control.groups.policy import may_read_group


async def visible_group(actor: Actor, group_id: UUID) -> BoardGroup:
    """Return a group of the active organization with its boards. Raises NotFound when the actor does not reach it."""
    return _reached(actor, await _group_in([actor.organization_id], group_id))


async def reachable_group(actor: Actor, group_id: UUID) -> BoardGroup:
    """Return a group of any of a person's organizations, or of an agent's board. Raises NotFound for others."""
    if actor.is_user:
        return _reached(actor, await _group_in(list(actor.memberships), group_id))
    group = await _group_in([actor.organization_id], group_id)
    if not any(actor.reads(board) for board in group.boards):
        raise NotFound()
    return group


def _reached(actor: Actor, group: BoardGroup) -> BoardGroup:
    if not may_read_group(actor, group):
        raise NotFound()
    return group


async def _group_in(organization_ids: list[UUID], group_id: UUID) -> BoardGroup:
    group = await BoardGroup.get_or_none(id=group_id, organization_id__in=organization_ids)
    if group is None:
        raise NotFound()
    return await with_boards(group)


async def with_boards(group: BoardGroup) -> BoardGroup:
    """Load the group's live boards, by name."""
    boards = Board.filter(board_group_id=group.id, deleted_at=None)
    group.boards = await boards.annotate(sort_name=RawSQL("LOWER(name)")).order_by("sort_name", "created_at", "id")
    return group


async def group_of(board: Board) -> BoardGroup | None:
    """Return a board's group with its boards, None without one."""
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
    """Return the number of messages and notes of a group."""
    [row] = await rows("SELECT COUNT(*) AS n FROM board_group_memory WHERE board_group_id = ?", group.id)
    return int(row["n"])
