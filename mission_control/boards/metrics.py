"""Success metrics as text: one line each, `name: value`."""

from typing import Any

import orjson


def as_lines(metrics: dict[str, Any] | None) -> str:
    """Return metrics as lines; other than plain values as JSON."""
    return "\n".join(f"{name}: {_as_text(value)}" for name, value in (metrics or {}).items())


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def from_lines(text: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Parse metrics from lines; an unchanged line keeps its value. A line without a colon: ValueError."""
    metrics: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, wanted = (part.strip() for part in line.partition(":"))
        if not (name and colon and wanted):
            raise ValueError(f"write each line as what is measured, a colon and how much; this one is not: {line[:80]}")
        kept = (known or {}).get(name)
        metrics[name] = kept if kept is not None and _as_text(kept) == wanted else wanted
    return metrics


def as_rows(metrics: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Return metrics as names and values for reading: a mapping below a name stands in one line."""
    return [(name.replace("_", " "), _in_words(value)) for name, value in (metrics or {}).items()]


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_in_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return _as_text(value)
