"""The query of a board as SQL on `tasks t`. Names are looked up by the statement itself, so that they stay current."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.boards.cards import PERSON
from mission_control.boards.days import Span, days_of
from mission_control.boards.priorities import rank_sql, spellings
from mission_control.boards.statuses import STATUSES
from mission_control.core import clock
from mission_control.core.ids import parse_id
from mission_control.database.sql import contains, is_postgres, lowered, place_in, placeholders, searched
from mission_control.tasks.fields import TaskField
from mission_control.tasks.query_words import FIELDS, NEEDS, NOBODY, NOTHING, STATES, Word, compared, words_of
from mission_control.tasks.task_search import matching

# The value that a task has of a custom field, its default when none is stored.
OF_FIELD = (
    " FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
    " LEFT JOIN task_custom_field_values v ON v.field_id = f.id AND v.task_id = t.id"
    " WHERE b.board_id = t.board_id AND LOWER(f.field_key) = ?"
)
NUMBERS = "('integer', 'decimal')"

STATUS_RANK = f"CASE t.status {' '.join(f"WHEN '{one}' THEN {rank}" for rank, one in enumerate(STATUSES))} END"

Part = tuple[str, list[Any]]


def order_of(field: TaskField) -> str:
    """Return what tasks are sorted by, for a field."""
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


def conditions(text: str, viewer_id: UUID | None) -> Part:
    """Return the condition of a query, with an AND in front of every part, and its values."""
    return conditions_of(words_of(text, clock.now()), viewer_id)


def conditions_of(words: Iterable[Word], viewer_id: UUID | None) -> Part:
    """Return the condition of the words of a query, with an AND in front of every part, and its values."""
    now, sql, values = clock.now(), "", list[Any]()
    for word in words:
        for part, more in _parts(word, viewer_id, now):
            sql, values = f"{sql} AND {part}", [*values, *more]
    return sql, values


def _parts(word: Word, viewer_id: UUID | None, now: datetime) -> list[Part]:
    if not word.key:
        return matching(word.raw)
    found = [_one(word, value, viewer_id, now) for value in word.values]
    sql, values = " OR ".join(part for part, _ in found), [value for _, more in found for value in more]
    if not word.is_known:
        return [_of_field(word, sql, values)]
    return [(f"NOT COALESCE(({sql}), FALSE)" if word.is_excluded else f"({sql})", values)]


def _one(word: Word, value: str, viewer_id: UUID | None, now: datetime) -> Part:
    match word.key:
        case "assignee":
            return _assignee(value, viewer_id)
        case "tag":
            return _tag(value)
        case "priority":
            words = spellings(value)
            return f"LOWER(t.priority) IN ({placeholders(len(words))})", [*words]
        case "due":
            return _due(value, now)
        case "status":
            return "t.status = ?", [value]
        case "is":
            return STATES[value], []
        case "needs":
            return NEEDS[value], []
    return _of_column(FIELDS[word.key], value) if word.is_known else _compared(value)


def _of_column(field: TaskField, value: str) -> Part:
    """A column without words of its own: it has no value, the value, or one that compares so."""
    if value.lower() == NOTHING:
        return f"t.{field.name} IS NULL", []
    sign, text = compared(value)
    wanted = field.typed(text)
    if isinstance(wanted, str):
        return f"{lowered(searched(f't.{field.name}'))} {sign or '='} ?", [wanted.lower()]
    return f"t.{field.name} {sign or '='} ?", [wanted]


def _assignee(value: str, viewer_id: UUID | None) -> Part:
    kind, _, name = value.partition(":")
    if (given := parse_id(name)) is not None and kind in ("agent", "user"):
        return f"t.assigned_{kind}_id = ?", [given]
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
    """SQL for: a name is the words, or begins with them. Its parameter is the words in small letters and a blank."""
    blank = "' '"
    return f"{place_in(f'{lowered(column)} || {blank}')} = 1"


def _tag(value: str) -> Part:
    if value.lower() == NOTHING:
        return "NOT EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id)", []
    if (tag_id := parse_id(value)) is not None:
        return "EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id AND a.tag_id = ?)", [tag_id]
    return (
        "EXISTS (SELECT 1 FROM tag_assignments a JOIN tags o ON o.id = a.tag_id WHERE a.task_id = t.id"
        f" AND (o.slug = ? OR {lowered('o.name')} = ?))",
        [value.lower(), value.lower()],
    )


def _due(value: str, now: datetime) -> Part:
    if value == NOTHING:
        return "t.due_at IS NULL", []
    if value == "overdue":
        return "(t.due_at < ? AND t.status <> 'done')", [now]
    since, until = days_of(value, now) or _moments(value)
    parts = [("t.due_at >= ?", since), ("t.due_at < ?", until)]
    kept = [(sql, moment) for sql, moment in parts if moment is not None]
    return f"({' AND '.join(sql for sql, _ in kept)})", [moment for _, moment in kept]


def _moments(value: str) -> Span:
    """Return the span that begins or ends with a moment; people type days."""
    sign, text = compared(value)
    moment = datetime.fromisoformat(text)
    return (None, moment) if sign == "<" else (moment, None)


def _of_field(word: Word, sql: str, values: list[Any]) -> Part:
    """A custom field of the board whose value fits; without such a field, the words in the text."""
    is_any = "NOT EXISTS" if word.is_excluded else "EXISTS"
    literal = f"({contains('t.title')} OR {contains('t.description')})"
    return (
        f"CASE WHEN EXISTS (SELECT 1{OF_FIELD}) THEN {is_any} (SELECT 1{OF_FIELD} AND ({sql})) ELSE {literal} END",
        [word.key, word.key, *values, *[word.raw.replace('"', "").lower()] * 2],
    )


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


def _compared(value: str) -> Part:
    if value.lower() == NOTHING:
        return f"{field_text()} IS NULL", []
    sign, wanted = compared(value)
    number = _number(wanted)
    if sign and number is not None:
        return f"{field_number()} {sign} ?", [number]
    if sign:
        return f"{field_text()} {sign} ?", [wanted]
    same, word = f"{lowered(searched(field_text()))} = ?", YES_AND_NO.get(wanted.lower(), wanted.lower())
    if number is None:
        return same, [word]
    return f"({same} OR {field_number()} = ?)", [word, number]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None
