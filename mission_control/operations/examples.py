"""An example of what a shape admits, for the OpenAPI document: its own where it has one, else the least of it."""

from typing import Any

ID = "01a20f89-2bd7-774c-8be4-ab89967d70a3"
FORMATS: dict[str, str] = {
    "uuid": ID,
    "date-time": "2026-12-24T12:00:00Z",
    "date": "2026-12-24",
    "email": "ada@example.org",
    "uri": "https://example.org/",
}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return an example of a JSON schema whose references are named in `schemas`."""
    schema = _followed(schema, schemas)
    for known in (schema.get("examples", [None])[0], schema.get("default"), schema.get("const")):
        if known is not None:
            return known
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(_first_schema(schema["anyOf"]), schemas)
    match schema.get("type"):
        case "object":
            return _object(schema, schemas)
        case "array":
            return [example_of(schema["items"], schemas)] if schema.get("items") else []
        case "string":
            return FORMATS.get(schema.get("format", ""), "text")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return {}


def _followed(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found = schemas[schema["$ref"].rpartition("/")[2]]
        schema = found | {name: part for name, part in schema.items() if name != "$ref"}
    return schema


def _first_schema(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first kind that is not null."""
    return next((kind for kind in kinds if kind.get("type") != "null"), kinds[0])


def _object(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the required fields, or the first field when none is required."""
    fields = schema.get("properties", {})
    wanted = schema.get("required") or list(fields)[:1]
    return {name: example_of(fields[name], schemas) for name in wanted}
