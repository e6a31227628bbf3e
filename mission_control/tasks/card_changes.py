"""What a board's page must change after news of its tasks: single cards, their order, and the counts."""

from typing import Any
from uuid import UUID

import orjson

from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.card_html import cards_html
from mission_control.tasks.card_rows import Card
from mission_control.tasks.columns import FIRST, Order
from mission_control.tasks.fields import FIELDS
from mission_control.web.fragments import partial, render_macro

TEMPLATE = "boards/columns.html"
LIMITS = "boards/limits.html"
AT_ONCE = 20  # cards; when more of them change, the columns are sent whole
# Kinds that leave every card in its place.
STILL = ("approval.", "task.comment", "task.checklist", "task.file_", "task.flagged", "task.unflagged")
STILL_FIELDS = {one.name for one in FIELDS if one.is_plain or (one.changed_by and not one.is_column)}
# Kinds that change many cards, or the columns around them.
WHOLE = ("agent.updated", "agent.deleted", "board.updated")


def may_move(event: Event) -> bool:
    """Whether an event may put a card into another place, onto the board or off it."""
    if event.kind.startswith(STILL) or not event.kind.startswith("task."):
        return False
    if event.kind != "task.updated":
        return True
    data = orjson.loads(event.data)
    fields = set(data.get("after") or ())
    return not (fields <= STILL_FIELDS if fields else "dependency_id" in data)


def moves_cards(view: BoardView, news: Event | dict[str, Any]) -> bool:
    """Whether news may change which cards a page shows, and where. Through a filter every change may."""
    return isinstance(news, Event) and (view.wanted.narrows or may_move(news))


def tasks_of(batch: Batch) -> frozenset[UUID]:
    """Return the tasks whose cards a batch may have changed."""
    found = {event.task_id for event in batch.events if event.task_id is not None}
    for event in batch.events:
        if event.kind.startswith("approval."):
            found |= {UUID(one) for one in orjson.loads(event.data).get("task_ids") or ()}
    return frozenset(found)


def agents_of(batch: Batch) -> frozenset[str]:
    """Return the agents that gave a sign of life."""
    return frozenset(str(signal["agent_id"]) for signal in batch.signals if "agent_id" in signal)


async def card_changes(view: BoardView, batch: Batch) -> str | None:
    """Return the cards that changed, with the order of the columns when it may have changed; None for everything."""
    ids, agent_ids = tasks_of(batch), agents_of(batch)
    if len(ids) > AT_ONCE or any(event.kind.startswith(WHOLE) for event in batch.events):
        return None
    if not any(moves_cards(view, event) for event in batch.events):
        cards, moves = await view.cards(ids, agent_ids), view.rights.may_write
        return "".join(partial(f"#task-{one.task_id}", cards_html([one], moves), "outerMorph") for one in cards)
    orders = await view.orders()
    cards = await view.cards(ids | _at_the_edge(orders, len(ids)), agent_ids)
    return _arranged(view, orders, cards) + await _counts(view, orders)


def _at_the_edge(orders: list[Order], count: int) -> set[UUID]:
    """The last of the first cards of each column: as many may have come into sight as have left."""
    return {one for order in orders for one in order.ids[FIRST - count : FIRST]}


def _arranged(view: BoardView, orders: list[Order], cards: list[Card]) -> str:
    """The order of every column, and in it the cards that changed, for the module `cards` of the page."""
    html = ""
    for order in orders:
        shown = set(order.ids)
        changed = [one for one in cards if one.status == order.status and one.task_id in shown]
        numbers = " ".join(map(str, order.numbers))
        inside = cards_html(changed, view.rights.may_write)
        html += f'<ul data-list="list-{order.status}" data-order="{numbers}">{inside}</ul>'
    return partial("#columns", html, "cards")


async def _counts(view: BoardView, orders: list[Order]) -> str:
    """How many tasks each column holds, whether more can be shown, and how much of a limit is used up."""
    html = ""
    for order in orders:
        more = render_macro(
            TEMPLATE, "more", board_id=view.board.id, status=order.status, total=order.total,
            shown=len(order.ids), wanted=view.wanted,
        )  # fmt: skip
        html += partial(f"#count-{order.status}", str(order.total), "innerHTML")
        html += partial(f"#more-{order.status}", more, "innerHTML")
    for status, usage in (await view.wip_usage()).items():
        limit = render_macro(
            LIMITS, "limit_of", board_id=view.board.id, status=status, usage=usage, may_write=view.rights.may_write
        )
        html += partial(f"#wip-{status}", limit, "outerMorph")
    return html
