"""The kinds of needs: how each is found, and how it is said. Features list theirs in `Feature.needs`."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.substance import Parts
from mission_control.live.log import NewEvent
from mission_control.live.models import Event
from mission_control.needs.schemas import GROUPS, Group, Kind, Need

NO_LIMIT = "CAST(NULL AS TIMESTAMP)"  # SQL: nothing happens by itself

Include = Literal["waiting", "snoozed", "all"]


@dataclass(frozen=True, slots=True)
class Key:
    """Where one need stands in the list, before it is said."""

    kind: Kind
    id: UUID
    since: datetime
    board_id: UUID | None
    version: str
    snoozed_until: datetime | None = None
    is_snoozed: bool = False
    is_older: bool = False

    @property
    def name(self) -> str:
        """Its id for the outside."""
        return f"{self.kind}:{self.id}"

    @property
    def digest(self) -> str:
        """Its version for the outside."""
        return hashlib.sha256(self.version.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Page:
    """Some needs of one kind that are to be said, for one person."""

    actor: Actor
    keys: Sequence[Key]
    boards: Mapping[UUID, Board]
    now: datetime

    @property
    def ids(self) -> list[UUID]:
        """The ids of what they are about."""
        return [key.id for key in self.keys]


@dataclass(frozen=True, slots=True)
class Seeker:
    """For whom needs are found: one person, or everybody in the organization (`user_id` is None)."""

    organization_id: UUID
    user_id: UUID | None
    is_admin: bool


# Returns the SELECT that finds them and its values, None where this person can have none. Its columns are
# `'<kind>' AS kind, id, since, board_id, owner_id, act_by, version`; boards are those of the table `mine` (id). Only
# needs of one person have an owner; `act_by` is when something happens without an answer.
Find = Callable[[Seeker], tuple[str, list[Any]] | None]
Say = Callable[[Page], Awaitable[list[Need]]]
# Returns what the needs with some ids decide about: see `core/substance.py`.
Decides = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, Parts]]]
# Locks what a need is about until the running command ends; a no-op when it is gone.
Hold = Callable[[UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NeedKind:
    """One kind of needs: what people do with it, how it is found, how it is said, what an answer decides about, and
    what it locks first.

    `concerns` are the kinds of events, by how they begin, and `signals` the names in signals that change it.
    """

    kind: Kind
    group: Group
    find: Find
    say: Say
    decides: Decides
    concerns: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    is_for_admins: bool = False
    hold: Hold | None = None

    @property
    def place(self) -> int:
        """The place of its group in the list."""
        return GROUPS.index(self.group)


def concerns() -> tuple[str, ...]:
    """Return how the kinds of events begin that concern some kind of need."""
    return tuple({name for one in KINDS.values() for name in one.concerns})


def may_change_needs(event: Event | NewEvent) -> bool:
    """Return whether an event of a kind that concerns needs can change one: comments of agents do not, and are many."""
    return event.kind != "task.comment" or event.actor_kind == "user"


# Of the installed features.
KINDS: dict[Kind, NeedKind] = {}


def install_kind(one: NeedKind) -> None:
    """Make a kind count; raises RuntimeError when a feature declared it already."""
    if one.kind in KINDS:
        raise RuntimeError(f"Two features declare needs of the kind {one.kind}.")
    KINDS[one.kind] = one
