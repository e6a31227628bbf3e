"""Shapes of saved views of boards."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board, SavedView
from mission_control.boards.queries import visible_board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Invalid, existing
from mission_control.core.values import Body, FromRow, NonEmptyStr, Paging, example
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record, signal
from mission_control.http.registry import lookup

EVENTS = (
    Kind("view.created", "A view of a board was saved for everybody.", "saved the view"),
    Kind("view.updated", "A shared view of a board changed.", "changed the view"),
    Kind("view.deleted", "A shared view of a board was deleted.", "deleted the view"),
)

LONGEST_QUERY = 500
MOST_COLUMNS = 20
LONGEST_NAME = 300  # of a column
Name = Annotated[NonEmptyStr, Field(max_length=80)]
Shape = Literal["board", "table"]
Query = Annotated[str, Field(max_length=LONGEST_QUERY, description="What people type to filter a board")]
Sort = Annotated[str, Field(max_length=LONGEST_NAME, description="A column; with - in front the greatest first")]
Column = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^,]+$")]
Columns = Annotated[list[Column], Field(max_length=MOST_COLUMNS, description="Columns of the table; none: the usual")]


class ViewCreate(Body):
    """A view to save."""

    model_config = example(name="Due this week", kind="table", query="due:week is:open", sort="due", is_shared=True)

    name: Name
    kind: Shape = "board"
    query: Query = ""
    sort: Sort = ""
    columns: Columns = []
    is_shared: Annotated[bool, Field(description="Everybody who reads the board sees it, not you alone")] = False
    is_default: Annotated[bool, Field(description="The board opens with it; only a shared one can")] = False


class ViewUpdate(Body):
    """What to change on a view; absent leaves."""

    model_config = example(name="Due soon", move="left")

    name: Name | None = None
    kind: Shape | None = None
    query: Query | None = None
    sort: Sort | None = None
    columns: Columns | None = None
    is_shared: bool | None = None
    is_default: bool | None = None
    move: Annotated[Literal["left", "right"] | None, Field(description="Change places with the next one there")] = None


class ViewRead(FromRow):
    """A saved view of a board: a query and how its tasks are shown."""

    id: UUID
    board_id: UUID
    user_id: UUID | None
    name: str
    kind: Shape
    query: str
    sort: str
    columns: list[str]
    is_shared: bool
    is_default: bool
    created_at: datetime
    updated_at: datetime


@lookup
async def visible_view(actor: Actor, board_id: UUID, view_id: UUID) -> SavedView:
    board = await visible_board(actor, board_id)
    view = await existing(views_for(actor, board).get_or_none(id=view_id))
    view.board = board
    return view


def views_for(actor: Actor, board: Board) -> QuerySet[SavedView]:
    seen = SavedView.filter(Q(is_shared=True) | Q(user_id=actor.user_id), board_id=board.id)
    return seen.order_by("position", "created_at", "id")


async def all_views(board: Board) -> list[SavedView]:
    return await SavedView.filter(board_id=board.id).order_by("position", "created_at", "id")


async def list_views(actor: Actor, board: Board, paging: Paging) -> tuple[list[SavedView], int]:
    seen = views_for(actor, board)
    return await seen.limit(paging.limit).offset(paging.offset), await seen.count()


async def default_view(board: Board) -> SavedView | None:
    """None stands for all tasks."""
    return await SavedView.filter(board_id=board.id, is_default=True, is_shared=True).first()


MOST = 50
ONLY_SHARED = "Only a shared view can be the board's default. Share it first."


@command("view.create")
async def create_view(actor: Actor, board: Board, new: ViewCreate) -> SavedView:
    """Save a view. Raise Forbidden for a shared one of somebody who may only read."""
    board = await locked_board(board)
    seen = await views_for(actor, board)
    if len(seen) >= MOST:
        raise Conflict(f"You see {MOST} views on this board already. Delete one first.")
    position = max((other.position for other in seen), default=0.0) + 1.0
    view = SavedView(board_id=board.id, user_id=actor.user_id, position=position, **new.model_dump())
    view.board = board
    if view.is_default and not view.is_shared:
        raise Invalid(ONLY_SHARED)
    _refuse_sharing(actor, view, shares=view.is_shared)
    _refuse_name(view, seen)
    await view.save(force_create=True)
    await _only_default(view)
    _tell(actor, view)
    if view.is_shared:
        record("view.created", view, f"View saved: {view.name}.", name=view.name)
    return view


@command("view.update")
async def update_view(actor: Actor, view: SavedView, change: ViewUpdate) -> SavedView:
    """Change a view, or let it change places with its neighbour."""
    board = await locked_board(view.board)
    locked = await existing(SavedView.select_for_update(no_key=True).get_or_none(id=view.id))
    locked.board = board
    sent = change.model_dump(exclude_none=True, exclude={"move"})
    changes = {name: value for name, value in sent.items() if getattr(locked, name) != value}
    was_shared = locked.is_shared
    before = {name: getattr(locked, name) for name in changes}
    locked.update_from_dict(changes)
    if changes.get("is_shared") is False:
        locked.is_default = False
    _refuse_sharing(actor, locked, shares="is_shared" in changes or "is_default" in changes)
    if locked.is_default and not locked.is_shared:
        raise Invalid(ONLY_SHARED)
    if changes.keys() & {"name", "is_shared"}:
        _refuse_name(locked, await views_for(actor, board))
    locked.updated_at = times.clock_now()
    await locked.save()
    await _only_default(locked)
    if change.move:
        await _move(actor, locked, change.move)
    _tell(actor, locked)
    if changes and (was_shared or locked.is_shared):
        record("view.updated", locked, f"View changed: {locked.name}.", before=before, after=changes)
    return locked


@command("view.delete")
async def delete_view(actor: Actor, view: SavedView) -> None:
    await locked_board(view.board)
    await SavedView.filter(id=view.id).delete()
    _tell(actor, view)
    if view.is_shared:
        record("view.deleted", view, f"View deleted: {view.name}.", name=view.name)


def _refuse_name(view: SavedView, seen: Iterable[SavedView]) -> None:
    """Refuse a name that another view has, of those that the person sees; private views of others stay unknown."""
    if any(other.name.lower() == view.name.lower() and other.id != view.id for other in seen):
        raise Conflict(f"There is a view named “{view.name}” on this board already. Choose another name.")


def _refuse_sharing(actor: Actor, view: SavedView, *, shares: bool) -> None:
    if shares and not actor.writes(view.board):
        raise Forbidden("You can read this board but not change it, so your views are your own.")


async def _only_default(view: SavedView) -> None:
    if view.is_default:
        await SavedView.filter(board_id=view.board_id, is_default=True).exclude(id=view.id).update(is_default=False)


async def _move(actor: Actor, view: SavedView, way: str) -> None:
    """Let a view change places; all of those seen are numbered anew, which private ones of others do not notice."""
    seen = list(await views_for(actor, view.board))
    at = next(index for index, other in enumerate(seen) if other.id == view.id)
    to = at - 1 if way == "left" else at + 1
    if 0 <= to < len(seen):
        seen[at], seen[to] = seen[to], seen[at]
        for position, other in enumerate(seen, 1):
            await SavedView.filter(id=other.id).update(position=float(position))


def _tell(actor: Actor, view: SavedView) -> None:
    """Tell the person's own pages; those of others learn of shared views by the log."""
    signal(view.board.organization_id, views_of=str(actor.user_id), board_id=str(view.board_id))
