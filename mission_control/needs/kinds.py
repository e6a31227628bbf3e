"""The kinds of needs: how each is found and said, and what its answers do. Each is an object in its room."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from markupsafe import Markup
from tortoise.models import Model

from mission_control.core import times
from mission_control.core.actor import Actor, BoardLike
from mission_control.core.extensions import Part
from mission_control.core.substance import Parts
from mission_control.core.values import JsonObject
from mission_control.database.sql import Condition
from mission_control.events.event_log import NewEvent
from mission_control.events.models import Event
from mission_control.needs.schemas import GLYPHS, Group, Need

type Boards = Mapping[UUID, BoardLike]
type Words = Mapping[UUID, AnswerWords]

NULL_ID = "CAST(NULL AS UUID)"

Urgency = Literal["blocks", "waits", "digest"]
GROUPS: tuple[Group, ...] = ("answer", "review", "unblock", "paused", "own")


@dataclass(frozen=True, slots=True)
class Key:
    """Where one need stands in the list, before it is said."""

    kind: str
    id: UUID
    since: datetime
    board_id: UUID | None
    version: str
    snoozed_until: datetime | None = None
    is_snoozed: bool = False
    is_older: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.version.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Page:
    """Some needs of one kind that are to be said, for one person; boards by name."""

    actor: Actor
    keys: Sequence[Key]
    boards: Mapping[UUID, str]
    now: datetime

    @property
    def ids(self) -> list[UUID]:
        return [key.id for key in self.keys]

    @property
    def board_ids(self) -> list[UUID]:
        return list({key.board_id for key in self.keys if key.board_id is not None})


@dataclass(frozen=True, slots=True)
class Seeker:
    """For whom needs are found: one person, or everybody in the organization (`user_id` is None)."""

    organization_id: UUID
    user_id: UUID | None
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """SQL that finds needs of a kind: expressions, and the rest of the statement from its FROM on, with its values.

    Boards on which the seeker may act are those of the table `mine` (id). Only needs of one person have an owner;
    `act_by` is when something happens without an answer.
    """

    rest: str
    values: Sequence[object] = ()
    id: str = "t.id"
    since: str = "NULL"
    version: str = "''"
    board_id: str = NULL_ID
    owner_id: str = NULL_ID
    act_by: str = "CAST(NULL AS TIMESTAMP)"

    def sql(self, kind: str, *, only_where: bool = False) -> str:
        """Return the statement; with `only_where` without what each needs another look for, to be counted."""
        more = f", {self.id} AS id, {self.since} AS since, {self.act_by} AS act_by, {self.version} AS version"
        return (
            f"SELECT '{kind}' AS kind, {self.board_id} AS board_id, {self.owner_id} AS owner_id"
            f"{'' if only_where else more} {self.rest}"
        )


@dataclass(frozen=True, slots=True)
class Last:
    """The last thing that happened to what a need was about."""

    kind: str
    actor_id: UUID | None
    actor: str | None
    created_at: datetime
    data: JsonObject
    surface: str = ""  # where: on a page, by MCP, in a chat

    def sentence(self, endings: Mapping[str, str], *, with_age: bool = True) -> str:
        """Return who did what, and when: `Mara approved this 3 s ago.` Without its age it can be kept.

        `endings` have the words by the kind of event, and by a decision or a new status, after `=`.
        """
        after = self.data.get("after")
        status = after.get("status") if isinstance(after, dict) else None
        words = endings.get(f"={self.data.get('decision') or status}", endings[self.kind])
        why = f" {self.data['note']}" if self.kind.endswith(".closed") else ""
        done = f"{words} {times.ago(self.created_at)}" if with_age else words.removesuffix(",")
        return f"{self.actor or 'Somebody'} {done}.{why}"


@dataclass(frozen=True, slots=True)
class AskedNeed:
    """What somebody wants to answer: it waits (`key`), or it waited."""

    kind: str
    id: UUID
    board_id: UUID | None
    key: Key | None

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Something that shows the result: a link, or a figure."""

    icon: str
    name: str
    state: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What is behind a need: its words, what shows the result, what its asker rates, and what it attached.

    `in_full` is all that it attached, in plain text.
    """

    says: str = ""
    proofs: Sequence[Proof] = ()
    sure: Sequence[str] = ()
    shown: object = None
    in_full: str = ""
    has_diffs: bool = False


@dataclass(frozen=True, slots=True)
class AnswerWords:
    title: str
    url: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers of people are found in the table of a kind, in SQL; `words` say what somebody did, by decision.

    `outside` finds those that were given at a program, by somebody whom `name` names.
    """

    at: str
    by: str
    where: str
    otherwise: str
    decision: str = "NULL"
    outside: str = ""
    name: str = "NULL"
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When somebody is asked until `decide_by` of the table: SQL for what waits, its model, and the command at the end.

    The command is a no-op when something was answered, or another process ended the deadline. `go_on` is the command
    that asks others while nobody has looked, or when somebody who was asked is away.
    """

    waits: str
    model: type[Model]
    end: Callable[[Actor, Any], Awaitable[None]]
    go_on: Callable[[Actor, Any], Awaitable[None]]


MOST_QUEUED = 100  # of a kind that wait in a queue, the oldest


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue on a page: its boards, when it was opened, and its address."""

    boards: Sequence[BoardLike]
    show_board: bool
    is_of_one_board: bool
    opened: datetime
    url: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One rendered row of the queue, when it was created, and whether it is pending."""

    created_at: datetime
    is_pending: bool
    html: Markup


class NeedKind[T](Part):
    """A kind of needs. `position` is its place among the kinds of its group, `table` has a row for each.

    `title` names it where people choose how they are told of it. `glyph` is its icon on pages, with a tone. `urgency`
    says how it is sent to people: it `blocks` an agent, `waits` for a person, or belongs into a `digest`. `brief` is
    what its agent does, where no text of a board is shown.

    `concerns` are the kinds of events, by how they begin, and `signals` the names in signals that change it. `endings`
    say by kinds of events what ended it: see `Last.sentence`. Where admins are asked, the table has the organization;
    what `is_personal` is of no board, and its table has the user.
    `is_kept`: its words follow from its board's log, its place in the list and the minute, and are kept as long.
    """

    kind: str
    group: Group
    position: int
    title: str
    glyph: tuple[str, str]
    urgency: Urgency = "blocks"
    brief: str = ""
    table: str
    concerns: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    is_for_admins: bool = False
    is_personal: bool = False
    takes_back: bool = False
    is_kept: bool = False
    endings: Mapping[str, str] = {}
    deadline: Deadline | None = None
    answers: Answers | None = None

    def install(self) -> None:
        if self.kind in KINDS:
            raise RuntimeError(f"Needs of the kind {self.kind} are declared twice.")
        kinds = sorted([*KINDS.values(), self], key=lambda kind: kind.place)
        KINDS.clear()
        KINDS.update({kind.kind: kind for kind in kinds})
        GLYPHS.clear()
        GLYPHS.update({kind.kind: kind.glyph for kind in kinds})

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        raise NotImplementedError

    async def read(self, page: Page) -> Mapping[UUID, T]:
        raise NotImplementedError

    def say(self, page: Page, key: Key, known: T) -> Need:
        raise NotImplementedError

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        raise NotImplementedError

    def done_for(self) -> str:
        """Return SQL that finds for whom a need on the boards of `mine` is done, though it waits for others.

        Its columns are user_id, subject_id and board_id. Empty where the first answer ends a need.
        """
        return ""

    async def missing(self, subject: UUID) -> int:
        """Return from how many people an answer is missing still, after one was given."""
        return 0

    async def withdraw(self, actor: Actor, board_id: UUID, subject: UUID) -> bool:
        """Take back a person's own answer to what waits for others still. Return False when there is none."""
        return False

    async def hold(self, subject: UUID) -> None:
        """Lock what a need is about until the running command ends; a no-op when it is gone."""

    async def ended(self, subject: UUID, *, with_age: bool = True) -> str | None:
        """Return a sentence about what ended it, with its age or to be kept; None where events say that."""
        return None

    async def undo(self, actor: Actor, board_id: UUID, subject: UUID, last: Last) -> None:
        """Take back the answer that a person gave last, where `takes_back`. Raise Invalid where that cannot be."""

    def begins(self, since: datetime, until: datetime) -> Condition | None:
        """Return SQL for what begins to wait by itself between two moments, and its values.

        Its columns are organization_id, and the name in a signal and its value.
        """
        return None

    async def details(self, actor: Actor, board: BoardLike, subject: UUID) -> Details | None:
        """Return the words behind a need, for Home's peek."""
        return None

    async def in_words(self, actor: Actor, boards: Boards, ids: Sequence[UUID]) -> Words:
        return {}

    async def queue_rows(self, actor: Actor, view: QueueView) -> list[QueueRow]:
        return []

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the list: that of its group, and in it."""
        return GROUPS.index(self.group), self.position


# The installed kinds, in the order of the list.
KINDS: dict[str, NeedKind[Any]] = {}


def may_change_needs(event: Event | NewEvent) -> bool:
    """Return whether an event concerns some kind of need: comments of agents do not, and are many."""
    concerns = tuple({name for kind in KINDS.values() for name in kind.concerns})
    return event.kind.startswith(concerns) and (event.kind != "task.comment" or event.actor_kind == "user")
