"""The regions of a board's page."""

from collections.abc import Hashable
from uuid import UUID

import orjson
from markupsafe import Markup

from mission_control.boards.queries import people_of
from mission_control.boards.statuses import LABELS
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.gateways.models import Gateway
from mission_control.tasks.board.card_filter import OPEN
from mission_control.tasks.board.cards import MOST, Order, cards_html, columns_of, limit_of
from mission_control.tasks.board.view import (
    COLUMNS,
    PAGE,
    TABLE_PAGE,
    BoardView,
    is_no_notice,
    of_board,
    state_of_cards,
)
from mission_control.tasks.bulk.commands import SETTABLE
from mission_control.tasks.fields import FIELDS
from mission_control.tasks.tags.commands import tags_offered
from mission_control.web.fragments import as_html, partial, render_macro
from mission_control.web.regions import Concerns, Region, announcements

TEMPLATE = "boards/columns.html"
LIMITS, SHELF = "boards/limits.html", "boards/shelf.html"
AT_ONCE = 20  # cards; when more of them change, the columns are sent whole
# Kinds that leave every card in its place.
STILL = (
    "approval.",
    "task.comment",
    "task.checklist",
    "task.file_",
    "task.code_",
    "task.flagged",
    "task.unflagged",
    "task.linked",
    "task.unlinked",
)
STILL_FIELDS = {field.name for field in FIELDS if field.is_plain or (field.changed_by and not field.is_column)}
# Kinds that change many cards, or the columns around them.
WHOLE = ("agent.updated", "agent.deleted", "board.updated", "budget.")


def may_move(event: Event) -> bool:
    if event.kind.startswith(STILL) or not event.kind.startswith("task."):
        return False
    if event.kind != "task.updated":
        return True
    data = orjson.loads(event.data)
    fields = set(data.get("after") or ())
    return not (fields <= STILL_FIELDS if fields else {"dependency_id", "part_id"} & data.keys())


def moves_cards(view: BoardView, news: News) -> bool:
    """Whether news may change which cards a page shows, and where. Through a filter every change may."""
    if not isinstance(news, Event):
        return view.wanted.looks_at_signs
    return view.wanted.narrows or may_move(news)


def tasks_of(batch: Batch) -> frozenset[UUID]:
    task_ids = {event.task_id for event in batch.events if event.task_id is not None}
    for event in batch.events:
        if event.kind.startswith("approval."):
            task_ids |= {UUID(task_id) for task_id in orjson.loads(event.data).get("task_ids") or ()}
    task_ids |= {UUID(str(signal["opened"])) for signal in batch.signals if "opened" in signal}
    return frozenset(task_ids)


def agents_of(batch: Batch) -> frozenset[str]:
    return frozenset(str(signal["agent_id"]) for signal in batch.signals if "agent_id" in signal)


def sessions_of(batch: Batch) -> frozenset[str]:
    return frozenset(str(signal["session_id"]) for signal in batch.signals if "session_id" in signal)


async def card_changes(view: BoardView, batch: Batch) -> str | None:
    ids, agent_ids, session_ids = tasks_of(batch), agents_of(batch), sessions_of(batch)
    if len(ids) > AT_ONCE or any(event.kind.startswith(WHOLE) for event in batch.events):
        return None
    news: list[News] = [*batch.events, *batch.signals]
    if not any(moves_cards(view, item) for item in news):
        cards, moves = await view.cards(ids, agent_ids, session_ids), view.rights.may_write
        return "".join(partial(f"#task-{card.task_id}", cards_html([card], moves), "outerMorph") for card in cards)
    orders = await view.orders()
    # The last of the cards of each column that are shown: as many may have come into sight as have left.
    limits = {order.status: limit_of(view.wanted, order.status) for order in orders}
    edge = {
        task_id for order in orders for task_id in order.ids[limits[order.status] - len(ids) : limits[order.status]]
    }
    cards, html = await view.cards(ids | edge, agent_ids, session_ids), ""
    for order in orders:
        visible = set(order.ids)
        changed = [card for card in cards if card.status == order.status and card.task_id in visible]
        inside = cards_html(changed, view.rights.may_write)
        html += f'<ul data-list="list-{order.status}" data-order="{order.numbers}">{inside}</ul>'
    return partial("#columns", html, "cards") + await _counts(view, orders)


async def _counts(view: BoardView, orders: list[Order]) -> str:
    """How many tasks each column holds, whether more can be shown, and how much of a limit is used up."""
    html, board_id, may_write = "", view.board.id, view.rights.may_write
    for order in orders:
        status, total, count = order.status, order.total, len(order.rows)
        more = render_macro(
            TEMPLATE, "more", board_id=board_id, status=status, total=total, shown=count, wanted=view.wanted, most=MOST
        )
        html += partial(f"#count-{status}", str(total), "innerHTML")
        html += partial(f"#more-{status}", more, "innerHTML")
    for status, usage in (await view.wip_usage()).items():
        limit = render_macro(LIMITS, "limit_of", board_id=board_id, status=status, usage=usage, may_write=may_write)
        html += partial(f"#wip-{status}", limit, "outerMorph")
    return html


HEAD, WORK = "boards/head.html", "ui/work_state.html"
CREW = ("agent.created", "agent.updated", "agent.deleted")
GATEWAY_NEEDS = {
    "connecting": "is being connected",
    "pairing": "waits for pairing",
    "unreachable": "cannot be reached",
    "refused": "refuses the connection",
}
FEW = 5  # tasks on a board that is hardly begun
SIGN_OF_LIFE = ("agent_id",)


