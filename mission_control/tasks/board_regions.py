"""The regions of a board's page."""

from typing import Any

import orjson
from markupsafe import escape

from mission_control.boards.cards import people_of
from mission_control.boards.statuses import LABELS
from mission_control.gateways.models import Gateway
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.board_view import COLUMNS as COLUMNS_PAGE
from mission_control.tasks.board_view import NOTICES, PAGE, BoardView, News, on_board
from mission_control.tasks.bulk_undo import SETTABLE
from mission_control.tasks.card_changes import card_changes, may_move, moves_cards, tasks_of
from mission_control.tasks.card_filter import OPEN
from mission_control.tasks.card_html import cards_html
from mission_control.tasks.columns import columns_of
from mission_control.tasks.query_page import tags_of_organization
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Concerns, Region

COLUMNS, HEAD, WORK = "boards/columns.html", "boards/head.html", "ui/work_state.html"
MOVES = ("task.status_changed", "task.lease_expired")
CREW = ("agent.created", "agent.updated", "agent.deleted")
GATEWAY_NEEDS = {
    "connecting": "is being connected",
    "pairing": "waits for pairing",
    "unreachable": "cannot be reached",
    "refused": "refuses the connection",
}
FEW = 5  # tasks on a board that is hardly begun
SIGN_OF_LIFE = ("agent_id",)


def _is_no_notice(_view: BoardView, news: News) -> bool:
    return not (isinstance(news, Event) and news.kind.endswith(NOTICES))


async def columns(view: BoardView) -> str:
    """Return all columns with their cards."""
    return render_macro(
        COLUMNS,
        "columns",
        board_id=view.board.id,
        columns=await columns_of(view.board, view.wanted, view.viewer_id),
        cards_html=cards_html,
        wip_usage=await view.wip_usage(),
        may_write=view.rights.may_write,
        wanted=view.wanted,
    )


async def board_name(view: BoardView) -> str:
    """Return the name of the board."""
    return str(escape(view.board.name))


async def presence(view: BoardView) -> str:
    """Return who is online, and on which task each works."""
    return render_macro(HEAD, "presence", board_id=view.board.id, crew=await view.crew())


async def presence_changes(view: BoardView, batch: Batch) -> str | None:
    """Return nothing when only tasks changed that no agent works on."""
    if batch.signals or any(event.kind.startswith("agent.") or may_move(event) for event in batch.events):
        return None
    cards = await view.cards(tasks_of(batch))
    return None if any(one.status == "in_progress" for one in cards) else ""


async def note(view: BoardView) -> str:
    """Return the first steps on an empty board, the next one while it has few tasks, or that nothing matches."""
    counts, text = await view.counts(), view.wanted.text
    found, every, narrows = counts[text], counts[""], text not in ("", OPEN)
    return render_macro(
        HEAD,
        "note",
        board_id=view.board.id,
        is_new=not every and not narrows,
        lacks_agents=every <= FEW and not narrows and not await view.crew(),
        no_match=not found and narrows,
        done=every if every and not found and text == OPEN else 0,
        cleared=view.wanted.address(q="", all=""),
        may_write=view.rights.may_write,
        is_admin=view.rights.is_admin,
        needs_goal=not view.board.goal_confirmed,
        has_gateway=view.board.gateway_id is not None,
    )


async def work_banner(view: BoardView) -> str:
    """Return that the board's agents are paused or stopped, since when and why, with the way out."""
    about: dict[str, Any] = {"thing": view.board, "url": f"/boards/{view.board.id}/work-state"}
    may_set, whose = view.rights.may_write, view.board.name
    return render_macro(WORK, "work_banner", subject="This board is", may_set=may_set, whose=whose, **about)


async def work_actions(view: BoardView) -> str:
    """Return the items of the menu that pause and stop the board's agents."""
    if not view.rights.may_write:
        return ""
    url = f"/boards/{view.board.id}/work-state"
    return render_macro(WORK, "work_menu", thing=view.board, url=url, whose=view.board.name)


