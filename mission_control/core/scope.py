"""Where an event belongs: its organization, and the things it is about."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization whose log takes an event, and the things the event is about."""

    organization_id: UUID
    board_id: UUID | None = None
    task_id: UUID | None = None
    agent_id: UUID | None = None
    subject_id: UUID | None = None


class Scoped(Protocol):
    """Anything that knows where events about it belong."""

    def scope(self) -> Scope:
        """The scope of events about this thing."""
        ...
