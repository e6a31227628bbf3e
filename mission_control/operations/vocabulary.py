"""What names of fields and parameters mean, for those whose declaration does not say it.

`vocabulary.txt` has a line for each name; `Shape.name` is that field of one schema, `?name` a query parameter.
"""

import functools
from pathlib import Path
from typing import Any


@functools.cache
def vocabulary() -> dict[str, str]:
    """Return the meaning of each name."""
    lines = Path(__file__).with_name("vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def meaning(name: str, place: str) -> str:
    """Return what a name means in a schema (`TaskRead.`), in a query (`?`) or in a path (``), or ""."""
    return vocabulary().get(place + name) or vocabulary().get(name, "")


def described(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which every field has a description, or refers to a schema that has one."""
    if "properties" not in schema:
        return schema
    fields = {name: _field(part, meaning(name, f"{title}.")) for name, part in schema["properties"].items()}
    return schema | {"properties": fields}


def _field(part: dict[str, Any], words: str) -> dict[str, Any]:
    return part if "description" in part or "$ref" in part or not words else part | {"description": words}
