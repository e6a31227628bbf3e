"""The query of a board as people type it: `key:value` narrows, every other word searches the text.

Values are separated by commas, of which one suffices; quotes keep blanks together; `-` in front of a key excludes.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.boards.days import days_of, moment_of
from mission_control.boards.priorities import rank_sql, spellings
from mission_control.boards.queries import PERSON, SEEN_IN, SILENT_AFTER, STUCK_AT
from mission_control.boards.statuses import STATUSES
from mission_control.boards.views import LONGEST_QUERY
from mission_control.core import times
from mission_control.core.values import parse_id, whole_number
from mission_control.database.search_index import is_among
from mission_control.database.sql import Condition, contains, is_postgres, lowered, place_in, placeholders, searched
from mission_control.tasks.fields import Surface, TaskField, shown_at

MOST_WORDS = 30
LIVING = "t.deleted_at IS NULL AND t.archived_at IS NULL"  # on their board; an archived task is done
NOTHING = "none"
BLOCKER = (
    "SELECT 1 FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
    " WHERE d.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done'"
)
# When what was sent back can be taken up again.
REWORK_SINCE = "CASE WHEN t.not_before > t.rework_at THEN t.not_before ELSE t.rework_at END"
PENDING = "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending"
NEEDS_REVIEW = "(t.status = 'review' AND t.assigned_agent_id IS NULL)"
NOBODY = "(t.assigned_agent_id IS NULL AND t.assigned_user_id IS NULL)"
STATES = {
    "open": f"t.status IN ({', '.join(f"'{status}'" for status in STATUSES if status != 'done')})",  # as in an index
    "done": "t.status = 'done'",
    "blocked": f"(t.status <> 'done' AND EXISTS ({BLOCKER}))",
    "flagged": "t.flagged_at IS NOT NULL",
    "unassigned": NOBODY,
}
# Somebody's run at a task, which waits for nobody; its agent gave no sign since a moment, the value of each `?`.
AT_WORK = (
    "t.status = 'in_progress' AND EXISTS (SELECT 1 FROM task_runs r LEFT JOIN agents g ON g.id = r.agent_id"
    f" LEFT JOIN agent_sessions s ON s.id = {SEEN_IN} WHERE r.task_id = t.id AND r.ended_at IS NULL"
    " AND r.parked_at IS NULL AND COALESCE(s.state, '') <> 'waiting' AND "
)
IS_SILENT = (
    "(r.started_at <= ? AND (g.last_seen_at IS NULL OR g.last_seen_at <= ?) AND (s.id IS NULL OR s.last_seen_at <= ?)"
    " AND (s.id IS NOT NULL OR g.gateway_id IS NULL OR g.run_began_at IS NULL))"
)
STILL = "still"  # the word for what is silent, or fails again and again
UNITS = {"m": times.MINUTE, "h": times.HOUR, "d": times.DAY}
_LONG = re.compile(r"(?:>=?)?([0-9]{1,4})(m|h|d)", re.I)
NEEDS = {
    "approval": f"EXISTS ({PENDING})",
    "review": NEEDS_REVIEW,
    "person": f"(EXISTS ({PENDING}) OR {NEEDS_REVIEW} OR t.flagged_at IS NOT NULL)",
}
SIDES = {"future": ">", "past": "<="}  # of this moment
HAS = {"parts": "EXISTS (SELECT 1 FROM tasks c WHERE c.parent_id = t.id AND c.deleted_at IS NULL)"}
# Keys of every board; any other key may be that of a custom field.
FIELDS = {field.word: field for field in shown_at(Surface.FILTER)}
KEYS = (*FIELDS, "is", "needs", "has", "silent")

_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_PAIR = re.compile(r'(-?)([\w][\w.-]*):((?:"[^"]*"?|[^\s"])+)')
_VALUE = re.compile(r'(?:"[^"]*"?|[^,"])+')
SIGNS = ("<=", ">=", "<", ">")
_STATUS_WORDS = {"progress": "in_progress", "in-progress": "in_progress", "doing": "in_progress"}


@dataclass(frozen=True, slots=True)
class Word:
    raw: str
    key: str = ""
    values: tuple[str, ...] = ()
    is_excluded: bool = False

    @property
    def is_known(self) -> bool:
        return self.key in KEYS


def words_of(text: str, now: datetime) -> tuple[Word, ...]:
    """Read a query. What means nothing remains as text to search for."""
    return tuple(_word(piece, now) for piece in _PIECE.findall(text[:LONGEST_QUERY])[:MOST_WORDS])


def _word(piece: str, now: datetime) -> Word:
    pair = _PAIR.fullmatch(piece)
    if pair is None:
        return Word(piece.replace('"', ""))
    key = pair[2].lower()
    values = tuple(value.replace('"', "").strip() for value in _VALUE.findall(pair[3]))
    values = tuple(_meant(key, value) for value in values if value)
    if not values or not all(_is_value(key, value, now) for value in values):
        return Word(piece.replace('"', ""))
    return Word(piece, key, values, pair[1] == "-")


def _meant(key: str, value: str) -> str:
    if key not in ("status", "is", "needs", "has", "due", "not_before"):
        return value
    value = value.lower()
    return _STATUS_WORDS.get(value, value.replace("-", "_")) if key == "status" else value


def _is_value(key: str, value: str, now: datetime) -> bool:
    if key == "due":
        return value in (NOTHING, "overdue") or days_of(value, now) is not None
    if key == "not_before":
        return value in (NOTHING, *SIDES) or (days_of(value, now) or moment_of(compared(value)[1], now)) is not None
    if key == "parent":
        return value.lower() == NOTHING or number_in(value) is not None or parse_id(value) is not None
    if key == "silent":
        return _LONG.fullmatch(value) is not None
    accepted = {"status": STATUSES, "is": (*STATES, STILL), "needs": NEEDS, "has": HAS}.get(key)
    if accepted is not None:
        return value in accepted
    field = FIELDS.get(key)
    if field is None or field.is_drawn or value.lower() == NOTHING:
        return True
    try:
        return field.typed(compared(value)[1]) is not None
    except ValueError:
        return False


def compared(value: str) -> tuple[str, str]:
    sign = next((candidate for candidate in SIGNS if value.startswith(candidate)), "")
    return sign, value.removeprefix(sign)


def quoted(value: str) -> str:
    value = value.replace('"', "")
    return f'"{value}"' if re.search(r"[\s,]", value) else value


LONGEST_NUMBER = 9  # digits


def number_in(text: str) -> int | None:
    return whole_number(text.removeprefix("#"), LONGEST_NUMBER)


async def matching(text: str) -> list[Condition]:
    """Return a condition on `tasks t` for each word: it is in the title or the description, in another form, or is the
    number.

    Of a longer text the first 20,000 characters are searched.
    """
    return [await _matching(word) for word in text.split()]


async def _matching(word: str) -> Condition:
    sql, values = f"{contains('t.title')} OR {contains('t.description')}", list[Any]([word.lower()] * 2)
    if (number := number_in(word)) is not None:
        sql = f"{sql} OR t.number = {number}"
    elif (condition := await is_among("t.id", "task", word)) is not None:
        sql, values = f"{sql} OR {condition[0]}", [*values, *condition[1]]
    return f"({sql})", values


# The value that a task has of a custom field, its default when none is stored.
OF_FIELD = (
    " FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
    " LEFT JOIN task_custom_field_values v ON v.field_id = f.id AND v.task_id = t.id"
    " WHERE b.board_id = t.board_id AND LOWER(f.field_key) = ?"
)
NUMBERS = "('integer', 'decimal')"

STATUS_RANK = f"CASE t.status {' '.join(f"WHEN '{one}' THEN {rank}" for rank, one in enumerate(STATUSES))} END"


def order_of(field: TaskField) -> str:
    match field.name:
        case "title":
            return lowered("t.title")
        case "status":
            return STATUS_RANK
        case "priority":
            return rank_sql("t.priority")
        case "assignee":
            return (
                f"COALESCE((SELECT {lowered('g.name')} FROM agents g WHERE g.id = t.assigned_agent_id),"
                f" (SELECT {lowered(PERSON)} FROM users u WHERE u.id = t.assigned_user_id))"
            )
    return f"t.{field.name}"


async def conditions(text: str, viewer_id: UUID | None) -> Condition:
    return await conditions_of(words_of(text, times.clock_now()), viewer_id)


async def conditions_of(words: Iterable[Word], viewer_id: UUID | None) -> Condition:
    now, sql, values = times.clock_now(), "", list[Any]()
    for word in words:
        for part, more in await _parts(word, viewer_id, now):
            sql, values = f"{sql} AND {part}", [*values, *more]
    return sql, values


async def _parts(word: Word, viewer_id: UUID | None, now: datetime) -> list[Condition]:
    if not word.key:
        return await matching(word.raw)
    parts = [_one(word, value, viewer_id, now) for value in word.values]
    sql, values = " OR ".join(part for part, _ in parts), [value for _, more in parts for value in more]
    if not word.is_known:  # a custom field of the board whose value fits; without such a field, the words in the text
        is_any, text = "NOT EXISTS" if word.is_excluded else "EXISTS", word.raw.replace('"', "").lower()
        literal, has = f"({contains('t.title')} OR {contains('t.description')})", f"SELECT 1{OF_FIELD}"
        case = f"CASE WHEN EXISTS ({has}) THEN {is_any} ({has} AND ({sql})) ELSE {literal} END"
        return [(case, [word.key, word.key, *values, text, text])]
    return [(f"NOT COALESCE(({sql}), FALSE)" if word.is_excluded else f"({sql})", values)]


def _one(word: Word, value: str, viewer_id: UUID | None, now: datetime) -> Condition:
    match word.key:
        case "assignee":
            return _assignee(value, viewer_id)
        case "tag":
            return _tag(value)
        case "priority":
            words = spellings(value)
            return f"LOWER(t.priority) IN ({placeholders(len(words))})", [*words]
        case "due":
            return ("(t.due_at < ? AND t.status <> 'done')", [now]) if value == "overdue" else _at("due_at", value, now)
        case "not_before" if value in SIDES:
            return f"t.not_before {SIDES[value]} ?", [now]
        case "not_before":
            return _at("not_before", value, now)
        case "status":
            return "t.status = ?", [value]
        case "is" if value == STILL:
            is_stuck = f"COALESCE(s.failures, 0) >= {STUCK_AT}"
            return f"({AT_WORK}({is_stuck} OR {IS_SILENT})))", [now - SILENT_AFTER] * 3
        case "is":
            return STATES[value], []
        case "silent":
            return f"({AT_WORK}{IS_SILENT}))", [_long_ago(value, now)] * 3
        case "needs":
            return NEEDS[value], []
        case "has":
            return HAS[value], []
        case "parent":
            return _parent(value)
    return _of_column(FIELDS[word.key], value) if word.is_known else _compared(value)


def _long_ago(value: str, now: datetime) -> datetime:
    match = _LONG.fullmatch(value)
    assert match is not None
    return now - int(match[1]) * timedelta(seconds=UNITS[match[2].lower()])


def _of_column(field: TaskField, value: str) -> Condition:
    """A column without words of its own: it has no value, the value, or one that compares so."""
    if value.lower() == NOTHING:
        return f"t.{field.name} IS NULL", []
    sign, text = compared(value)
    operand = field.typed(text)
    if isinstance(operand, str):
        return f"{lowered(searched(f't.{field.name}'))} {sign or '='} ?", [operand.lower()]
    return f"t.{field.name} {sign or '='} ?", [operand]


def _assignee(value: str, viewer_id: UUID | None) -> Condition:
    kind, _, name = value.partition(":")
    if (assignee_id := parse_id(name)) is not None and kind in ("agent", "user"):
        return f"t.assigned_{kind}_id = ?", [assignee_id]
    match value.lower():
        case "me":
            return ("t.assigned_user_id = ?", [viewer_id]) if viewer_id else ("t.id IS NULL", [])
        case "none":
            return NOBODY, []
        case "agent":
            return "t.assigned_agent_id IS NOT NULL", []
        case "person":
            return "t.assigned_user_id IS NOT NULL", []
    begins = f"{value.lower()} "
    agent = f"EXISTS (SELECT 1 FROM agents g WHERE g.id = t.assigned_agent_id AND {_begins('g.name')})"
    person = f"EXISTS (SELECT 1 FROM users u WHERE u.id = t.assigned_user_id AND {_begins(PERSON)})"
    return f"({agent} OR {person})", [begins, begins]


def _begins(column: str) -> str:
    blank = "' '"
    return f"{place_in(f'{lowered(column)} || {blank}')} = 1"


def _tag(value: str) -> Condition:
    if value.lower() == NOTHING:
        return "NOT EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id)", []
    if (tag_id := parse_id(value)) is not None:
        return "EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id AND a.tag_id = ?)", [tag_id]
    return (
        "EXISTS (SELECT 1 FROM tag_assignments a JOIN tags o ON o.id = a.tag_id WHERE a.task_id = t.id"
        f" AND (o.slug = ? OR {lowered('o.name')} = ?))",
        [value.lower(), value.lower()],
    )


def _parent(value: str) -> Condition:
    column, reference = ("id", parse_id(value)) if parse_id(value) else ("number", number_in(value))
    part = "EXISTS (SELECT 1 FROM tasks h WHERE h.id = t.parent_id AND h.deleted_at IS NULL"
    return (f"NOT {part})", []) if value.lower() == NOTHING else (f"{part} AND h.{column} = ?)", [reference])


def _at(column: str, value: str, now: datetime) -> Condition:
    """The column has no moment, one in a span of days, or one that compares so: people type it, the API sends ISO."""
    if value == NOTHING:
        return f"t.{column} IS NULL", []
    if (span := days_of(value, now)) is None:
        sign, text = compared(value)
        return f"t.{column} {sign or '='} ?", [moment_of(text, now) or datetime.fromisoformat(text)]
    limits = [(sign, limit) for sign, limit in zip((">=", "<"), span, strict=True) if limit is not None]
    return f"({' AND '.join(f't.{column} {sign} ?' for sign, _ in limits)})", [moment for _, moment in limits]


def field_text() -> str:
    """SQL for the value of a custom field as text, from its row `v` or the default in `f`."""
    value = "COALESCE(v.value, f.default_value)"
    if is_postgres():
        return f"({value} #>> '{{}}')"
    text = f"CAST(json_extract({value}, '$') AS TEXT)"
    return f"CASE json_type({value}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE {text} END"


def field_number() -> str:
    """SQL for the value of a custom field as a number, NULL when the field has no numbers."""
    real = "DOUBLE PRECISION" if is_postgres() else "REAL"
    return f"CASE WHEN f.field_type IN {NUMBERS} THEN CAST({field_text()} AS {real}) END"


YES_AND_NO = {"yes": "true", "no": "false"}


def _compared(value: str) -> Condition:
    if value.lower() == NOTHING:
        return f"{field_text()} IS NULL", []
    sign, operand = compared(value)
    try:
        number = float(operand)
    except ValueError:
        number = math.nan
    is_number = abs(number) < 1e300
    if sign and is_number:
        return f"{field_number()} {sign} ?", [number]
    if sign:
        return f"{field_text()} {sign} ?", [operand]
    same, word = f"{lowered(searched(field_text()))} = ?", YES_AND_NO.get(operand.lower(), operand.lower())
    if not is_number:
        return same, [word]
    return f"({same} OR {field_number()} = ?)", [word, number]
