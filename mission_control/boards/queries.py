"""Read boards."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.expressions import Q, RawSQL
from tortoise.queryset import QuerySet

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardQuery
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.records import find, find_all
from mission_control.database.sql import placeholders, rows
from mission_control.live import broker
from mission_control.live.shared import Shared


async def visible_board(actor: Actor, board_id: UUID) -> Board:
    """Return a board that this actor can see. Raise NotFound otherwise."""
    board = await find(Board, "id = ? AND deleted_at IS NULL", board_id)
    if board is None or not board.is_visible_to(actor):
        raise NotFound()
    return board


async def visible_board_here(actor: Actor, board_id: UUID) -> Board:
    """Return a board of the actor's active organization. Raise NotFound otherwise."""
    board = await visible_board(actor, board_id)
    if board.organization_id != actor.organization_id:
        raise NotFound()
    return board


def on_readable_boards(actor: Actor, organization_id: UUID, column: str) -> tuple[str, list[UUID]]:
    """Return a condition, with its AND, and its values that excludes boards that a person cannot read."""
    whole, single = actor.readable_boards()
    if organization_id in whole:
        return "", []
    there = f" OR {column} IN ({placeholders(len(single))})" if single else ""
    return f" AND ({column} IS NULL{there})", single


async def deletable_board(actor: Actor, board_id: UUID) -> Board:
    """Return a visible board, for its administrators also from the trash. Raise NotFound otherwise."""
    board = await _reached(actor).get_or_none(id=board_id)
    if board is None or (board.deleted_at is not None and not actor.administers(board.organization_id)):
        raise NotFound()
    return board


def _reached(actor: Actor) -> QuerySet[Board]:
    """Return the boards that the actor can read, the trash included."""
    whole, single = actor.readable_boards()
    return Board.filter(Q(organization_id__in=whole) | Q(id__in=single), absent_since=None)


async def deleted_boards(actor: Actor, paging: Paging) -> tuple[list[Board], int]:
    """Return the deleted boards of the active organization, newest first, and their number."""
    boards = _reached(actor).filter(organization_id=actor.organization_id).exclude(deleted_at=None)
    ordered = boards.order_by("-deleted_at", "id").limit(paging.limit).offset(paging.offset)
    return await ordered, await boards.count()


async def still_exists(board: Board) -> bool:
    """Return whether the board exists at this number of the log."""
    return await present(board) is not None


async def present(board: Board) -> Board | None:
    """Return the board at this number of the log, None in the trash: one read serves all streams."""
    key = (board.id, broker.known_head(board.organization_id))
    return await _present.get(key, lambda: _found(board.id))


async def _found(board_id: UUID) -> Board | None:
    return await find(Board, "id = ? AND deleted_at IS NULL", board_id)


_present: Shared[Board | None] = Shared(1.0)


async def list_boards(actor: Actor, query: BoardQuery) -> tuple[list[Board], int]:
    """Return the actor's boards of the active organization by name, and their number."""
    boards = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if query.gateway_id is not None:
        boards = boards.filter(gateway_id=query.gateway_id)
    if query.board_group_id is not None:
        boards = boards.filter(board_group_id=query.board_group_id)
    ordered = boards.annotate(sort_name=RawSQL("LOWER(name)")).order_by("sort_name", "-created_at", "id")
    return await ordered.limit(query.limit).offset(query.offset), await boards.count()


async def boards_of(actor: Actor) -> list[Board]:
    """Return all boards of the active organization that the actor can read, by name."""
    return (await list_boards(actor, BoardQuery(limit=200, offset=0)))[0]


async def boards_with(board_ids: Sequence[UUID]) -> dict[UUID, Board]:
    """Return boards by their ids."""
    if not board_ids:
        return {}
    return {one.id: one for one in await find_all(Board, f"id IN ({placeholders(len(board_ids))})", *board_ids)}


async def who_can_share(actor: Actor) -> list[str]:
    """Return the names of two people who can give somebody access to boards, owners first."""
    found = await rows(
        f"SELECT {person_name('u', 'An owner')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND m.role <> 'member' ORDER BY m.role DESC, m.created_at, m.id LIMIT 2",
        actor.organization_id,
    )
    return [row["name"] for row in found]
