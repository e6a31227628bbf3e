"""Rows of other features in the queue of approvals."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mission_control.boards.models import Board
from mission_control.core.actor import Actor


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue on a page: its boards, when it was opened, and its address."""

    boards: list[Board]
    opened: datetime
    url: str
    show_board: bool
    is_of_one_board: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One rendered row of the queue, when it was created, and whether it is pending."""

    created_at: datetime
    is_pending: bool
    html: Markup


# The pending rows of a queue, and those that were decided since it was opened.
RowProvider = Callable[[Actor, QueueView], Awaitable[list[Row]]]
# Of the installed features.
PROVIDERS: list[RowProvider] = []


async def related_rows(actor: Actor, view_of_queue: QueueView) -> list[Row]:
    """Return the rows of all features for a queue."""
    return [row for provide in PROVIDERS for row in await provide(actor, view_of_queue)]
