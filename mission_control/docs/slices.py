"""The part of the OpenAPI document for some tags, valid by itself, with its components."""

from collections.abc import Collection, Iterator
from typing import Any


def sliced(document: dict[str, Any], tags: Collection[str]) -> dict[str, Any]:
    """Return a document with the operations of these tags and their components."""
    paths = {
        path: kept
        for path, methods in document["paths"].items()
        if (kept := {method: one for method, one in methods.items() if not set(tags).isdisjoint(one["tags"])})
    }
    operations = [one for methods in paths.values() for one in methods.values()]
    carried = {tag for one in operations for tag in one["tags"]}
    return document | {
        "tags": [one for one in document["tags"] if one["name"] in carried],
        "paths": paths,
        "components": _components(document, operations),
    }


def _components(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    everything: dict[str, dict[str, Any]] = document["components"]
    wanted = needed(document, operations)
    wanted |= {("securitySchemes", name) for one in operations for scheme in one["security"] for name in scheme}
    found = {kind: {name: one for name, one in of.items() if (kind, name) in wanted} for kind, of in everything.items()}
    return {kind: of for kind, of in found.items() if of}


def needed(document: dict[str, Any], node: Any) -> set[tuple[str, str]]:
    """Return kind and name of every component referred to, directly or indirectly."""
    found: set[tuple[str, str]] = set()
    waiting = [node]
    while waiting:
        for reference in _references(waiting.pop()):
            _, _, kind, name = reference.split("/")
            if (kind, name) not in found:
                found.add((kind, name))
                waiting.append(document["components"][kind][name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for one in node.values():
            yield from _references(one)
    elif isinstance(node, list):
        for one in node:
            yield from _references(one)
