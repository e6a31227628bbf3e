"""The schemas of the OpenAPI document, as programs that generate clients can use them, with a meaning for each name.

`vocabulary.txt` says what names of fields and parameters mean whose declaration does not say it. It has a line for each
name; `Shape.name` is that field of one schema, `?name` a query parameter.
"""

import functools
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mission_control.core.values import ErrorResponse, HTTPValidationError
from mission_control.http.agent_news import News
from mission_control.http.registry import OPERATIONS

ID = "01a20f89-2bd7-774c-8be4-ab89967d70a3"
FORMATS: dict[str, str] = {
    "uuid": ID,
    "date-time": "2026-12-24T12:00:00Z",
    "date": "2026-12-24",
    "email": "ada@example.org",
    "uri": "https://example.org/",
}
REF = "#/components/schemas/{model}"

# A JSON schema, or another part of the document.
type Part = dict[str, Any]
type References = dict[Any, Part]


def schemas() -> tuple[Part, References]:
    pairs: dict[tuple[type[BaseModel], Any], None] = {
        (News, "serialization"): None,
        (ErrorResponse, "serialization"): None,
        (HTTPValidationError, "serialization"): None,
    }
    for operation in OPERATIONS:
        for shape, mode in [(operation.body, "validation"), (operation.returns, "serialization")]:
            for model in _models(shape):
                pairs[(model, mode)] = None
        for shape in operation.errors.values():
            pairs[(shape, "serialization")] = None
    references, defs = models_json_schema(list(pairs), ref_template=REF)
    named = {name: _model(schema) for name, schema in defs.get("$defs", {}).items()}
    _add_news(named, dict(references))
    return named, dict(references)


def _add_news(named: Part, references: References) -> None:
    carrying: set[Any] = {ErrorResponse, HTTPValidationError}
    for operation in OPERATIONS:
        if operation.carries_news:
            carrying |= {operation.returns, *operation.errors.values()}
    news = references[(News, "serialization")] | {"description": "What is new for the agent that called"}
    for model in carrying:
        if (reference := references.get((model, "serialization"))) is not None:
            named[reference["$ref"].rpartition("/")[2]].setdefault("properties", {})["news"] = news


def fields_of(model: type[BaseModel]) -> dict[str, tuple[Part, bool]]:
    schema = model.model_json_schema(ref_template=REF)
    required = schema.get("required", [])
    return {name: (plain(part), name in required) for name, part in schema["properties"].items()}


def _models(shape: object) -> list[type[BaseModel]]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [shape]
    return [model for part in get_args(shape) for model in _models(part)]


def _model(schema: Part) -> Part:
    """Return a model's schema, plain but for its own title; a field that does not say what it means gets a meaning.

    What a field counts as that a request leaves out is its `x-default`: openapi-typescript makes what has a `default`
    required, as it is in answers.
    """
    model: Part = plain(schema)
    if (title := schema.get("title")) is None:
        return model
    for name, part in model.get("properties", {}).items():
        if "default" in part and name not in model.get("required", ()):
            part["x-default"] = part.pop("default")
        if "description" not in part and "$ref" not in part and (words := meaning(name, f"{title}.")):
            part["description"] = words
    return {"title": title, **model}


def plain(schema: object) -> Any:
    """Return a schema without the titles of its fields, `default: null` and constant booleans.

    A title such as "Due At" says nothing, and generators name types after it. `default: null` is wrong in the body of a
    PATCH, where a field that is left out is no null: validators that are generated from it would send one. And for
    `const: true` openapi-generator wants the text "true".
    """
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain_part(key, part) for key, part in schema.items() if not _is_left_out(key, part)}


def _is_left_out(key: str, part: object) -> bool:
    return key == "title" or (key == "default" and part is None) or (key == "const" and isinstance(part, bool))


def _plain_part(key: str, part: Any) -> Any:
    if key in ("properties", "$defs"):  # here the keys are names of fields, `title` among them
        return {name: plain(schema) for name, schema in part.items()}
    return part if key in ("examples", "enum", "const", "default", "required") else plain(part)


@functools.cache
def vocabulary() -> dict[str, str]:
    lines = Path(__file__).with_name("vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def meaning(name: str, place: str) -> str:
    """Return what a name means in a schema (`TaskRead.`), in a query (`?`) or in a path (``), or ""."""
    return vocabulary().get(place + name) or vocabulary().get(name, "")


def example_of(schema: Part, schemas: Part) -> object:
    schema = _followed(schema, schemas)
    for example in (schema.get("examples", [None])[0], schema.get("x-default"), schema.get("const")):
        if example is not None:
            return example
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        kinds = schema["anyOf"]
        return example_of(next((kind for kind in kinds if kind.get("type") != "null"), kinds[0]), schemas)
    return _example_of_type(schema, schemas)


def _example_of_type(schema: Part, schemas: Part) -> object:
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


def _followed(schema: Part, schemas: Part) -> Part:
    while "$ref" in schema:
        target = schemas[schema["$ref"].rpartition("/")[2]]
        schema = target | {name: part for name, part in schema.items() if name != "$ref"}
    return schema


def _object(schema: Part, schemas: Part) -> Part:
    fields = schema.get("properties", {})
    names = schema.get("required") or list(fields)[:1]
    return {name: example_of(fields[name], schemas) for name in names}
