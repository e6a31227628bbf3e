"""Saved views on a board's page: the tabs above its tasks."""

from dataclasses import replace
from typing import Any

import orjson
from pydantic import Field
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board, SavedView
from mission_control.boards.policy import may_change_view
from mission_control.boards.queries import people_of
from mission_control.boards.views import Name, ViewRead
from mission_control.log.models import Event
from mission_control.log.stream import Batch
from mission_control.tasks.board_view import PAGE, BoardView, News, is_no_notice, on_board
from mission_control.tasks.card_filter import OPEN, CardFilter
from mission_control.tasks.fields import Surface, shown_at
from mission_control.tasks.query import quoted
from mission_control.tasks.tag_queries import tags_offered
from mission_control.web.actions import Outcome, Refusal, action, same_form_again
from mission_control.web.forms import Fields, Form, VersionedForm, done, go
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Region

QUERY = "boards/query.html"
FIELDS = shown_at(Surface.FILTER, "assignee", "due_at", "priority", "status")
FIXED = (
    *((f"{one.word}:{value}", about) for one in FIELDS[:4] for value, about in one.offers),
    ("is:open", "not done"),
    ("is:blocked", "waits for another task"),
    ("is:flagged", "flagged for a person"),
    ("needs:approval", "an approval waits"),
    ("needs:review", "a person reviews it"),
    ("needs:person", "approval, review or flag"),
    *((f"{one.word}:{value}", about) for one in FIELDS[4:] for value, about in one.offers),
)


async def query_of(view: BoardView) -> dict[str, object]:
    """Return the query as the field shows it: what is understood as tokens, the rest as text."""
    keys = {field.field_key.lower() for field in await view.fields()}
    words, url = view.wanted.words(), f"/boards/{view.board.id}"
    known = [word for word in words if word.is_known or word.key in keys]
    tokens = []
    for word in known:
        without = view.wanted.address(q=" ".join(other.raw for other in words if other is not word))
        tokens.append((word.raw, f"{'-' * word.is_excluded}{word.key}:", ",".join(word.values), url + without))
    rest = " ".join(word.raw for word in words if word not in known)
    return {"words": tokens, "rest": rest, "cleared": url + view.wanted.address(q="", all="")}


async def _options(view: BoardView) -> str:
    """Return what the field offers while somebody types."""
    named = [(f"assignee:{quoted(agent['name'])}", "agent") for agent in await view.crew()]
    named += [(f"assignee:{quoted(person['name'])}", "person") for person in await people_of(view.board)]
    named += [(f"tag:{quoted(tag.name)}", "tag") for tag in await tags_offered(view.board)]
    own = [(f"{field.field_key}:", field.label) for field in await view.fields()]
    return render_macro(QUERY, "choices", options=[*named, *FIXED, *own])


async def _count(view: BoardView) -> str:
    if not view.wanted.narrows:
        return ""
    counts = await view.counts()
    return render_macro(QUERY, "count", found=counts[view.wanted.text], all=counts[""], narrows=True)


def state_of(wanted: CardFilter) -> str:
    """Return the hidden inputs for what else the address says."""
    return render_macro(QUERY, "state", wanted=wanted)


QUERY_REGIONS = (
    Region(
        PAGE, "#query-options", on_board("agent.created", "agent.updated", "agent.deleted"), _options,
        key=lambda view: (view.board.id,), swap="innerHTML",
    ),
    Region(PAGE, "#query-count", on_board("task.", "approval."), _count, key=lambda view: view.key, swap="innerHTML"),
)  # fmt: skip


pages = Blueprint("views_pages", __name__)
VIEW = "/boards/<uuid:board_id>/views/<uuid:view_id>"
TABS = (("open", "All open", OPEN), ("all", "All", ""))  # tabs of every board: its id, its name, its query
# Kinds that leave every count as it is, and fields of which only the words of queries speak.
UNCOUNTED = ("task.comment", "task.checklist", "task.file_")
WORDS = {"title", "description"}


class NewViewForm(Form):
    """A name for what the page shows."""

    name: Name
    kind: str = "board"
    text: str = ""
    sort: str = ""
    columns: str = ""
    is_shared: bool = False

    def body(self, found: Board) -> Fields:
        columns = [one for one in self.columns.split(",") if one]
        return self.model_dump(exclude={"text"}) | {"query": self.text, "columns": columns}


