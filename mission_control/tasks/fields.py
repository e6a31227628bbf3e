"""The fields of a task, declared once.

The table below is read by the bodies and answers of the API (`schemas.py`), by changes and their rules (`changes.py`,
`rules.py`), by rows and answers (`queries.py`), by the board's file and spreadsheet (`exports/`), by the tools of MCP,
by the sentences of `activity/sentences.py` and by the forms of pages (`forms.py`). A new column touches the
model, this table, a migration, and the template that shows it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from mission_control.boards.days import day_of, end_of_day
from mission_control.boards.priorities import Priority, canonical
from mission_control.boards.statuses import TaskStatus
from mission_control.core import clock, zones
from mission_control.core.declared import REQUIRED, DeclaredField, answered, changed, created
from mission_control.core.schemas import Moment, OptionalText
from mission_control.tags.schemas import TagRef
from mission_control.tasks.waiting import WaitingReason


def _unique(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


Ids = Annotated[list[UUID], AfterValidator(_unique)]


class Role(StrEnum):
    """Who changes a task: each has a rule set of its own."""

    PERSON = "person"
    LEAD = "lead"
    WORKER = "worker"


NOBODY: frozenset[Role] = frozenset()
PEOPLE = frozenset({Role.PERSON})
PEOPLE_AND_LEADS = frozenset({Role.PERSON, Role.LEAD})
PEOPLE_AND_WORKERS = frozenset({Role.PERSON, Role.WORKER})
EVERYBODY = frozenset(Role)
type Sentence = Callable[[Any, Any], tuple[str, str]]  # of the values before and after


@dataclass(frozen=True, slots=True)
class FormField:
    """How a form sends a field: the name and type of its input, what the value becomes, and how it is shown."""

    name: str
    kind: Any
    default: Any = None
    value: Callable[[Any], Any] = lambda typed: typed
    shown: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskField(DeclaredField):
    """One field of a task.

    A `plain` field has no rule: what is sent is stored. A column that is not `tracked` never changes with a command
    that takes a snapshot before.
    """

    changed_by: frozenset[Role] = NOBODY
    is_plain: bool = False
    is_tracked: bool = True
    is_exported: bool = False
    answer: Callable[[Any], Any] | None = None
    sentence: Sentence | None = None
    sentence_rank: int = 1
    form: FormField | None = None
    tool: str = ""


def plain(name: str, kind: Any, default: Any, **more: Any) -> TaskField:
    """A column that people change and no rule concerns."""
    return TaskField(name=name, kind=kind, default=default, changed_by=PEOPLE, is_plain=True, is_exported=True, **more)


def ruled(name: str, kind: Any, changed_by: frozenset[Role], default: Any = None, **more: Any) -> TaskField:
    """A column that is sent and for which `rules.py` has rules."""
    return TaskField(name=name, kind=kind, default=default, changed_by=changed_by, **more)


def kept(name: str, kind: Any, **more: Any) -> TaskField:
    """A column that the program sets and that answers show."""
    return TaskField(name=name, kind=kind, **more)


def fixed(name: str, kind: Any, **more: Any) -> TaskField:
    """A column that answers show and that no change of the task alters."""
    return kept(name, kind, is_tracked=False, **more)


def internal(name: str, kind: Any, **more: Any) -> TaskField:
    """A column that no answer shows."""
    return TaskField(name=name, kind=kind, is_answered=False, **more)


def related(name: str, kind: Any, changed_by: frozenset[Role] = NOBODY, **more: Any) -> TaskField:
    """What other tables, or other columns, say of a task."""
    return TaskField(name=name, kind=kind, changed_by=changed_by, is_column=False, is_tracked=False, **more)


def _renamed(before: Any, after: Any) -> tuple[str, str]:
    return "renamed", f"(was {before})" if before else ""


def _reprioritized(before: Any, after: Any) -> tuple[str, str]:
    return "set the priority of", f"to {after}"


def _rescheduled(before: Any, after: Any) -> tuple[str, str]:
    day = _day_there(str(after)) if after else ""
    return ("set the due date of", f"to {day}") if day else ("removed the due date of", "")


def _day_there(moment: str) -> str:
    """Return the date of a moment of the log, where the reader is."""
    try:
        return zones.day_of(clock.naive_utc(datetime.fromisoformat(moment)), zones.reader()).isoformat()
    except ValueError:
        return moment[:10]


def _day(typed: Any) -> Any:
    """Return the day that a word such as `fri` means; dates as they are."""
    if not isinstance(typed, str):
        return typed
    if (day := day_of(typed.strip(), clock.now())) is None:
        raise ValueError("Enter a date such as 2026-03-14, or a word such as today or fri")
    return day


Day = Annotated[date | None, BeforeValidator(_day)]


def _end_of_day(day: date | None) -> datetime | None:
    return end_of_day(day) if day else None


def _due_day(due_at: datetime | None) -> date | None:
    return zones.day_of(due_at, zones.reader()) if due_at else None


# In the order in which answers have them.
FIELDS: tuple[TaskField, ...] = (
    plain("title", str, REQUIRED, sentence=_renamed, sentence_rank=0),
    plain(
        "description", str | None, None,
        sentence=lambda before, after: ("described", ""), sentence_rank=2,
        tool="What a worker must know, and how to tell it is done",
    ),
    ruled("status", TaskStatus, EVERYBODY, "inbox"),
    plain(
        "priority", str, "medium",
        accepts=Priority, answer=canonical, sentence=_reprioritized,
        form=FormField("priority", Priority, "medium", shown=canonical),
    ),
    plain(
        "due_at", datetime | None, None,
        accepts=Moment | None, sentence=_rescheduled, form=FormField("due", Day, None, _end_of_day, _due_day),
        tool="When it must be done, as 2026-12-24T12:00:00Z",
    ),
    ruled("assigned_agent_id", UUID | None, PEOPLE_AND_LEADS),
    related(
        "depends_on_task_ids", list[UUID], PEOPLE_AND_LEADS,
        accepts=Ids, default=[], sentence=lambda before, after: ("changed the dependencies of", ""), sentence_rank=3,
    ),
    related("tag_ids", list[UUID], PEOPLE_AND_LEADS, accepts=Ids, default=[]),
    fixed("id", UUID),
    fixed("board_id", UUID | None),
    fixed("created_by_user_id", UUID | None, default=None),
    kept("in_progress_at", datetime | None, is_exported=True),
    fixed("created_at", datetime, is_exported=True),
    fixed("updated_at", datetime, is_exported=True),
    related("blocked_by_task_ids", list[UUID]),
    related("is_blocked", bool),
    related("tags", list[TagRef]),
    related("custom_field_values", dict[str, Any] | None, EVERYBODY, accepts=dict[str, Any], default={}),
    fixed("number", int),
    ruled("assigned_user_id", UUID | None, PEOPLE),
    kept("archived_at", datetime | None, is_exported=True),
    fixed("deleted_at", datetime | None),
    kept("fence", int),
    kept("flagged_at", datetime | None),
    related(
        "waiting",
        Annotated[
            list[WaitingReason] | None,
            Field(description="What it waits for, only when asked for", exclude_if=lambda found: found is None),
        ],
        answer_default=None,
    ),
    related("comment", OptionalText, PEOPLE_AND_WORKERS, is_answered=False),
    internal("position", float, is_exported=True),
    internal("previous_in_progress_at", datetime | None, is_exported=True),
    internal("review_agent_id", UUID | None),
    internal("attempt", int),
    internal("rework_at", datetime | None),
    internal("failed_attempts", int),
    internal("retry_at", datetime | None),
    internal("flag_reason", str | None),
    internal("auto_created", bool, is_tracked=False),
    internal("auto_reason", str | None, is_tracked=False),
)  # fmt: skip

BY_NAME = {one.name: one for one in FIELDS}
COLUMNS = {one.name: one.kind for one in FIELDS if one.is_column and one.is_answered}
TRACKED = tuple(one.name for one in FIELDS if one.is_tracked)
EXPORTED = tuple(one.name for one in FIELDS if one.is_exported)
PLAIN = tuple(one.name for one in FIELDS if one.is_plain)


def changeable_by(role: Role) -> frozenset[str]:
    """The fields that a role may send to change a task."""
    return frozenset(one.name for one in FIELDS if role in one.changed_by)


def to_create() -> dict[str, Any]:
    """Return the fields with which a task is created."""
    return created(FIELDS)


def to_change() -> dict[str, Any]:
    """Return the fields that change a task."""
    return changed(one for one in FIELDS if one.changed_by)


def to_answer() -> dict[str, Any]:
    """Return the fields of an answered task."""
    return answered(FIELDS)


def to_export() -> dict[str, Any]:
    """The columns that stand in a board's file as they are."""
    return {one.name: (_file_kind(one), _file_default(one)) for one in FIELDS if one.is_exported}


