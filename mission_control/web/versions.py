"""What a form showed: a mark of each of its fields, so that a save changes only what was changed in it.

A field that was not touched takes the newest value. A field that somebody else changed too is a conflict, of that field
alone. A list is merged by its items: those that were added or removed here are added or removed there.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.core.ids import fingerprint

SHORT = 80


class EditConflict(Conflict):
    """Somebody else changed fields that were changed in a form too.

    `values` are those of the form to send again: what was typed, else the newest. `theirs` is what the others wrote.
    """

    def __init__(self, values: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        value = _to(next(iter(theirs.values()))) if len(theirs) == 1 else ""
        message = f"Somebody changed this{value} while you were writing."
        super().__init__(ErrorCode.EDIT_CONFLICT.detail(message, fields=[*theirs]))
        self.values = {**values, "theirs": theirs}
        self.theirs = theirs

    @property
    def errors(self) -> dict[str, str]:
        """A sentence for each field."""
        return {name: f"Somebody changed it{_to(value)}. Saving replaces that." for name, value in self.theirs.items()}


def _to(value: Any) -> str:
    return "" if isinstance(value, UUID) else f" to {in_words(value)}"


def in_words(value: Any) -> str:
    """Return a field's value as it stands in a sentence, such as `on`, `empty` or `“Telescope”`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, list) else str(value if value is not None else "")
    return f"“{text[:SHORT]}{'…' if len(text) > SHORT else ''}”" if text else "empty"


def version_of(values: Mapping[str, Any]) -> str:
    """The marks of the values that a form shows, as its hidden field `version`."""
    return urlencode({name: _mark(value) for name, value in values.items()})


def _mark(value: Any) -> str:
    return ".".join(sorted(map(_mark_of_one, value))) if isinstance(value, list) else _mark_of_one(value)


def _mark_of_one(value: Any) -> str:
    """Nothing, blank and unticked are the same to a form; browsers change line breaks and drop a first one."""
    text = "" if value is None or value is False else str(value)
    return fingerprint(text.replace("\r\n", "\n").lstrip("\n").rstrip())[:12]


def merge(
    version: str, typed: Mapping[str, Any], present: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Return the values to save, those of others that they would overwrite, and the names of untouched fields.

    A field without a mark in the version is saved as typed, one that was not sent is left out.
    """
    merged, theirs, untouched = dict(typed), {}, set()
    for name, mark in parse_qsl(version, keep_blank_values=True):
        if name not in present or name not in typed:
            continue
        now, sent = _mark(present[name]), _mark(typed[name])
        if sent == mark:
            untouched.add(name)
            merged[name] = present[name]
        elif isinstance(typed[name], list):
            merged[name] = _merged_items(mark.split("."), typed[name], present[name] or [])
        elif now not in (mark, sent):
            theirs[name] = present[name]
    return merged, theirs, untouched


def _merged_items(shown: Iterable[str], typed: list[Any], present: list[Any]) -> list[Any]:
    shown, wanted, now = set(shown), {_mark(one) for one in typed}, {_mark(one) for one in present}
    kept = [one for one in present if _mark(one) in wanted or _mark(one) not in shown]
    return kept + [one for one in typed if _mark(one) not in shown | now]