async def bulk_bar(view: BoardView) -> str:
    """Return what can be done with several tasks at once."""
    if not view.rights.may_write:
        return ""
    people, tags = await people_of(view.board), await tags_of_organization(view.board)
    fields = [one for one in SETTABLE.values() if one.name != "due_at"]  # days have a menu of their own
    return render_macro(
        "boards/bulk_bar.html",
        "bar",
        board_id=view.board.id,
        crew=await view.crew(),
        people=people,
        tags=tags,
        fields=fields,
    )


async def silence(_view: BoardView) -> None:
    """Return nothing: a page that is opened announces nothing."""


async def announcement(view: BoardView, batch: Batch) -> str:
    """Return a sentence for screen readers about the newest move that somebody else made."""
    moves = [one for one in batch.events if one.actor_id != view.actor.id]
    if not moves:
        return ""
    after = orjson.loads(moves[-1].data).get("after", {})
    title = (moves[-1].message or "").partition(": ")[2].rstrip(".")
    by = f" by {moves[-1].actor_name}" if moves[-1].actor_name else ""
    where = LABELS.get(after.get("status", ""), "another column")
    return partial("#announcements", str(escape(f"{title} moved to {where}{by}.")), "innerHTML")


async def gateway_line(view: BoardView) -> str:
    """Return what the gateway of a board needs, nothing while it is connected."""
    if view.board.gateway_id is None:
        return ""
    gateway = await Gateway.get_or_none(id=view.board.gateway_id, organization_id=view.board.organization_id)
    if gateway is not None and gateway.state == "connected":
        return ""
    name, state = (gateway.name, gateway.state) if gateway else ("", "")
    may_open = gateway is not None and view.rights.is_admin
    url = f"/gateways/{view.board.gateway_id}" if may_open else ""
    needs = GATEWAY_NEEDS.get(state, "is gone")
    return render_macro("boards/gateway.html", "gateway_line", name=name, state=state, needs=needs, url=url)


def _is_about_gateway(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        return news.board_id == view.board.id or news.subject_id == view.board.gateway_id
    return news.get("gateway_id") == str(view.board.gateway_id)


def _rights(view: BoardView) -> tuple[Any, ...]:
    return view.board.id, view.rights


def _changes_crew(view: BoardView, news: News) -> bool:
    if isinstance(news, Event) and news.kind.startswith(("task.", "approval.")):
        return _is_no_notice(view, news) and moves_cards(view, news)
    return True


def _board(view: BoardView) -> tuple[Any, ...]:
    return (view.board.id,)


WORK_STATE = on_board("board.work_state_changed", "board.updated")
REGIONS = (
    Region(PAGE, "#board-name", on_board("board.updated"), board_name, key=_board, swap="innerHTML"),
    Region(
        COLUMNS_PAGE,
        "#columns",
        on_board("task.", "approval.", *CREW, "board.updated", signals=SIGN_OF_LIFE, about=_is_no_notice),
        columns,
        key=lambda view: view.key,
        changes=card_changes,
    ),
    Region(
        PAGE,
        "#presence",
        on_board("task.", "agent.", signals=SIGN_OF_LIFE, about=_is_no_notice),
        presence,
        key=_board,
        changes=presence_changes,
    ),
    Region(
        PAGE,
        "#board-note",
        on_board(
            "task.",
            "approval.",
            *CREW,
            "board.updated",
            "onboarding.confirmed",
            about=_changes_crew,
        ),
        note,
        key=lambda view: view.key,
    ),
    Region(PAGE, "#board-work", WORK_STATE, work_banner, key=_rights),
    Region(PAGE, "#board-work-actions", WORK_STATE, work_actions, key=_rights),
    Region(PAGE, "#bulk-slot", on_board(*CREW), bulk_bar, key=_rights),
    Region(PAGE, "#announcements", on_board(*MOVES), silence, changes=announcement),
    Region(
        PAGE,
        "#board-gateway",
        Concerns[BoardView](("board.updated", "gateway."), ("gateway_id",), _is_about_gateway),
        gateway_line,
        key=_rights,
    ),
)
