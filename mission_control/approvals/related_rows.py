"""What other features put beside approvals into the queue of what waits for people."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mission_control.boards.models import Board
from mission_control.core.actor import Actor


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue on a page: whose boards it shows, since when it is open, and where it is."""

    boards: list[Board]
    opened: datetime
    url: str
    show_board: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in the queue, rendered: since when it is there, and whether it still waits."""

    created_at: datetime
    is_pending: bool
    html: Markup


# What waits in a place, and what ended there since it was opened.
RowProvider = Callable[[Actor, QueueView], Awaitable[list[Row]]]
# Of the installed features.
PROVIDERS: list[RowProvider] = []


async def related_rows(actor: Actor, view_of_queue: QueueView) -> list[Row]:
    """Everything that the features have for a queue."""
    return [row for provide in PROVIDERS for row in await provide(actor, view_of_queue)]
