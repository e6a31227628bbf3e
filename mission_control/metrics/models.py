"""Figures (`counting.py`): what metrics need of the log and of tasks, counted."""

from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.database.records import Identified, UtcDatetimeField, nullable, only_reference, reference

if TYPE_CHECKING:
    pass


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
