"""The page of a group: its boards side by side, and how often its agents report."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.queries import board_rows
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.json import JsonObject
from mission_control.core.policy import can, require
from mission_control.groups.models import BoardGroup
from mission_control.groups.pages import GROUP, PACES, UNITS, PaceForm, group_of_page, in_words, on_group, pages
from mission_control.groups.queries import GroupSnapshotQuery, reachable_group, snapshot_of_group
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.web.actions import Outcome, action, again
from mission_control.web.asides import AsideView, asides, asked, opened, panel_alone, wants_panel_alone
from mission_control.web.forms import Fields, FormInvalid
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, live_page, rendered
from mission_control.web.shell import shell_page

PAGE, PLACE = "group", "group"
LIMITS = (0, 3, 5, 10)
MANY = 8  # boards; more of them can be searched


@dataclass(frozen=True, slots=True)
class GroupRights:
    may_change: bool
    may_pace: bool

    @classmethod
    def of(cls, actor: Actor, group: BoardGroup) -> "GroupRights":
        return cls(can(actor, "board_group.update", group), can(actor, "board_group.apply_heartbeat", group))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView(AsideView):
    """A group's page at this moment: which boards it shows, how many tasks of each, and whether done ones too."""

    group: BoardGroup
    rights: GroupRights
    wanted: GroupSnapshotQuery
    text: str = ""

    @property
    def url(self) -> str:
        return f"/groups/{self.group.id}"

    @property
    def is_searched(self) -> bool:
        """Whether there are so many boards that the page offers to search them."""
        return len(self.group.boards) > MANY or bool(self.text)

    def query(self, **changes: object) -> str:
        """Return the query of the address, without what stands beside the boards."""
        said = {
            "tasks": self.wanted.per_board_task_limit,
            "done": "1" if self.wanted.include_done else "",
            "q": self.text,
        } | changes
        return f"?{urlencode({name: value for name, value in said.items() if value != ''})}"

    def shows(self, board: Board) -> bool:
        """Whether a text that is searched for stands in a board's name or description."""
        return any(self.text.casefold() in str(part or "").casefold() for part in (board.name, board.description))

    def has_board(self, news: Event | dict[str, object]) -> bool:
        """Whether something happened on a board of the group."""
        board_id = news.board_id if isinstance(news, Event) else news.get("board_id")
        return str(board_id) in {str(board.id) for board in self.group.boards}


PARTS = "groups/boards.html"


def view_of(actor: Actor, group: BoardGroup, reads: Reads | None = None) -> GroupView:
    """Return a group's page as the address asks for it."""
    aside, options = asked(PLACE)
    number = request.args.get("tasks", "")
    limit = int(number) if number.isdecimal() and number in map(str, LIMITS) else 5
    return GroupView(
        actor=actor,
        pages=(PAGE, aside.page) if aside else (PAGE,),
        active=f"group-{group.id}",
        reads=reads or Reads(),
        aside=aside.name if aside else "",
        options=options,
        group=group,
        rights=GroupRights.of(actor, group),
        wanted=GroupSnapshotQuery(per_board_task_limit=limit, include_done=bool(request.args.get("done"))),
        text=request.args.get("q", "").replace("\0", "").strip()[:200],
    )


@pages.get(GROUP)
async def show(group_id: UUID) -> ResponseReturnValue:
    """Show a group."""
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
    """Keep the page of a group live."""
    actor, group = await on_group(group_id)
    shown = view_of(actor, group)

    async def look(viewer: Actor, reads: Reads) -> GroupView | None:
        try:
            found = await reachable_group(viewer, group_id)
        except NotFound:
            return None
        return replace(shown, actor=viewer, reads=reads, group=found, rights=GroupRights.of(viewer, found))

    return await live_page(actor, look)


async def name(view: GroupView) -> str:
    return render_macro(PARTS, "about", group=view.group)


async def boards(view: GroupView) -> str:
    snapshot = await snapshot_of_group(view.actor, view.group, view.wanted)
    figures = {str(row["id"]): row for row in await board_rows(view.actor)}
    hidden = len(view.group.boards) - len(snapshot["boards"])
    shown = [one for one in snapshot["boards"] if view.shows(one["board"])]
    return render_macro(PARTS, "boards", view=view, boards=shown, figures=figures, hidden=hidden)


def _is_here(view: GroupView, news: Event | dict[str, object]) -> bool:
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
    agents = await Agent.filter(board_id__in=[board.id for board in group.boards]).order_by("name", "id")
    failed = set(result["failed_agent_ids"]) if result else set()
    return await shell_page(
        actor,
        "groups/pace.html",
        active=f"group-{group.id}",
        group=group,
        agents=[
            {
                "name": one.name,
                "is_lead": one.is_board_lead,
                "board": names[one.board_id],
                "every": in_words(str((one.heartbeat_config or {}).get("every", "10m"))),
                "has_failed": one.id in failed,
            }
            for one in agents
        ],
        paces=PACES,
        units=UNITS,
        values=values,
        errors=errors,
        result=result,
        every=in_words(result["requested"]["every"]) if result else "",
    )


@action(pages, f"{GROUP}/pace", form=PaceForm, at=group_of_page, refused=again(_pace_page, FormInvalid))
async def apply_board_group_heartbeat(outcome: Outcome[BoardGroup, PaceForm]) -> ResponseReturnValue:
    """Set how often the agents report, and say for how many that was done."""
    return await _pace_page(outcome.actor, outcome.found, outcome.form.model_dump(), {}, outcome.answer)
