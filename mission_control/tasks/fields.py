"""The fields of a task, declared once.

The table below is read by the bodies and answers of the API (`schemas.py`), by changes and their rules (`changes.py`,
`rules.py`), by rows and answers (`queries.py`), by the board's file and spreadsheet (`transfer/`), by the tools of MCP,
by the sentences of `activity/sentences.py` and by every page: its `on` says where people see and type a field. A new
column touches the model, this table and a migration; templates only to draw it in a way of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from mission_control.boards.days import LAST_YEAR, day_of, end_of_day, moment_of, moment_words
from mission_control.boards.priorities import PRIORITIES, Priority, canonical, rank
from mission_control.boards.statuses import LABELS, TaskStatus
from mission_control.core import times
from mission_control.core.field_tables import NOT_SENT, REQUIRED, DeclaredField
from mission_control.core.values import JsonObject, Moment, OptionalText
from mission_control.tasks.tags.commands import TagRef
from mission_control.tasks.waiting import WaitingReason

Ids = Annotated[list[UUID], AfterValidator(lambda ids: list(dict.fromkeys(ids)))]


class Role(StrEnum):
    PERSON = "person"
    LEAD = "lead"
    WORKER = "worker"


NOBODY: frozenset[Role] = frozenset()
PEOPLE = frozenset({Role.PERSON})
PEOPLE_AND_LEADS = frozenset({Role.PERSON, Role.LEAD})
PEOPLE_AND_WORKERS = frozenset({Role.PERSON, Role.WORKER})
EVERYBODY = frozenset(Role)


class Surface(StrEnum):
    """Where people see a field, or type it. Everything else that shows fields has an attribute of its own below."""

    CARD = "card"
    TABLE = "table"  # a column, by which rows and the API's lists are sorted
    PANEL = "panel"  # and the form of a new task
    FILTER = "filter"  # a key of the query of boards and of the API
    QUICK = "quick add"
    BULK = "bulk"  # whose menu has the values that the field offers


EVERYWHERE = frozenset(Surface)
IN_TABLE = frozenset({Surface.TABLE})
type Sentence = Callable[[Any, Any], tuple[str, str]]  # of the values before and after


@dataclass(frozen=True, slots=True)
class FormField:
    """How people type a field: the type of its input, what the value becomes, how it is shown, which words of a line
    mean a value, and an example."""

    kind: Any
    default: Any = None
    value: Callable[[Any], Any] = lambda typed: typed
    shown: Callable[[Any], Any] = lambda value: value
    is_word: Callable[[str], bool] = lambda text: True
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskField(DeclaredField):
    """One field of a task.

    A `plain` field has no rule: what is sent is stored. A column that is not `tracked` never changes with a command
    that takes a snapshot before. People read its `label` and type its `word`: in forms, queries, lines and addresses.
    A field that is `drawn` has macros of its own in the templates; all others look alike.
    """

    changed_by: frozenset[Role] = NOBODY
    is_plain: bool = False
    is_tracked: bool = True
    is_exported: bool = False
    answer: Callable[[Any], Any] | None = None
    sentence: Sentence | None = None
    sentence_rank: int = 1
    on: frozenset[Surface] = frozenset()
    label: str = ""
    word: str = ""
    sign: str = ""  # in front of a value in quick add, when it is not the word and a colon
    offers: tuple[tuple[str, str], ...] = ()  # values to type, and what they mean
    is_usual: bool = False  # a column that the table shows unless somebody chooses
    is_drawn: bool = False
    form: FormField | None = None
    tool: str = ""

    @property
    def is_moment(self) -> bool:
        return datetime in (self.kind, *get_args(self.kind))

    @property
    def quick_sign(self) -> str:
        return self.sign or f"{self.word}:"

    def typed(self, text: str) -> object:
        """Raise ValueError for a text that means no value."""
        form = self.form
        if form is None or not form.is_word(text):
            raise ValueError(text)
        try:
            return form.value(TypeAdapter(form.kind).validate_python(text))
        except ValidationError as error:
            raise ValueError(text) from error

    @property
    def values(self) -> list[str]:
        """What it offers that sets it, beside what only finds it."""
        return [text for text, _ in self.offers if self._sets(text)]

    def _sets(self, text: str) -> bool:
        try:
            return self.typed(text) is not None
        except ValueError:
            return text == "none" and self.is_nullable

    def text_of(self, value: object) -> str:
        displayed = value if self.form is None else self.form.shown(value)
        return "" if displayed is None else str(displayed)


def kept(name: str, kind: object, changed_by: frozenset[Role] = NOBODY, **more: Any) -> TaskField:
    """A column that the program sets and that answers show."""
    return TaskField(name=name, kind=kind, changed_by=changed_by, **more)


fixed = partial(kept, is_tracked=False)  # no change of the task alters it
internal = partial(kept, is_answered=False)
related = partial(kept, is_column=False, is_tracked=False)  # what other tables, or other columns, say of a task


def ruled(name: str, kind: object, changed_by: frozenset[Role], default: object = None, **more: object) -> TaskField:
    """A column that is sent and for which `rules.py` has rules."""
    return kept(name, kind, changed_by, default=default, **more)


def plain(name: str, kind: object, default: object, **more: Any) -> TaskField:
    """A column that people change and no rule concerns."""
    if Surface.PANEL in more.get("on", ()) and "form" not in more:
        more["form"] = FormField(more.get("accepts") or kind, default)
    more = {"word": name, "label": name.replace("_", " ").capitalize()} | more
    return ruled(name, kind, PEOPLE, default, is_plain=True, is_exported=True, **more)


def _rescheduled(name: str, shown: str, before: object, after: object) -> tuple[str, str]:
    if not after:
        return f"removed the {name} of", ""
    try:
        text = format(times.local(times.naive_utc(datetime.fromisoformat(str(after))), times.reader()), shown)
    except ValueError:
        text = str(after)[:10]
    return f"set the {name} of", f"to {text}"


def _day(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    if (day := day_of(typed.strip(), times.clock_now())) is None or day.year > LAST_YEAR:
        raise ValueError("Enter a date such as 2026-03-14, or a word such as today or fri")
    return day


Day = Annotated[date | None, BeforeValidator(_day)]


def _moment(typed: object) -> object:
    if isinstance(typed, str) and (moment := moment_of(typed.strip(), times.clock_now())) is not None:
        return moment
    if isinstance(typed, str):
        raise ValueError("Enter a day and a time such as fri 22:00 or 2026-03-14 22:00")
    return typed


# In the order in which answers have them.
FIELDS: tuple[TaskField, ...] = (
    plain(
        "title", str, REQUIRED,
        sentence=lambda before, after: ("renamed", f"(was {before})" if before else ""), sentence_rank=0, on=IN_TABLE,
        is_drawn=True, form=None,
    ),
    plain(
        "description", str | None, None,
        sentence=lambda before, after: ("described", ""), sentence_rank=2,
        tool="What a worker must know, and how to tell it is done",
    ),
    ruled(
        "status", TaskStatus, EVERYBODY, "inbox",
        on=EVERYWHERE - {Surface.CARD, Surface.QUICK}, label="Status", word="status", offers=tuple(LABELS.items()),
        is_usual=True, is_drawn=True,
    ),
    plain(
        "priority", str, "medium",
        accepts=Priority, answer=canonical, sentence=lambda before, after: ("set the priority of", f"to {after}"),
        on=EVERYWHERE, sign="!", is_drawn=True,
        offers=tuple((priority, "") for priority in reversed(PRIORITIES)),
        form=FormField(Priority, "medium", shown=canonical, is_word=lambda text: rank(text) > 0),
    ),
    plain(
        "due_at", datetime | None, None,
        accepts=Moment | None, sentence=partial(_rescheduled, "due date", "%Y-%m-%d"), on=EVERYWHERE,
        label="Due", word="due", is_usual=True, is_drawn=True,
        form=FormField(
            Day, None, lambda day: end_of_day(day) if day else None,
            lambda due_at: times.day_of(due_at, times.reader()) if due_at else None,
        ),
        offers=(
            ("overdue", "late and not done"), ("today", ""), ("tomorrow", ""), ("<fri", "before a day"),
            ("week", "this week"), ("none", "without a date"),
        ),
        tool="When it must be done, as 2026-12-24T12:00:00Z",
    ),
    plain(
        "not_before", datetime | None, None,
        accepts=Moment | None, sentence=partial(_rescheduled, "earliest start", "%Y-%m-%d %H:%M"), on=EVERYWHERE,
        sign="not before ",
        form=FormField(
            Annotated[datetime | None, BeforeValidator(_moment)],
            shown=lambda moment: moment_words(moment, times.clock_now()) if moment else None,
            hint="Such as fri 22:00",
        ),
        offers=(
            ("future", "no agent begins it yet"), ("past", "its moment has come"), ("tonight", "22:00"),
            ("tomorrow", ""), ("mon", ""), ("none", "at any time"),
        ),
        tool="Before when no agent begins it, as 2026-12-24T22:00:00Z",
    ),
    ruled("assigned_agent_id", UUID | None, PEOPLE_AND_LEADS),
    related(
        "assignee", str | None,
        is_answered=False, on=EVERYWHERE, label="Assignee", word="assignee", sign="@", is_usual=True, is_drawn=True,
        offers=(
            ("me", "assigned to me"), ("none", "assigned to nobody"), ("agent", "any agent"), ("person", "any person"),
        ),
    ),
    related(
        "depends_on_task_ids", list[UUID], PEOPLE_AND_LEADS,
        accepts=Ids, default=[], sentence=lambda before, after: ("changed the dependencies of", ""), sentence_rank=3,
    ),
    related("tag_ids", list[UUID], PEOPLE_AND_LEADS, accepts=Ids, default=[]),
    fixed("id", UUID),
    fixed("board_id", UUID | None),
    fixed("created_by_user_id", UUID | None, default=None),
    kept("in_progress_at", datetime | None, is_exported=True),
    fixed("created_at", datetime, is_exported=True, on=IN_TABLE, label="Created", word="created", is_drawn=True),
    fixed(
        "updated_at", datetime,
        is_exported=True, on=IN_TABLE, label="Updated", word="updated", is_usual=True, is_drawn=True,
    ),
    related("blocked_by_task_ids", list[UUID]),
    related("is_blocked", bool),
    related(
        "tags", list[TagRef],
        on=EVERYWHERE - IN_TABLE, label="Tags", word="tag", sign="#", is_drawn=True,
        offers=(("none", "without tags"),),
    ),
    related("custom_field_values", JsonObject | None, EVERYBODY, accepts=JsonObject, default={}),
    fixed("number", int, on=IN_TABLE, label="Number", word="number", is_drawn=True),
    ruled("assigned_user_id", UUID | None, PEOPLE),
    kept("archived_at", datetime | None, is_exported=True),
    fixed("deleted_at", datetime | None),
    kept("fence", int),
    kept("flagged_at", datetime | None),
    ruled(
        "parent_id", UUID | None, PEOPLE_AND_LEADS,
        sentence=lambda before, after: ("made", "a part of another task") if after else ("took", "out of its parent"),
        on=frozenset({Surface.PANEL, Surface.FILTER, Surface.QUICK}), label="Part of", word="parent", is_drawn=True,
        offers=(("none", "a part of no task"),), meaning="The task of which it is a part",
        tool="The task of which it is a part",
    ),
    ruled(
        "blocks_parent", bool, PEOPLE_AND_LEADS, False,
        sentence=lambda before, after: ("made", "block its parent" if after else "no longer block its parent"),
        is_exported=True,
    ),
    related("parts_count", int, meaning="How many parts it has"),
    related("parts_done_count", int, meaning="How many of its parts are done"),
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

BY_NAME = {field.name: field for field in FIELDS}
COLUMNS = {field.name: field.kind for field in FIELDS if field.is_column and field.is_answered}
TRACKED = tuple(field.name for field in FIELDS if field.is_tracked)
EXPORTED = tuple(field.name for field in FIELDS if field.is_exported)
# What tools of MCP that create a task say of a field; they show it in their answers, too.
TOOL_WORDS = {field.name: field.tool for field in FIELDS if field.tool}
MOMENTS = frozenset(field.name for field in FIELDS if field.is_moment)
PLAIN = tuple(field.name for field in FIELDS if field.is_plain)
REWRITTEN = {field.name: field.answer for field in FIELDS if field.answer is not None}


def shown_at(surface: Surface, *first: str) -> tuple[TaskField, ...]:
    ahead = [BY_NAME[name] for name in first]
    return (*ahead, *(field for field in FIELDS if surface in field.on and field not in ahead))


def alike_at(surface: Surface) -> tuple[TaskField, ...]:
    return tuple(field for field in shown_at(surface) if not field.is_drawn)


def changeable_by(role: Role) -> frozenset[str]:
    return frozenset(field.name for field in FIELDS if role in field.changed_by)


def to_export() -> JsonObject:
    moments: dict[Any, Any] = {datetime: Moment, datetime | None: Moment | None}
    return {
        field.name: (
            moments.get(field.kind, field.body_kind),
            None if field.is_nullable else REQUIRED if field.default is NOT_SENT else field.default,
        )
        for field in FIELDS
        if field.is_exported
    }


def to_form() -> JsonObject:
    return {field.word: (field.form.kind, field.form.default) for field in FIELDS if field.form is not None}


def from_form(typed: Mapping[str, object]) -> JsonObject:
    return {
        field.name: field.form.value(typed[field.word])
        for field in FIELDS
        if field.form is not None and field.word in typed
    }


def in_form(value_of: Callable[[str], object]) -> JsonObject:
    return {field.word: field.form.shown(value_of(field.name)) for field in FIELDS if field.form is not None}


def sentences() -> dict[str, Sentence]:
    ranked = sorted(
        (field for field in FIELDS if field.sentence or field.is_plain), key=lambda field: field.sentence_rank
    )
    return {field.name: field.sentence or partial(_changed, field.name.replace("_", " ")) for field in ranked}


def _changed(name: str, before: object, after: object) -> tuple[str, str]:
    return f"changed the {name} of", f"to {after}" if type(after) is int else ""
