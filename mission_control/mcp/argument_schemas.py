"""The JSON schemas of arguments, as short as a model can use them: they are read in every session of every client."""

from typing import Any

from pydantic import BaseModel

from mission_control.operations.openapi_schemas import plain

# What says nothing to who writes a call, or is met so seldom that the refusal is enough: the form of an id, lengths.
SILENT = ("format", "minLength", "maxLength", "maxItems")
EMPTY: tuple[Any, ...] = (None, [], "", 0, "0", False)


def argument_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a tool's arguments. Null counts as not given, so it is no alternative."""
    schema = plain(model.model_json_schema())
    defs = schema.pop("$defs", {})
    return {"type": "object", **_short(schema, defs, is_named=False), "additionalProperties": False}


def _short(node: dict[str, Any], defs: dict[str, Any], *, is_named: bool = True) -> dict[str, Any]:
    """Return one schema without references, titles and what is silent; `is_named`: its description is the field's."""
    if "$ref" in node:
        node = _as_object(defs[node["$ref"].rpartition("/")[2]]) | {k: v for k, v in node.items() if k != "$ref"}
    alternatives = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    if alternatives:  # a number that may be written as a text is shown as a number
        node = alternatives[0] | {key: part for key, part in node.items() if key != "anyOf"}
        if "$ref" in node:
            return _short(node, defs)
    kept = {key: part for key, part in node.items() if key not in SILENT and not _is_empty_default(key, part)}
    if not is_named:
        kept.pop("description", None)
    if "properties" in kept:
        kept["properties"] = {name: _short(one, defs) for name, one in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _short(kept["items"], defs, is_named=False)
    if kept.get("additionalProperties") is True or "properties" in kept:
        kept.pop("additionalProperties", None)
    return kept


def _as_object(node: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in node.items() if key != "description"}


def _is_empty_default(key: str, part: Any) -> bool:
    return (key == "default" and part in EMPTY) or (key == "minimum" and part in (0, 1))