async def columns(view: BoardView) -> str:
    columns_ = await columns_of(view.board, view.wanted, view.viewer_id)
    return render_macro(
        TEMPLATE, "columns", board_id=view.board.id, columns=columns_, cards_html=cards_html, wanted=view.wanted,
        wip_usage=await view.wip_usage(), may_write=view.rights.may_write, most=MOST, shelf=Markup(await shelf(view)),
    )  # fmt: skip


async def shelf(view: BoardView) -> str:
    found, is_open = await view.proposals(), not (view.wanted.is_table or view.wanted.narrows)
    return render_macro(
        SHELF, "shelf", board_id=view.board.id, proposals=found, may_decide=view.rights.may_write, is_open=is_open
    )


async def board_name(view: BoardView) -> str:
    return as_html(view.board.name)


async def presence(view: BoardView) -> str:
    return render_macro(HEAD, "presence", board_id=view.board.id, crew=await view.crew())


async def presence_changes(view: BoardView, batch: Batch) -> str | None:
    """Only tasks that no agent works on change nothing here."""
    if batch.signals or any(event.kind.startswith("agent.") or may_move(event) for event in batch.events):
        return None
    cards = await view.cards(tasks_of(batch))
    return None if any(card.status == "in_progress" for card in cards) else ""


async def note(view: BoardView) -> str:
    counts, text = await view.counts(), view.wanted.text
    count, every, narrows = counts[text], counts[""], text not in ("", OPEN)
    lacks_agents = every <= FEW and not narrows and not await view.crew()
    needs_goal = not view.board.goal_confirmed
    is_new = not narrows and (not every or (every <= FEW and (lacks_agents or needs_goal)))
    return render_macro(
        HEAD, "note", board_id=view.board.id, is_new=is_new, has_tasks=bool(every), no_match=not count and narrows,
        lacks_agents=lacks_agents,
        done=every if every and not count and text == OPEN else 0, cleared=view.wanted.address(q="", all=""),
        may_write=view.rights.may_write, is_admin=view.rights.is_admin, needs_goal=needs_goal,
        has_gateway=view.board.gateway_id is not None,
    )  # fmt: skip


async def work_banner(view: BoardView) -> str:
    board, may_set, url = view.board, view.rights.may_write, f"/boards/{view.board.id}/work-state"
    return render_macro(
        WORK, "work_banner", thing=board, url=url, subject="This board is", may_set=may_set, whose=board.name
    )


async def work_actions(view: BoardView) -> str:
    if not view.rights.may_write:
        return ""
    url = f"/boards/{view.board.id}/work-state"
    return render_macro(WORK, "work_menu", thing=view.board, url=url, whose=view.board.name)


async def bulk_bar(view: BoardView) -> str:
    if not view.rights.may_write:
        return ""
    people, tags = await people_of(view.board), await tags_offered(view.board)
    fields = [field for field in SETTABLE.values() if field.name != "due_at"]  # days have a menu of their own
    crew, board_id = await view.crew(), view.board.id
    return render_macro(
        "boards/bulk_bar.html", "bar", board_id=board_id, crew=crew, people=people, tags=tags, fields=fields
    )


async def announcement(view: BoardView, batch: Batch) -> str:
    """Tell screen readers about the newest move that somebody else made."""
    moves = [event for event in batch.events if not view.did(event)]
    if not moves:
        return ""
    after = orjson.loads(moves[-1].data).get("after", {})
    title = (moves[-1].message or "").partition(": ")[2].rstrip(".")
    by = f" by {moves[-1].actor_name}" if moves[-1].actor_name else ""
    where = LABELS.get(after.get("status", ""), "another column")
    return f"{title} moved to {where}{by}."


async def gateway_line(view: BoardView) -> str:
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


def _rights(view: BoardView) -> tuple[object, ...]:
    return view.board.id, view.rights


def _changes_crew(view: BoardView, news: News) -> bool:
    if isinstance(news, Event) and news.kind.startswith(("task.", "approval.")):
        return is_no_notice(view, news) and moves_cards(view, news)
    return True


def _board(view: BoardView) -> tuple[object, ...]:
    return (view.board.id,)


def _view(view: BoardView) -> Hashable:
    return view.key


WORK_STATE = of_board("board.work_state_changed", "board.updated")
AT_WORK = (*SIGN_OF_LIFE, "session_id", "opened")
CARDS = of_board(
    "task.", "approval.", "session.", *CREW, "board.updated", "budget.", signals=AT_WORK, about=is_no_notice
)
PRESENCE = of_board("task.", "agent.", signals=SIGN_OF_LIFE, about=is_no_notice)
NOTE = of_board("task.", "approval.", *CREW, "board.updated", "onboarding.confirmed", about=_changes_crew)
MOVES = of_board("task.status_changed", "task.lease_expired")
GATEWAY = Concerns[BoardView](("board.updated", "gateway."), ("gateway_id",), _is_about_gateway)
REGIONS = (
    Region(PAGE, "#board-name", of_board("board.updated"), board_name, key=_board, swap="innerHTML"),
    Region(COLUMNS, "#columns", CARDS, columns, key=_view, changes=card_changes, state=state_of_cards),
    *(Region(page, "#proposals", of_board("proposal."), shelf, key=_view) for page in (COLUMNS, TABLE_PAGE)),
    Region(PAGE, "#presence", PRESENCE, presence, key=_board, changes=presence_changes),
    Region(PAGE, "#board-note", NOTE, note, key=_view),
    Region(PAGE, "#board-work", WORK_STATE, work_banner, key=_rights),
    Region(PAGE, "#board-work-actions", WORK_STATE, work_actions, key=_rights),
    Region(PAGE, "#bulk-slot", of_board(*CREW), bulk_bar, key=_rights),
    announcements(PAGE, of_board("task.status_changed", "task.lease_expired"), announcement),
    Region(PAGE, "#board-gateway", GATEWAY, gateway_line, key=_rights),
)
