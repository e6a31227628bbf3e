"""The page of a board, with the field of its query and the tabs of its saved views."""

from dataclasses import replace
from functools import partial as filled
from uuid import UUID

import orjson
from markupsafe import Markup
from pydantic import Field
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board, SavedView
from mission_control.boards.pages import on_board
from mission_control.boards.policy import may_change_view
from mission_control.boards.queries import people_of, present
from mission_control.boards.statuses import STATUSES
from mission_control.boards.views import Name, ViewRead, default_view
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.tasks.board.card_filter import OPEN, STANDS_STILL, CardFilter
from mission_control.tasks.board.table import shown_columns
from mission_control.tasks.board.view import PAGE, PANEL, PLACE, BoardView, Rights, is_no_notice, of_board, view_of
from mission_control.tasks.board.viewers import keep_presence
from mission_control.tasks.fields import Surface, shown_at
from mission_control.tasks.query import quoted
from mission_control.tasks.tags.commands import tags_offered
from mission_control.web.actions import Outcome, Refusal, action, same_form_again
from mission_control.web.forms import Fields, Form, FormValues, VersionedForm, done, go
from mission_control.web.fragments import PageContext, partial, render_macro
from mission_control.web.regions import Reads, Region, fragments, live_page, rendered
from mission_control.web.shell import shell_page
from mission_control.web.side_panels import asides, asked, opened, panel_alone, wants_panel_alone, with_aside

pages = Blueprint("task_board_pages", __name__)


