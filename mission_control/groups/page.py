"""The page of a group: its boards side by side, and how often its agents report."""

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from pydantic import Field
from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.pages import PACES as AGENT_PACES
from mission_control.boards.models import Board
from mission_control.boards.queries import board_rows, boards_of
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import NotFound
from mission_control.core.values import JsonObject, NonEmptyStr, OptionalText, Paging
from mission_control.database.sql import Row
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import (
    GroupSnapshotQuery,
    entries_of,
    list_groups,
    reachable_group,
    snapshot_of_group,
)
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, TypedName, VersionedForm, go
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import PaletteEntry, dialog_or_page, shell_page, signed_in
from mission_control.web.side_panels import AsideView, asides, asked, opened, panel_alone, wants_panel_alone

Name = Annotated[NonEmptyStr, Field(max_length=200)]
LABELS = {"name": "Name", "description": "Description", "board_ids": "Boards", "number": "Every", "unit": "Unit"}
# How often agents are looked after, as people choose it.
PACES = (*AGENT_PACES, ("other", "Another interval"))
UNITS = (("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("d", "days"))


class GroupForm(VersionedForm):
    name: Name
    description: OptionalText = Field(None, max_length=10_000)
    board_ids: list[UUID] = Field(default_factory=list, max_length=200)


class NewGroupForm(GroupForm):
    def body(self, found: BoardGroup | None) -> Fields:
        return self.model_dump(exclude={"version"}) | {"slug": ""}


class GroupDeletionForm(TypedName):
    what = "group"


class PaceForm(Form):
    every: str = Field("10m", max_length=10)
    number: Annotated[int | None, Field(ge=0, le=99_999)] = None
    unit: str = Field("m", pattern="^[smhd]$")
    include_board_leads: bool = False

    def body(self, found: BoardGroup) -> Fields:
        if self.every == "other" and self.number is None:
            raise FormInvalid(self.model_dump(), {"number": "Enter a number."})
        every = f"{self.number}{self.unit}" if self.every == "other" else self.every
        return {"every": every, "include_board_leads": self.include_board_leads}


def in_words(every: str) -> str:
    number, unit = every[:-1], dict(UNITS).get(every[-1:], "")
    if not number.isdecimal() or not unit:
        return every
    if int(number) == 0:
        return "never"
    return f"every {unit.removesuffix('s')}" if int(number) == 1 else f"every {int(number)} {unit}"


pages = Pages("groups_pages", __name__)
GROUP = "/groups/<uuid:group_id>"
FORM = "groups/form.html"


async def on_group(group_id: UUID) -> tuple[Actor, BoardGroup]:
    """Return the person who asks, in the organization of a group that exists for them, and the group."""
    actor = await signed_in()
    group = await reachable_group(actor, group_id)
    return replace(actor, organization_id=group.organization_id), group


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group of the list, with rows of those of its boards that the reader sees."""

    group: BoardGroup
    boards: list[Row]

    def total(self, name: str) -> int:
        return sum(board[name] for board in self.boards)


ORDERS = {
    "name": Order("by name"),
    "boards": greatest("most boards", lambda one: len(one.boards)),
    "waiting": greatest("most to decide", lambda one: one.total("pending")),
    "working": greatest("most in progress", lambda one: one.total("in_progress")),
}


async def _listed(actor: Actor, asked: Asked) -> PageContext:
    groups, _ = await list_groups(actor, Paging(limit=200, offset=0))
    boards: dict[str, list[Row]] = {}
    for row in await board_rows(actor):
        boards.setdefault(str(row["board_group_id"]), []).append(row)
    listed = [ListedGroup(group, boards.get(str(group.id), [])) for group in groups]
    may_create = can(actor, "board_group.create", actor.organization_id)
    return {"groups": ORDERS[asked.order].sorted(listed), "may_create": may_create}


LiveList(
    pages=pages, place="groups", path="/groups", template="groups/index.html", read=_listed, orders=ORDERS,
    blocks=("groups",), news=Concerns[View](("board_group.", "board.", "task.", "approval.", "member.")),
)  # fmt: skip


@pages.get("/groups/new")
async def new_group() -> str:
    actor = await signed_in()
    require(actor, "board_group.create", actor.organization_id)
    return await _form(actor, None, {"board_ids": []}, {})


async def _form(actor: Actor, group: BoardGroup | None, values: FormValues, errors: dict[str, str]) -> str:
    groups, _ = await list_groups(actor, Paging(limit=200, offset=0))
    return await shell_page(
        actor,
        FORM,
        active=f"group-{group.id}" if group else "groups",
        group=group,
        boards=[(board, can(actor, "board.update", board)) for board in await boards_of(actor)],
        names={one.id: one.name for one in groups},
        chosen={str(one) for one in values.get("board_ids") or ()},
        values=values,
        errors=errors,
        labels=LABELS,
    )


@action(pages, "/groups/new", form=NewGroupForm, shows=_form)
async def create_board_group(outcome: Outcome[None, NewGroupForm]) -> ResponseReturnValue:
    return go(f"/groups/{outcome.answer.id}")


@pages.get(f"{GROUP}/edit")
async def edit_form(group_id: UUID) -> str:
    actor, group = await on_group(group_id)
    require(actor, "board_group.update", group)
    return await _form(actor, group, GroupForm.shown(group), {})


@action(pages, f"{GROUP}/edit", form=GroupForm, at=reachable_group, shows=_form)
async def update_board_group(outcome: Outcome[BoardGroup, GroupForm]) -> ResponseReturnValue:
    return go(f"/groups/{outcome.found.id}")


@pages.get(f"{GROUP}/delete")
async def delete_form(group_id: UUID) -> str:
    """Ask before a group is deleted, and name the consequences."""
    actor, group = await on_group(group_id)
    require(actor, "board_group.delete", group)
    return await _delete_page(actor, group, {}, {})


async def _delete_page(actor: Actor, group: BoardGroup, values: Fields, errors: dict[str, str]) -> str:
    return await dialog_or_page(
        actor, "groups/delete_form.html", "delete_form", f"Delete {group.name}?", active=f"group-{group.id}",
        back=(f"/groups/{group.id}", group.name), group=group, entries=await entries_of(group), errors=errors,
    )  # fmt: skip


@action(pages, f"{GROUP}/deletion", form=GroupDeletionForm, at=reachable_group, shows=_delete_page)
async def delete_board_group(outcome: Outcome[BoardGroup, GroupDeletionForm]) -> ResponseReturnValue:
    return go("/groups")


PAGE, PLACE = "group", "group"
LIMITS = (0, 3, 5, 10)
MANY = 8  # boards; more of them can be searched


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView(AsideView):
    """A group's page at this moment: which boards it shows, how many tasks of each, and whether done ones too."""

    group: BoardGroup
    wanted: GroupSnapshotQuery
    text: str = ""

    @property
    def url(self) -> str:
        return f"/groups/{self.group.id}"

    @property
    def may_change(self) -> bool:
        return can(self.actor, "board_group.update", self.group)

    @property
    def may_pace(self) -> bool:
        return can(self.actor, "board_group.apply_heartbeat", self.group)

    @property
    def is_searched(self) -> bool:
        """Whether there are so many boards that the page offers to search them."""
        return len(self.group.boards) > MANY or bool(self.text)

    def query(self, **changes: object) -> str:
        said = {
            "tasks": self.wanted.per_board_task_limit,
            "done": "1" if self.wanted.include_done else "",
            "q": self.text,
        } | changes
        return f"?{urlencode({name: value for name, value in said.items() if value != ''})}"

    def shows(self, board: Board) -> bool:
        """Whether a text that is searched for stands in a board's name or description."""
        return any(self.text.casefold() in str(part or "").casefold() for part in (board.name, board.description))

    def has_board(self, news: News) -> bool:
        board_id = news.board_id if isinstance(news, Event) else news.get("board_id")
        return str(board_id) in map(str, self.group.board_ids)


PARTS = "groups/boards.html"


def view_of(actor: Actor, group: BoardGroup) -> GroupView:
    aside, options = asked(PLACE)
    number = request.args.get("tasks", "")
    limit = int(number) if number.isdecimal() and number in map(str, LIMITS) else 5
    return GroupView(
        actor=actor,
        pages=(PAGE, aside.page) if aside else (PAGE,),
        active=f"group-{group.id}",
        aside=aside.name if aside else "",
        options=options,
        group=group,
        wanted=GroupSnapshotQuery(per_board_task_limit=limit, include_done=bool(request.args.get("done"))),
        text=request.args.get("q", "").replace("\0", "").strip()[:200],
    )


@pages.get(GROUP)
async def show(group_id: UUID) -> ResponseReturnValue:
    actor, group = await on_group(group_id)
    seq = await head_of(group.organization_id)
    view, panel, stream = view_of(actor, group), "", ""
    aside, _ = asked(PLACE)
    if aside is not None:
        panel, stream = await opened(aside, view, seq, f"{view.url}{view.query()}")
        if wants_panel_alone():
            return panel_alone(panel)
    return await shell_page(
        actor,
        "groups/show.html",
        active=view.active,
        view=view,
        limits=LIMITS,
        regions=await rendered(PAGE, view),
        asides=asides(PLACE),
        panel=Markup(panel),
        panel_title=aside.title if aside else "",
        panel_base=view.url,
        live_url=f"{view.url}/live{view.query()}&after={seq}{'&' if stream else ''}{stream}",
    )


@pages.get(f"{GROUP}/live")
async def live(group_id: UUID) -> Response:
    actor, group = await on_group(group_id)
    view = view_of(actor, group)

    async def look(viewer: Actor, reads: Reads) -> GroupView | None:
        try:
            current = await reachable_group(viewer, group_id)
        except NotFound:
            return None
        return replace(view, actor=viewer, reads=reads, group=current)

    return await live_page(actor, look)


async def name(view: GroupView) -> str:
    return render_macro(PARTS, "about", group=view.group)


async def boards(view: GroupView) -> str:
    snapshot = await snapshot_of_group(view.actor, view.group, view.wanted)
    figures = {str(row["id"]): row for row in await board_rows(view.actor)}
    hidden = len(view.group.boards) - len(snapshot["boards"])
    visible = [one for one in snapshot["boards"] if view.shows(one["board"])]
    return render_macro(PARTS, "boards", view=view, boards=visible, figures=figures, hidden=hidden)


def _is_here(view: GroupView, news: News) -> bool:
    """Whether something happened in the group; a board that joined or left changes which boards that are."""
    if isinstance(news, Event) and news.kind.startswith("board_group."):
        return news.subject_id == view.group.id
    if isinstance(news, Event) and news.kind.startswith("board."):
        return str(view.group.id) in news.data or view.has_board(news)
    return view.has_board(news)


NEWS = ("task.", "approval.", "agent.", "board.", "board_group.", "member.")
PAGE_REGIONS = (
    Region(PAGE, "#group-name", Concerns[GroupView](("board_group.updated",), (), _is_here), name, swap="innerHTML"),
    Region(PAGE, "#group-boards", Concerns[GroupView](NEWS, ("agent_id",), _is_here), boards),
)


@pages.get(f"{GROUP}/pace")
async def pace_form(group_id: UUID) -> str:
    """Show how often the agents of a group report, and the form that sets it."""
    actor, group = await on_group(group_id)
    require(actor, "board_group.apply_heartbeat", group)
    return await _pace_page(actor, group, {"every": "10m", "unit": "m"}, {})


async def _pace_page(
    actor: Actor, group: BoardGroup, values: Fields, errors: dict[str, str], result: JsonObject | None = None
) -> str:
    names: dict[UUID | None, str] = {board.id: board.name for board in group.boards}
    agents = await Agent.filter(board_id__in=group.board_ids).order_by("name", "id")
    failed = set(result["failed_agent_ids"]) if result else set()
    return await shell_page(
        actor,
        "groups/pace.html",
        active=f"group-{group.id}",
        group=group,
        agents=[
            {
                "name": agent.name,
                "is_lead": agent.is_board_lead,
                "board": names[agent.board_id],
                "every": in_words(str((agent.heartbeat_config or {}).get("every", "10m"))),
                "has_failed": agent.id in failed,
            }
            for agent in agents
        ],
        paces=PACES,
        units=UNITS,
        values=values,
        errors=errors,
        result=result,
        every=in_words(result["requested"]["every"]) if result else "",
    )


@action(pages, f"{GROUP}/pace", form=PaceForm, at=reachable_group, shows=_pace_page)
async def apply_board_group_heartbeat(outcome: Outcome[BoardGroup, PaceForm]) -> ResponseReturnValue:
    """Set how often the agents report, and say for how many that was done."""
    return await _pace_page(outcome.actor, outcome.found, outcome.form.model_dump(), {}, outcome.answer)


ENTRIES = (
    PaletteEntry("Board groups", "/groups", "layers", "boards side by side", position=42),
    PaletteEntry("New board group", "/groups/new", "plus", position=31, group="Do", verb="board_group.create"),
)