class ViewForm(VersionedForm):
    """A change of a view: its name, whether it is shared or opens the board, its place, or what it shows."""

    name: Name | None = None
    is_shared: str = Field("", pattern="^(yes|no)?$")
    is_default: str = Field("", pattern="^(yes|no)?$")
    move: str = ""
    kind: str = ""
    text: str = ""
    sort: str = ""
    columns: str = ""

    def body(self, found: SavedView) -> Fields:
        sent: dict[str, Any] = {"name": self.name, "move": self.move or None}
        sent |= {one: getattr(self, one) == "yes" for one in ("is_shared", "is_default") if getattr(self, one)}
        if self.kind:
            columns = [one for one in self.columns.split(",") if one]
            sent |= {"kind": self.kind, "query": self.text, "sort": self.sort, "columns": columns}
        return {name: one for name, one in sent.items() if one is not None}

    @classmethod
    def values_of(cls, view: SavedView) -> dict[str, object]:
        """Return what others may change while the form is open."""
        return {"name": view.name}


def filter_of(view: SavedView | ViewRead) -> CardFilter:
    return CardFilter(text=view.query, view=view.kind, sort=view.sort, columns=tuple(view.columns))


def _is_counted(view: BoardView, news: News) -> bool:
    return is_no_notice(view, news) and not (isinstance(news, Event) and news.kind.startswith(UNCOUNTED))


async def _tabs(view: BoardView) -> str:
    here = replace(view.wanted, whole=())
    base = f"/boards/{view.board.id}"
    counts, views = await view.counts(), await view.views()
    for one in views:
        one.board = view.board  # the rule reads it
    tabs = [
        {
            "id": one.id,
            "name": one.name,
            "url": base + filter_of(one).address(),
            "count": counts[one.query],
            "is_here": filter_of(one) == here,
            "title": ("Everybody on the board sees this view" if one.is_shared else "Only you see this view")
            + ("; the board opens with it" if one.is_default else ""),
            "is_shared": one.is_shared,
            "is_default": one.is_default,
            "may_change": may_change_view(view.actor, one),
        }
        for one in views
    ]
    fixed = [(id_, name, CardFilter(text, view=here.view)) for id_, name, text in TABS]
    return render_macro(
        "boards/views.html", "tabs", board_id=view.board.id, views=tabs, wanted=view.wanted,
        fixed=[(id_, name, base + one.address(), one == here, counts[one.text]) for id_, name, one in fixed],
        is_saved=any(one["is_here"] for one in tabs) or any(one == here for *_, one in fixed),
        may_write=view.rights.may_write,
    )  # fmt: skip


async def _counts(view: BoardView, batch: Batch) -> str | None:
    """Return the numbers in the tabs when only tasks changed, nothing when they stay; None for all of the tabs."""
    if batch.signals or any(one.kind.startswith("view.") for one in batch.events):
        return None
    seen = await view.views()
    texts = {view.wanted.text, *(one.query for one in seen)}
    changed = [set(orjson.loads(one.data).get("after") or {""}) for one in batch.events if one.kind == "task.updated"]
    is_wording = len(changed) == len(batch.events) and all(names <= WORDS for names in changed)
    if is_wording and not any(CardFilter(one).searches_text for one in texts):
        return ""
    counts = await view.counts()
    shown = [(id_, counts[text]) for id_, _, text in TABS] + [(one.id, counts[one.query]) for one in seen]
    return "".join(partial(f"#view-{id_} > .count", str(count), "innerHTML") for id_, count in shown)


@action(pages, "/boards/<uuid:board_id>/views", form=NewViewForm)
async def create_board_view(outcome: Outcome[Board, NewViewForm]) -> ResponseReturnValue:
    """Save what the page shows as a view, and open it."""
    made = outcome.answer
    return go(f"/boards/{outcome.found.id}{filter_of(made).address()}")


async def _not_changed(refusal: Refusal[SavedView, ViewForm]) -> ResponseReturnValue:
    return same_form_again(refusal.error, "version-view")


@action(pages, VIEW, form=ViewForm, refused=_not_changed)
async def update_board_view(outcome: Outcome[SavedView, ViewForm]) -> ResponseReturnValue:
    """Change a view."""
    view = outcome.answer
    toast = f"“{view.name}” shows this now" if outcome.form.kind else None
    return done(f"/boards/{view.board_id}{filter_of(view).address()}", toast=toast)


@action(pages, f"{VIEW}/deletion")
async def delete_board_view(outcome: Outcome[SavedView, None]) -> ResponseReturnValue:
    """Delete a view; Undo saves it again."""
    view = outcome.found
    undo = {
        "name": view.name, "kind": view.kind, "text": view.query, "sort": view.sort,
        "columns": ",".join(view.columns), **({"is_shared": "true"} if view.is_shared else {}),
    }  # fmt: skip
    url = f"/boards/{view.board_id}"
    return done(url, toast=f"View “{view.name}” deleted", undo_action=f"{url}/views", undo=undo)


NEWS = on_board(
    "view.", "task.", "approval.", "agent.updated", "agent.deleted", signals=("views_of",), about=_is_counted
)
REGIONS = (
    Region(
        PAGE, "#views", NEWS, _tabs, key=lambda view: (view.board.id, view.rights, view.wanted, view.actor.id),
        changes=_counts,
    ),
)  # fmt: skip
