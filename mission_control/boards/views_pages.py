"""Saved views on a board's page: the tabs above its tasks."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from pydantic import Field
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.card_filter import CardFilter
from mission_control.boards.models import Board, SavedView
from mission_control.boards.view import PAGE, BoardView, on_board
from mission_control.boards.views_policy import may_change_view
from mission_control.boards.views_queries import views_for
from mission_control.boards.views_schemas import Name, ViewCreate, ViewUpdate
from mission_control.core.actor import Actor
from mission_control.web.actions import Form, action
from mission_control.web.forms import done, go
from mission_control.web.fragments import render_macro
from mission_control.web.outcomes import Outcome
from mission_control.web.regions import Region

pages = Blueprint("views_pages", __name__)
VIEW = "/boards/<uuid:board_id>/views/<uuid:view_id>"
OPEN = CardFilter(text="is:open")


class NewViewForm(Form):
    """A name for what the page shows."""

    name: Name
    kind: str = "board"
    text: str = ""
    sort: str = ""
    columns: str = ""
    is_shared: bool = False

    def body(self, found: Board) -> ViewCreate:
        """Return the view to save."""
        columns = [one for one in self.columns.split(",") if one]
        return ViewCreate.model_validate({**self.model_dump(exclude={"text"}), "query": self.text, "columns": columns})


class ViewForm(Form):
    """A change of a view: its name, whether it is shared or opens the board, its place, or what it shows."""

    name: Name | None = None
    is_shared: str = Field("", pattern="^(yes|no)?$")
    is_default: str = Field("", pattern="^(yes|no)?$")
    move: str = ""
    kind: str = ""
    text: str = ""
    sort: str = ""
    columns: str = ""

    def body(self, found: SavedView) -> ViewUpdate:
        """Return the change."""
        sent: dict[str, Any] = {"name": self.name, "move": self.move or None}
        sent |= {one: getattr(self, one) == "yes" for one in ("is_shared", "is_default") if getattr(self, one)}
        if self.kind:
            columns = [one for one in self.columns.split(",") if one]
            sent |= {"kind": self.kind, "query": self.text, "sort": self.sort, "columns": columns}
        return ViewUpdate.model_validate({name: one for name, one in sent.items() if one is not None})


def filter_of(view: SavedView) -> CardFilter:
    """Return what a saved view shows."""
    return CardFilter(text=view.query, view=view.kind, sort=view.sort, columns=tuple(view.columns))


async def _tabs(view: BoardView) -> str:
    here = replace(view.wanted, whole=())
    base = f"/boards/{view.board.id}"
    seen = await views_for(view.actor, view.board)
    tabs = [
        {
            "id": one.id,
            "name": one.name,
            "url": base + (filter_of(one).query() or "?q="),
            "is_here": filter_of(one) == here,
            "title": _title(one),
            "is_shared": one.is_shared,
            "is_default": one.is_default,
            "may_change": _may_change(view.actor, view.board, one),
        }
        for one in seen
    ]
    fixed = [("All tasks", CardFilter(view=here.view)), ("All open", replace(OPEN, view=here.view))]
    return render_macro(
        "boards/views.html",
        "tabs",
        board_id=view.board.id,
        fixed=[(name, base + (one.query() or "?q="), one == here) for name, one in fixed],
        views=tabs,
        wanted=view.wanted,
        may_write=view.rights.may_write,
        is_saved=any(one["is_here"] for one in tabs) or any(one == here for _, one in fixed),
    )


def _title(view: SavedView) -> str:
    seen = "Everybody on the board sees this view" if view.is_shared else "Only you see this view"
    return f"{seen}; the board opens with it" if view.is_default else seen


def _may_change(actor: Actor, board: Board, view: SavedView) -> bool:
    view.board = board
    return may_change_view(actor, view)


def _key(view: BoardView) -> Hashable:
    return view.board.id, view.rights, view.wanted, view.actor.id


@action(pages, "POST", "/boards/<uuid:board_id>/views", performs="create_board_view", form=NewViewForm)
async def create(outcome: Outcome[Board, NewViewForm]) -> ResponseReturnValue:
    """Save what the page shows as a view, and open it."""
    made = outcome.answer
    query = CardFilter(text=made.query, view=made.kind, sort=made.sort, columns=tuple(made.columns)).query()
    return go(f"/boards/{outcome.found.id}{query or '?q='}")


@action(pages, "POST", VIEW, performs="update_board_view", form=ViewForm)
async def change(outcome: Outcome[SavedView, ViewForm]) -> ResponseReturnValue:
    """Change a view."""
    view = outcome.answer
    toast = f"“{view.name}” shows this now" if outcome.form.kind else None
    return done(f"/boards/{view.board_id}{filter_of(view).query() or '?q='}", toast=toast)


@action(pages, "POST", f"{VIEW}/deletion", performs="delete_board_view")
async def delete(outcome: Outcome[SavedView, None]) -> ResponseReturnValue:
    """Delete a view; Undo saves it again."""
    view = outcome.found
    undo = {
        "name": view.name, "kind": view.kind, "text": view.query, "sort": view.sort,
        "columns": ",".join(view.columns), **({"is_shared": "true"} if view.is_shared else {}),
    }  # fmt: skip
    url = f"/boards/{view.board_id}"
    return done(url, toast=f"View “{view.name}” deleted", undo_action=f"{url}/views", undo=undo)


REGIONS = (Region(PAGE, "#views", on_board("view.", signals=("views_of",)), _tabs, key=_key),)
