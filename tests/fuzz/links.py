"""Links that the search for failing sequences follows, besides those it infers.

They are written into the document as the search reads it. The served document has none: they would make it longer for
every agent that reads it.
"""

from typing import Any

from tests.fuzz.known import names, places

BEGINNING = ("/api/v1/users/me", "get")
Operation = tuple[str, dict[str, Any]]


def add_links(document: dict[str, Any]) -> None:
    """Lead from a beginning to what needs no id, from lists and new things to a thing, from a deletion to the gone."""
    operations = [(path, one) for path, methods in document["paths"].items() for one in methods.values()]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (path, method) == BEGINNING:
                links = {to["operationId"]: _link(to, {}) for other, to in operations if _begins(other, operations)}
            elif method == "delete":
                links = _again(path, operations)
            else:
                links = _into(path, operation, operations)
            _answer(operation).setdefault("links", {}).update(links)


def _begins(path: str, operations: list[Operation]) -> bool:
    """Whether a path needs no id, or is where things are made."""
    return "{" not in path or any(_thing(other).rpartition("/")[0] == path for other, _ in operations)


def _again(path: str, operations: list[Operation]) -> dict[str, Any]:
    ids = {name: f"$request.path.{name}" for name in names(path)}
    return {to["operationId"]: _link(to, ids) for other, to in operations if _thing(other) == path}


def _into(path: str, operation: dict[str, Any], operations: list[Operation]) -> dict[str, Any]:
    shown = _id_in(_answer(operation))
    ids = {name: f"$request.path.{name}" for name in names(path)}
    found = {}
    for other, to in operations:
        above, _, last = _thing(other).rpartition("/")
        if shown and above == path:
            found[to["operationId"]] = _link(to, {**ids, last.strip("{}"): shown})
    return found


def _link(to: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    # `is_inferred` lets an expression mean any of the elements.
    named = {f"path.{name}": value for name, value in ids.items()}
    return {"operationId": to["operationId"], "parameters": named, "x-schemathesis": {"is_inferred": True}}


def _answer(operation: dict[str, Any]) -> dict[str, Any]:
    [good] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    answer: dict[str, Any] = good
    return answer


def _id_in(answer: dict[str, Any]) -> str | None:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("type") == "array":
        return "$response.body#/*/id"
    name = schema.get("$ref", "").rpartition("/")[2]
    return "$response.body#/items/*/id" if name.startswith("Page_") else "$response.body#/id"


def _thing(path: str) -> str:
    """The deepest thing that a path names."""
    return next(reversed(list(places(path))), "")
