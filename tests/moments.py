"""Moments in answers, held against RFC 3339 by checkers that others wrote."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from rfc3339_validator import validate_rfc3339

from mission_control.core import times

BEGINS_LIKE_A_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def parsed(text: str) -> datetime:
    """Return a moment of an answer as the program holds it."""
    return times.naive_utc(datetime.fromisoformat(text))


def loose_moments(value: Any) -> list[str]:
    """Return every text in an answer that reads like a moment and is none of RFC 3339 in UTC."""
    return [text for text in _texts(value) if BEGINS_LIKE_A_MOMENT.match(text) and not _is_strict(text)]


def _is_strict(text: str) -> bool:
    return text.endswith("Z") and validate_rfc3339(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def unlike_the_document(document: dict[str, Any], method: str, path: str, status: int, answer: Any) -> list[str]:
    """Return what an answer does otherwise than the OpenAPI document says, formats such as `date-time` included."""
    said = document["paths"][path][method.lower()]["responses"][str(status)]["content"]["application/json"]
    schema = {**said["schema"], "components": document["components"]}
    found = Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(answer)
    return [f"{one.json_path}: {one.message}" for one in found]