@pages.get("/boards/<uuid:board_id>")
async def show(board_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    view, panel, stream, title = view_of(actor, board), "", "", ""
    if not request.args and (default := await default_view(board)) is not None:
        view = replace(view, wanted=filter_of(default))
        view = replace(view, pages=(PAGE, view.shown))
    aside, _ = asked(PLACE)
    if aside is not None:
        panel, stream = await opened(aside, view, seq, f"/boards/{board.id}{view.wanted.query()}")
        title = f"{aside.title} of {board.name}"
        if wants_panel_alone():
            return panel_alone(panel)
    return await board_page(view, seq, panel=panel, page_title=title, stream=stream)


async def board_page(
    view: BoardView, seq: int, *, panel: str = "", page_title: str = "", stream: str = "", column: str = ""
) -> str:
    """Return the page of a board, read after the number `seq` of the log, with a panel or without.

    `stream` is the panel's part of the address of the stream, unless it is a task's; `column` is where the task is.
    """
    kept = {request.args.get("open"), column} & set(STATUSES)  # columns that never fold beside an open task
    return await shell_page(
        view.actor, "boards/show.html", active=f"board-{view.board.id}", board=view.board, wanted=view.wanted,
        may_write=view.rights.may_write, query=await query_of(view), panel=Markup(panel), page_title=page_title,
        columns=await shown_columns(view) if view.wanted.is_table else [],
        regions={**await rendered(PAGE, view), **await rendered(view.shown, view)},
        open_columns=" ".join(sorted(filter(None, kept))), panel_base=f"/boards/{view.board.id}",
        asides=asides(PLACE), live_url=live_url(view, seq, stream),
    )  # fmt: skip


def live_url(view: BoardView, seq: int, stream: str = "") -> str:
    query = view.wanted.query()
    task = f"&panel={PANEL}{view.panel_id}{view.look.more}" if view.panel_id else ""
    panel = task or (f"&{stream}" if stream else "")
    return f"/boards/{view.board.id}/live{query}{'&' if query else '?'}after={seq}{panel}"


@pages.get("/boards/<uuid:board_id>/cards")
async def cards(board_id: UUID) -> ResponseReturnValue:
    """Answer an open page with another filter: its regions, its stream and its address."""
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    view = view_of(actor, board)
    url = f"/boards/{board.id}{view.wanted.address(q='', all='')}"
    html = await fragments(view.shown, view) + await fragments(PAGE, view)
    html += partial("#filter-clear", render_macro(QUERY, "clear", url=url, narrows=view.wanted.narrows), "innerHTML")
    html += partial("#view-switch", render_macro(QUERY, "switch", board_id=board.id, wanted=view.wanted), "innerHTML")
    html += partial("#query-state", render_macro(QUERY, "state", wanted=view.wanted), "innerHTML")
    html += partial("#live", render_macro(QUERY, "stream", url=live_url(view, seq)), "outerHTML")
    address = with_aside(PLACE, f"/boards/{board.id}{view.wanted.address()}")
    return Response(html, headers={"HX-Replace-Url": address}, mimetype="text/html")


@pages.get("/boards/<uuid:board_id>/live")
async def live(board_id: UUID) -> Response:
    actor, board = await on_board(board_id)
    name = request.args.get("panel", "")
    asked = view_of(actor, board, panel_id=parse_id(name.removeprefix(PANEL)) if name.startswith(PANEL) else None)

    async def look(viewer: Actor, reads: Reads) -> BoardView | None:
        current = await present(board)
        if current is None or not viewer.reads(current):
            return None
        return replace(asked, actor=viewer, reads=reads, board=current, rights=Rights.of(viewer, current))

    return await live_page(actor, look, filled(keep_presence, actor, board), is_shared=True)


QUERY = "boards/query.html"
FIRST = ("assignee", "due_at", "priority", "status")
FIELDS = shown_at(Surface.FILTER, *FIRST)
FIXED = (
    *((f"{one.word}:{value}", about) for one in FIELDS[: len(FIRST)] for value, about in one.offers),
    ("is:open", "not done"),
    ("is:blocked", "waits for another task"),
    ("is:flagged", "flagged for a person"),
    ("is:still", "silent, or the same error again and again"),
    ("silent:>5m", "no sign of its agent for so long"),
    ("has:parts", "made of parts"),
    ("needs:approval", "an approval waits"),
    ("needs:review", "a person reviews it"),
    ("needs:person", "approval, review or flag"),
    *(
        (f"{one.word}:{value}", about)
        for one in FIELDS[len(FIRST) :]
        for value, about in one.offers or (("", one.label),)
    ),
)


async def query_of(view: BoardView) -> PageContext:
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


VIEW = "/boards/<uuid:board_id>/views/<uuid:view_id>"
TABS = (
    ("open", "All open", OPEN),
    ("all", "All", ""),
    ("still", "Stands still", STANDS_STILL),
)  # tabs of every board: its id, its name, its query
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
        sent: FormValues = {"name": self.name, "move": self.move or None}
        sent |= {one: getattr(self, one) == "yes" for one in ("is_shared", "is_default") if getattr(self, one)}
        if self.kind:
            columns = [one for one in self.columns.split(",") if one]
            sent |= {"kind": self.kind, "query": self.text, "sort": self.sort, "columns": columns}
        return {name: one for name, one in sent.items() if one is not None}

    @classmethod
    def values_of(cls, view: SavedView) -> FormValues:
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
    if any("views_of" in one for one in batch.signals) or any(one.kind.startswith("view.") for one in batch.events):
        return None
    seen = await view.views()
    texts = {view.wanted.text, *(one.query for one in seen)}
    changed = [set(orjson.loads(one.data).get("after") or {""}) for one in batch.events if one.kind == "task.updated"]
    is_wording = len(changed) == len(batch.events) > 0 and all(names <= WORDS for names in changed)
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


CREW = of_board("agent.created", "agent.updated", "agent.deleted")
COUNTED = of_board(
    "view.", "task.", "approval.", "session.", "agent.updated", "agent.deleted", signals=("views_of", "agent_id"),
    about=_is_counted,
)  # fmt: skip
FOUND = of_board(
    "task.", "approval.", "session.", signals=("agent_id",),
    about=lambda view, news: isinstance(news, Event) or view.wanted.looks_at_signs,
)  # fmt: skip
REGIONS = (
    Region(PAGE, "#query-options", CREW, _options, key=lambda view: view.board.id, swap="innerHTML"),
    Region(PAGE, "#query-count", FOUND, _count, key=lambda view: view.key, swap="innerHTML"),
    Region(PAGE, "#views", COUNTED, _tabs, key=lambda view: (view.key, view.actor.id), changes=_counts),
)
