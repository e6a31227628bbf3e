"""The nine types of custom fields and their valid JSON values."""

import functools
import re
import warnings
from collections.abc import Callable
from datetime import date, datetime
from time import thread_time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from quart import g, has_request_context

if TYPE_CHECKING:
    import regex

LONGEST_PATTERN = 500
LARGEST_UNFOLDED = 5_000
LONGEST_TEXT = 10_000
SECONDS = 0.05
SECONDS_OF_A_REQUEST = 1.0

COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


class PatternTimeout(Exception):
    """The pattern did not finish within its time limit."""


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> "regex.Pattern[str]":
    """Compile a pattern. An invalid one: ValueError with the reason."""
    import regex

    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            flags = re.compile(pattern).flags
            if flags & re.VERBOSE:
                raise ValueError("a pattern cannot use the verbose flag")
            if _unfolded(pattern) > LARGEST_UNFOLDED:
                raise ValueError("the pattern repeats too much")
            return regex.compile(pattern)
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"the pattern cannot be read: {error}") from None


def _unfolded(pattern: str) -> int:
    groups: list[list[int]] = [[]]
    at = 0
    while at < len(pattern):
        length = 1
        if pattern[at] == "\\":
            length = 2
            groups[-1].append(1)
        elif pattern[at] == "[" and (match := CLASS.match(pattern, at)):
            length = len(match[0])
            groups[-1].append(1)
        elif pattern[at] == "(":
            groups.append([])
        elif pattern[at] == ")":
            inner = groups.pop()
            groups[-1].append(1 + sum(inner))
        elif pattern[at] == "{":
            length = _repeat(pattern, at, groups[-1])
        else:
            groups[-1].append(1)
        at += length
    return sum(groups[0])


def _repeat(pattern: str, at: int, parts: list[int]) -> int:
    match = COUNT.match(pattern, at)
    numbers = [int(digits) for digits in (match[1], match[3]) if digits] if match else []
    if not (match and numbers and parts):
        raise ValueError("a brace that is no repetition is written \\{")
    parts[-1] *= max(1, *numbers)
    return len(match[0])


def matches(pattern: str, text: str) -> bool:
    """Raise PatternTimeout after `SECONDS`, or the request's limit."""
    ready, spent = compiled(pattern), g.get("seconds_of_patterns", 0.0) if has_request_context() else 0.0
    if spent >= SECONDS_OF_A_REQUEST:
        raise PatternTimeout
    begun = thread_time()
    try:
        return ready.fullmatch(text, timeout=SECONDS) is not None
    except TimeoutError:
        raise PatternTimeout from None
    finally:
        if has_request_context():
            g.seconds_of_patterns = spent + thread_time() - begun


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


def mismatch(field: FieldLike, value: object) -> str | None:
    """Null is always valid."""
    if value is None:
        return None
    if wrong := type_mismatch(field.field_type, value):
        return wrong
    if not field.validation_regex or field.field_type not in WITH_PATTERN:
        return None
    return pattern_mismatch(field.validation_regex, str(value))


def type_mismatch(field_type: str, value: object) -> str | None:
    fits, type_words = _CHECKS[field_type]
    return None if fits(value) else f"It must be {type_words}."


def pattern_mismatch(pattern: str, value: str) -> str | None:
    if len(value) > LONGEST_TEXT:
        return f"It must have at most {LONGEST_TEXT} characters."
    try:
        return None if matches(pattern, value) else "It does not match the field's pattern."
    except PatternTimeout:
        return "Checking it against the field's pattern took too long."


def _reads(read: Callable[[str], object], value: object) -> bool:
    try:
        return isinstance(value, str) and read(value) is not None
    except ValueError:
        return False


def _host(text: str) -> str | None:
    parts = urlsplit(text)
    return parts.hostname if parts.scheme in ("http", "https") else None


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "text"),
    "text_long": (lambda value: isinstance(value, str), "text"),
    "integer": (lambda value: type(value) is int, "a whole number"),
    "decimal": (lambda value: type(value) in (int, float), "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "date": (lambda value: _reads(date.fromisoformat, value), "a date such as 2026-12-31"),
    "date_time": (lambda value: _reads(datetime.fromisoformat, value), "a moment such as 2026-12-31T08:00:00Z"),
    "url": (lambda value: _reads(_host, value), "an http or https address"),
    "json": (lambda value: isinstance(value, dict | list), "an object or a list"),
}
