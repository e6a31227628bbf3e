"""Values in JSON that others wrote: nothing about their shape is certain."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.shapes import Values


def value_at(value: object, *names: str) -> object:
    """Return what stands below these names, None where one of them is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def values_at(value: object, *names: str) -> Values:
    inner = value_at(value, *names)
    return inner if isinstance(inner, dict) else {}


def rows_at(value: object, *names: str) -> list[Values]:
    inner = value_at(value, *names)
    return [row for row in inner if isinstance(row, dict)] if isinstance(inner, list) else []


def text_at(value: object, *names: str) -> str:
    inner = value_at(value, *names)
    return inner if isinstance(inner, str) else ""
