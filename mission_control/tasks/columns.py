"""The cards of a board: whole columns, single cards, and the order in which they stand."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.statuses import STATUSES, TaskStatus
from mission_control.database.sql import placeholders, select
from mission_control.tasks.card_filter import CardFilter
from mission_control.tasks.card_rows import CARD, JOINS, Card, cards_from, with_substances

FIRST = 50  # cards of a column, until somebody asks for all

# The tasks that a filter leaves on a board, with the place of each in its column.
PLACED = """
SELECT t.id, t.number, t.status,
    ROW_NUMBER() OVER (PARTITION BY t.status ORDER BY t.position, t.created_at DESC) AS place,
    COUNT(*) OVER (PARTITION BY t.status) AS total
FROM tasks t
WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL
"""


@dataclass(slots=True)
class PlacedRow:
    """A task in its column, and how many tasks the column holds."""

    id: UUID
    number: int
    status: TaskStatus
    total: int


@dataclass(slots=True)
class Column:
    """One column: its first cards, and how many tasks it holds in all."""

    status: str
    total: int = 0
    cards: list[Card] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """How the cards of a column stand: their numbers from the top, their ids, and how many tasks it holds in all."""

    status: str
    total: int = 0
    numbers: list[int] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)


async def columns_of(board: Board, wanted: CardFilter, viewer_id: UUID | None) -> list[Column]:
    """Return the four columns with their first cards by position."""
    placed, values = _placed(board, wanted, viewer_id)
    found = await select(
        Card,
        f"WITH placed AS ({placed}) {CARD}, q.total FROM placed q JOIN tasks t ON t.id = q.id {JOINS}"
        f" WHERE {_first(wanted)} ORDER BY q.status, q.place, a.created_at, a.id",
        *values,
        *wanted.whole,
    )
    columns = {status: Column(status) for status in STATUSES}
    for card in await with_substances([*cards_from(found)]):
        column = columns[card.status]
        column.total = card.total
        column.cards.append(card)
    return list(columns.values())


async def orders_of(board: Board, wanted: CardFilter, viewer_id: UUID | None) -> list[Order]:
    """Return how the cards of the four columns stand, in one statement."""
    placed, values = _placed(board, wanted, viewer_id)
    orders = {status: Order(status) for status in STATUSES}
    for row in await select(
        PlacedRow,
        f"WITH placed AS ({placed}) SELECT q.id, q.number, q.status, q.total FROM placed q"
        f" WHERE {_first(wanted)} ORDER BY q.status, q.place",
        *values,
        *wanted.whole,
    ):
        order = orders[row.status]
        order.total = row.total
        order.numbers.append(row.number)
        order.ids.append(row.id)
    return list(orders.values())


async def cards_of(
    board: Board, wanted: CardFilter, viewer_id: UUID | None, ids: Collection[UUID], agent_ids: Collection[str] = ()
) -> list[Card]:
    """Return those of these tasks, and of what these agents work on, that the filter leaves on the board."""
    narrowed, values = wanted.conditions(viewer_id)
    chosen = [f"t.id IN ({placeholders(len(ids))})"] if ids else []
    if agent_ids:
        chosen.append(f"t.status = 'in_progress' AND t.assigned_agent_id IN ({placeholders(len(agent_ids))})")
    found = await select(
        Card,
        f"{CARD} FROM tasks t {JOINS} WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        f" AND ({' OR '.join(chosen)}){narrowed} ORDER BY t.number, a.created_at, a.id",
        board.id,
        *ids,
        *agent_ids,
        *values,
    )
    return await with_substances([*cards_from(found)])


def _placed(board: Board, wanted: CardFilter, viewer_id: UUID | None) -> tuple[str, list[Any]]:
    narrowed, values = wanted.conditions(viewer_id)
    return PLACED + narrowed, [board.id, *values]


def _first(wanted: CardFilter) -> str:
    """The condition for the cards that the page shows."""
    unlimited = f" OR q.status IN ({placeholders(len(wanted.whole))})" if wanted.whole else ""
    return f"(q.place <= {FIRST}{unlimited})"
