"""The nine types of custom fields and their valid JSON values."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from mission_control.custom_fields.patterns import LONGEST_TEXT, PatternTimeout, matches

TYPES = ("text", "text_long", "integer", "decimal", "boolean", "date", "date_time", "url", "json")
ALIASES = {
    "text (long)": "text_long",
    "long_text": "text_long",
    "true/false": "boolean",
    "date & time": "date_time",
    "datetime": "date_time",
}
WITH_PATTERN = {"text", "text_long", "date", "date_time", "url"}


class FieldLike(Protocol):
    """The attributes of a field that checking a value needs."""

    field_type: str
    validation_regex: Any


def mismatch(field: FieldLike, value: Any) -> str | None:
    """Return why a value is invalid for a field, or None. Null is always valid."""
    if value is None:
        return None
    return type_mismatch(field.field_type, value) or _pattern_mismatch(field, value)


def type_mismatch(field_type: str, value: Any) -> str | None:
    """Return why a value is not of a type, or None."""
    fits, wanted = _CHECKS[field_type]
    return None if fits(value) else f"It must be {wanted}."


def _pattern_mismatch(field: FieldLike, value: Any) -> str | None:
    if not field.validation_regex or field.field_type not in WITH_PATTERN:
        return None
    return pattern_mismatch(field.validation_regex, value)


def pattern_mismatch(pattern: str, value: str) -> str | None:
    """Return why a text does not match a pattern, or None."""
    if len(value) > LONGEST_TEXT:
        return f"It must have at most {LONGEST_TEXT} characters."
    try:
        return None if matches(pattern, value) else "It does not match the field's pattern."
    except PatternTimeout:
        return "Checking it against the field's pattern took too long."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads(read: Callable[[str], Any], value: Any) -> bool:
    try:
        return isinstance(value, str) and read(value) is not None
    except ValueError:
        return False


def _is_address(value: Any) -> bool:
    return _reads(lambda text: urlsplit(text).hostname if urlsplit(text).scheme in ("http", "https") else None, value)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, "text"),
    "text_long": (_is_text, "text"),
    "integer": (_is_whole, "a whole number"),
    "decimal": (_is_number, "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "date": (lambda value: _reads(date.fromisoformat, value), "a date such as 2026-12-31"),
    "date_time": (lambda value: _reads(datetime.fromisoformat, value), "a moment such as 2026-12-31T08:00:00Z"),
    "url": (_is_address, "an http or https address"),
    "json": (lambda value: isinstance(value, dict | list), "an object or a list"),
}
