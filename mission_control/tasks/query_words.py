"""The query of a board as people type it: `key:value` narrows, every other word searches the text.

Values are separated by commas, of which one suffices; quotes keep blanks together; `-` in front of a key excludes.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from mission_control.boards.days import days_of
from mission_control.boards.statuses import STATUSES
from mission_control.boards.views_schemas import LONGEST_QUERY
from mission_control.tasks.fields import Surface, TaskField, shown_at

MOST_WORDS = 30
NOTHING = "none"
BLOCKER = (
    "SELECT 1 FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
    " WHERE d.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done'"
)
PENDING = "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending"
NEEDS_REVIEW = "(t.status = 'review' AND t.assigned_agent_id IS NULL)"
NOBODY = "(t.assigned_agent_id IS NULL AND t.assigned_user_id IS NULL)"
STATES = {
    "open": "t.status <> 'done'",
    "done": "t.status = 'done'",
    "blocked": f"(t.status <> 'done' AND EXISTS ({BLOCKER}))",
    "flagged": "t.flagged_at IS NOT NULL",
    "unassigned": NOBODY,
}
NEEDS = {
    "approval": f"EXISTS ({PENDING})",
    "review": NEEDS_REVIEW,
    "person": f"(EXISTS ({PENDING}) OR {NEEDS_REVIEW} OR t.flagged_at IS NOT NULL)",
}
# Keys of every board; any other key may be that of a custom field.
FIELDS = {one.word: one for one in shown_at(Surface.FILTER)}
KEYS = (*FIELDS, "is", "needs")

_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_PAIR = re.compile(r'(-?)([\w][\w.-]*):((?:"[^"]*"?|[^\s"])+)')
_VALUE = re.compile(r'(?:"[^"]*"?|[^,"])+')
SIGNS = ("<=", ">=", "<", ">")
_STATUS_WORDS = {"progress": "in_progress", "in-progress": "in_progress", "doing": "in_progress"}


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a query: a key with its values, or a text to search for when there is no key."""

    raw: str
    key: str = ""
    values: tuple[str, ...] = ()
    is_excluded: bool = False

    @property
    def is_known(self) -> bool:
        """Whether every board understands it."""
        return self.key in KEYS


def words_of(text: str, now: datetime) -> tuple[Word, ...]:
    """Read a query. What means nothing remains as text to search for."""
    return tuple(_word(piece, now) for piece in _PIECE.findall(text[:LONGEST_QUERY])[:MOST_WORDS])


def _word(piece: str, now: datetime) -> Word:
    pair = _PAIR.fullmatch(piece)
    if pair is None:
        return Word(piece.replace('"', ""))
    key = pair[2].lower()
    values = tuple(one.replace('"', "").strip() for one in _VALUE.findall(pair[3]))
    values = tuple(_meant(key, one) for one in values if one)
    if not values or not all(_is_value(key, one, now) for one in values):
        return Word(piece.replace('"', ""))
    return Word(piece, key, values, pair[1] == "-")


def _meant(key: str, value: str) -> str:
    if key not in ("status", "is", "needs", "due"):
        return value
    value = value.lower()
    return _STATUS_WORDS.get(value, value.replace("-", "_")) if key == "status" else value


def _is_value(key: str, value: str, now: datetime) -> bool:
    if key == "due":
        return value in (NOTHING, "overdue") or days_of(value, now) is not None
    known = {"status": STATUSES, "is": STATES, "needs": NEEDS}.get(key)
    if known is not None:
        return value in known
    field = FIELDS.get(key)
    return field is None or field.is_drawn or value.lower() == NOTHING or _is_typed(field, compared(value)[1])


def _is_typed(field: TaskField, text: str) -> bool:
    try:
        return field.typed(text) is not None
    except ValueError:
        return False


def compared(value: str) -> tuple[str, str]:
    """Return the sign with which a value is compared, or an empty text, and the value."""
    sign = next((one for one in SIGNS if value.startswith(one)), "")
    return sign, value.removeprefix(sign)


def quoted(value: str) -> str:
    """Return a value as it stands in a query."""
    value = value.replace('"', "")
    return f'"{value}"' if re.search(r"[\s,]", value) else value
