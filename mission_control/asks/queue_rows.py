"""Rows of other kinds in the queue of approvals."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from mission_control.asks.kinds import KINDS
from mission_control.core.actor import Actor

if TYPE_CHECKING:
    from mission_control.boards.models import Board


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue on a page: its boards, when it was opened, and its address."""

    boards: "list[Board]"
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


async def related_rows(actor: Actor, view: QueueView) -> list[Row]:
    """Return the pending rows of all kinds for a queue, and those that were decided since it was opened."""
    return [row for kind in KINDS.values() for row in await kind.queue_rows(actor, view)]