def _file_kind(one: TaskField) -> Any:
    moments: dict[Any, Any] = {datetime: Moment, datetime | None: Moment | None}
    return moments.get(one.kind, one.body_kind)


def _file_default(one: TaskField) -> Any:
    return None if one.is_nullable else one.default if one.is_plain else REQUIRED


def to_form() -> dict[str, Any]:
    """The inputs of the form that changes facts of a task."""
    return {one.form.name: (one.form.kind, one.form.default) for one in FIELDS if one.form is not None}


def from_form(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a form sent, by their names."""
    inputs = [(one.name, one.form) for one in FIELDS if one.form is not None]
    return {name: form.value(typed[form.name]) for name, form in inputs if form.name in typed}


def to_ask() -> dict[str, Any]:
    """Return the arguments of tools that create a task, without those that the tools name."""
    return {one.name: (_argument(one), None) for one in FIELDS if one.tool}


def _argument(one: TaskField) -> Any:
    kind = str if datetime in (one.kind, *get_args(one.kind)) else one.body_kind
    return Annotated[kind | None, Field(description=one.tool)]


def answer_fields() -> dict[str, Any]:
    """The fields of those arguments in a tool's answer."""
    return {one.name: (one.kind, REQUIRED) for one in FIELDS if one.tool}


def sentences() -> dict[str, Sentence]:
    """What a change of a field is called, by its name; the most telling one first."""
    ranked = sorted((one for one in FIELDS if one.sentence or one.is_plain), key=lambda one: one.sentence_rank)
    return {one.name: one.sentence or _changed(one.name) for one in ranked}


def _changed(name: str) -> Sentence:
    return lambda before, after: (f"changed the {name.replace('_', ' ')} of", "")
