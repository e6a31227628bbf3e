"""The rows of the room `knowledge`."""

from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.core.actor import Scope
from mission_control.database.records import (
    Dated,
    Identified,
    Owned,
    UtcDatetimeField,
    json_field,
    nullable,
    only_reference,
    reference,
)

if TYPE_CHECKING:
    from mission_control.boards.models import Board


class Entry(Dated):
    """A chat message or a note. `HOME` is the field of its board or group, `EVENTS` begins the kinds of its events."""

    HOME: ClassVar[str]
    EVENTS: ClassVar[str]

    content = fields.TextField()
    tags = json_field(null=True)
    is_chat = fields.BooleanField(default=False)
    source = nullable(fields.TextField)
    author_user = reference("User", null=True, on_delete=fields.SET_NULL)
    author_agent = reference("Agent", null=True, on_delete=fields.SET_NULL)
    edited_at = UtcDatetimeField(null=True)

    author_user_id: UUID | None
    author_agent_id: UUID | None

    class Meta:
        abstract = True

    @property
    def home(self) -> "Board | BoardGroup":
        home: Board | BoardGroup = getattr(self, self.HOME)
        return home

    @classmethod
    def home_column(cls) -> str:
        return f"{cls.HOME}_id"

    def scope(self) -> Scope:
        """Return where an event about this entry belongs; `home` must be loaded."""
        board_id = getattr(self, "board_id", None)
        return Scope(organization_id=self.home.organization_id, board_id=board_id, subject_id=self.id)


class BoardMemory(Entry):
    """An entry for everybody on a board."""

    HOME, EVENTS = "board", "memory."
    board = reference("Board")
    board_id: UUID

    class Meta:
        table = "board_memory"
        indexes = (Index(fields=("board_id", "is_chat", "created_at")), Index(fields=("board_id", "created_at")))


class GroupMemory(Entry):
    """An entry for every board of a group."""

    HOME, EVENTS = "board_group", "group_memory."
    board_group = reference("BoardGroup")
    board_group_id: UUID

    class Meta:
        table = "board_group_memory"
        indexes = (
            Index(fields=("board_group_id", "is_chat", "created_at")),
            Index(fields=("board_group_id", "created_at")),
        )


class BoardGroup(Owned):
    """Boards that are planned together and share a memory. `boards` holds the live ones once they are loaded."""

    name = fields.TextField()
    slug = fields.TextField()
    description = nullable(fields.TextField)

    boards: "list[Board]"

    class Meta:
        table = "board_groups"
        indexes = (Index(fields=("organization_id", "created_at")),)

    @property
    def board_ids(self) -> list[UUID]:
        return [board.id for board in self.boards]


# Figures (`counting.py`): what metrics need of the log and of tasks, counted.
class FigureSum(Identified):
    """What happened on a board in an hour, a day, a month or ever; `period` is the beginning of a time, as text."""

    board = reference("Board")
    period = fields.CharField(max_length=14)
    # Living tasks by their status and the hour of their last change (in the inbox: of their creation).
    inbox = fields.BigIntField(default=0)
    in_progress = fields.BigIntField(default=0)
    review = fields.BigIntField(default=0)
    done = fields.BigIntField(default=0)
    reviews = fields.BigIntField(default=0)  # of those in review, the ones that were begun, and their times
    review_micros = fields.BigIntField(default=0)
    # From the log: tasks finished; those of them with a start, and their times; tasks moved to done; how many tasks
    # came to work less those that left it; events that count for the error rate, and failures among them.
    finished = fields.BigIntField(default=0)
    cycles = fields.BigIntField(default=0)
    cycle_micros = fields.BigIntField(default=0)
    moved = fields.BigIntField(default=0)
    work = fields.BigIntField(default=0)
    outcomes = fields.BigIntField(default=0)
    failures = fields.BigIntField(default=0)

    board_id: UUID

    class Meta:
        table = "figure_sums"
        unique_together = (("board_id", "period"),)


class FigureTask(Identified):
    """A task as it is counted: its row as it was then, and what the log says of it up to there. It has the task's id.

    `moment` is null for a deleted task, `entered_at` while it is not at work.
    """

    board = reference("Board")
    status = nullable(fields.CharField, max_length=16)
    moment = UtcDatetimeField(null=True)
    review_micros = nullable(fields.BigIntField)
    logged = fields.CharField(max_length=16)
    started_at = UtcDatetimeField(null=True)
    entered_at = UtcDatetimeField(null=True)

    board_id: UUID

    class Meta:
        table = "figure_tasks"
        indexes = (Index(fields=("board_id", "moment")),)


class FigureChange(Identified):
    """A task that came to work, left it, was finished or was moved to done: the amounts of `FigureSum`, one by one.

    It has the id of its event.
    """

    board = reference("Board")
    moment = UtcDatetimeField()
    work = fields.SmallIntField()
    finished = fields.SmallIntField()
    moved = fields.SmallIntField()
    cycle_micros = nullable(fields.BigIntField)

    board_id: UUID

    class Meta:
        table = "figure_changes"
        indexes = (Index(fields=("board_id", "moment", "cycle_micros")),)


class FiguresCounted(Model):
    """The number of its log up to which an organization is counted; -1 while its former figures are being removed."""

    organization = only_reference("Organization", primary_key=True)
    seq = fields.BigIntField()

    organization_id: UUID

    class Meta:
        table = "figures_counted"
