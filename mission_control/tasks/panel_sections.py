"""Sections of a task's panel that features above tasks fill: each by its name, as a live region."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class PanelTask:
    """The task that a panel shows, and whether its reader may change it."""

    id: UUID
    board_id: UUID
    may_write: bool

    @property
    def url(self) -> str:
        """Where the task is."""
        return f"/boards/{self.board_id}/tasks/{self.id}"


# The HTML of each section; an empty text hides it.
SECTIONS: dict[str, Callable[[PanelTask], Awaitable[str]]] = {}


async def sections_of(task: PanelTask) -> dict[str, Markup]:
    """Every section's HTML by its name."""
    return {name: Markup(await render(task)) for name, render in SECTIONS.items()}
