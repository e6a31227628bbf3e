"""The schemas of the OpenAPI document, as programs that generate clients can use them."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mission_control.core.schemas import ErrorResponse, HTTPValidationError
from mission_control.operations.registry import OPERATIONS
from mission_control.operations.vocabulary import described

REF = "#/components/schemas/{model}"

References = dict[Any, dict[str, Any]]


def schemas() -> tuple[dict[str, Any], References]:
    """Return the schemas by name, and a reference for each pair of model and mode."""
    wanted: dict[tuple[type[BaseModel], Any], None] = {
        (ErrorResponse, "serialization"): None,
        (HTTPValidationError, "serialization"): None,
    }
    for one in OPERATIONS:
        for shape, mode in [(one.body, "validation"), (one.returns, "serialization")]:
            for model in _models(shape):
                wanted[(model, mode)] = None
        for shape in one.errors.values():
            wanted[(shape, "serialization")] = None
    references, defs = models_json_schema(list(wanted), ref_template=REF)
    return {name: _model(schema) for name, schema in defs.get("$defs", {}).items()}, dict(references)


def fields_of(model: type[BaseModel]) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return the schemas of a model's fields, by the names that requests use, and whether each is required."""
    schema = model.model_json_schema(ref_template=REF)
    required = schema.get("required", [])
    return {name: (plain(part), name in required) for name, part in schema["properties"].items()}


def _models(shape: Any) -> list[type[BaseModel]]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [shape]
    return [model for part in get_args(shape) for model in _models(part)]


def _model(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a model's schema, plain but for its own title."""
    if "title" not in schema:
        return dict(plain(schema))
    return {"title": schema["title"], **described(schema["title"], plain(schema))}


def plain(schema: Any) -> Any:
    """Return a schema without the titles of its fields, `default: null` and constant booleans.

    A title such as "Due At" says nothing, and generators name types after it. `default: null` is wrong in the body of a
    PATCH, where a field that is left out is no null: validators that are generated from it would send one. And for
    `const: true` openapi-generator wants the text "true".
    """
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain_part(key, part) for key, part in schema.items() if not _is_left_out(key, part)}


def _is_left_out(key: str, part: Any) -> bool:
    return key == "title" or (key == "default" and part is None) or (key == "const" and isinstance(part, bool))


def _plain_part(key: str, part: Any) -> Any:
    if key in ("properties", "$defs"):  # here the keys are names of fields, `title` among them
        return {name: plain(one) for name, one in part.items()}
    return part if key in ("examples", "enum", "const", "default", "required") else plain(part)
