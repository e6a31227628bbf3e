"""The names that a shape knows, for errors about one that it does not know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

UNKNOWN = "Extra inputs are not permitted"
MOST_NAMES, LONGEST_NAME = 20, 64


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


def _objects(node: Any, whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
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
