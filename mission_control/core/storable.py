"""What no column and no log takes: NUL, lone surrogates, integers beyond 64 bits, no numbers, nesting without end."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from mission_control.core.errors import Invalid, schema_error

UNKNOWN = "Extra inputs are not permitted"
MOST_NAMES, LONGEST_NAME = 20, 64


# The names that a shape knows, for errors about one that it does not know.
def unknown_name(name: object, known: Iterable[str]) -> str:
    """Return a sentence about a name that is not known, with the nearest one, or all when there are few."""
    names, said = list(known), str(name)[:LONGEST_NAME].lower()
    near = get_close_matches(said, names, 1) or [one for one in names if len(said) > 2 and one.startswith(said)]
    if near:
        return f"{UNKNOWN}; did you mean `{near[0]}`?"
    return f"{UNKNOWN}; known here: {', '.join(names)}" if 0 < len(names) <= MOST_NAMES else UNKNOWN


def sibling_names(schema: Mapping[str, Any], path: Sequence[str | int]) -> list[str]:
    """Return the fields of the object that holds what `path` names, by the JSON schema of the whole.

    Parts of the path that only choose between alternatives are passed over.
    """
    found = list(_objects(schema, schema))
    for part in path[:-1]:
        inner = [one for node in found for one in _inside(node, part, schema)]
        found = inner or found
    return list(dict.fromkeys(name for node in found for name in node.get("properties", ())))


def _inside(node: Mapping[str, Any], part: str | int, whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if isinstance(part, int):
        yield from _objects(node.get("items", {}), whole)
    elif part in node.get("properties", ()):
        yield from _objects(node["properties"][part], whole)


def _objects(node: object, whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Follow references and alternatives."""
    if not isinstance(node, Mapping):
        return
    if "$ref" in node:
        yield from _objects(whole["$defs"][node["$ref"].rpartition("/")[2]], whole)
    elif alternatives := node.get("anyOf") or node.get("oneOf"):
        for one in alternatives:
            yield from _objects(one, whole)
    else:
        yield node


INT64 = 2**63
DEEPEST = 100
MOST_VALUES = 20_000  # of one body
MOST_PROBLEMS = 100  # reported per request: each is longer than what causes it


def exceeds_values(value: object, most: int) -> bool:
    """Return whether lists and objects have more than `most` members in all; cheap, for it looks at nothing else."""
    found, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            found += len(one)
            if found > most:
                return True
            left.extend(one.values() if isinstance(one, dict) else one)
    return False


def refuse_unstorable(value: object, place: str) -> None:
    """Refuse a value that cannot be stored (Invalid), naming each place; `place` begins them, such as `body`."""
    if not _is_storable(value, 1):
        raise Invalid(_unstorable(value, [place])[:MOST_PROBLEMS])


def is_storable(value: object) -> bool:
    return _is_storable(value, 1)


def _is_storable(value: object, depth: int) -> bool:
    """Return whether there is no problem. Finding the place costs more and is rarely needed."""
    if isinstance(value, str):
        return "\x00" not in value and (value.isascii() or _is_unicode(value))
    if isinstance(value, dict | list) and depth > DEEPEST:
        return False
    if isinstance(value, dict):
        return all(
            (not isinstance(key, str) or _is_storable(key, depth + 1)) and _is_storable(one, depth + 1)
            for key, one in value.items()
        )
    if isinstance(value, list):
        return all(_is_storable(one, depth + 1) for one in value)
    if isinstance(value, int):
        return -INT64 <= value < INT64
    return not isinstance(value, float) or math.isfinite(value)


def _unstorable(value: object, loc: list[str | int]) -> list[dict[str, object]]:
    if isinstance(value, dict | list) and len(loc) > DEEPEST:
        return [schema_error("nested_too_deeply", loc[:2], f"Values are nested at most {DEEPEST} deep")]
    if isinstance(value, dict):
        keys = [p for key in value if isinstance(key, str) for p in _unstorable(key, [*loc, _safe(key)])]
        return keys + [p for key, one in value.items() for p in _unstorable(one, [*loc, _safe(key)])]
    if isinstance(value, list):
        return [p for index, one in enumerate(value) for p in _unstorable(one, [*loc, index])]
    if isinstance(value, str) and ("\x00" in value or not _is_unicode(value)):
        return [schema_error("string_unicode", loc, "Text must be Unicode without NUL characters", _safe(value))]
    if isinstance(value, int) and not -INT64 <= value < INT64:
        return [schema_error("int_parsing_size", loc, "Integers must fit 64 bits", str(value)[:40])]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return [schema_error("finite_number", loc, "Input should be a finite number", str(value))]
    return []


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")
