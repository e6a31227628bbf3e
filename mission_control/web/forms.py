"""From a posted form to a checked model, and the answers that fit both htmx and a plain browser."""

import json
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from quart import Response, request
from werkzeug.datastructures import MultiDict

from mission_control.core.storable import is_storable

SENTENCES = {
    "missing": "Fill this in.",
    "string_type": "Fill this in.",
    "int_parsing": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "float_parsing": "Enter a number.",
    "decimal_parsing": "Enter a number.",
    "bool_parsing": "Choose yes or no.",
    "date_from_datetime_parsing": "Enter a date such as 2026-03-14.",
    "date_parsing": "Enter a date such as 2026-03-14.",
    "datetime_from_date_parsing": "Enter a date and time such as 2026-03-14 15:00.",
    "datetime_parsing": "Enter a date and time such as 2026-03-14 15:00.",
    "enum": "Choose one of the options.",
    "literal_error": "Choose one of the options.",
    "uuid_parsing": "Choose one of the options.",
    "url_parsing": "Enter a full address that starts with https://.",
    "extra_forbidden": "This field is not known here.",
}


UNSTORABLE = "This text holds a character that cannot be stored, such as NUL."


class FormInvalid(Exception):
    """What was typed cannot be used: the values as they were and one sentence per field."""

    def __init__(self, values: dict[str, Any], errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.values = values
        self.errors = errors


async def read_form[Model: BaseModel](model: type[Model]) -> Model:
    """Read the posted form into the model, or raise FormInvalid with the values kept."""
    values = form_values(model, await request.form)
    if unstorable := {name: UNSTORABLE for name, value in values.items() if not is_storable(value)}:
        raise FormInvalid(_complete(model, values), unstorable)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise FormInvalid(_complete(model, values), sentences(error.errors())) from None


def _complete(model: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """What was typed, and for every other field its default: templates show every field of a refused form."""
    shown = dict(values)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in shown:
            blank = False if kinds_of(field.annotation) == {bool} else ""
            shown[key] = blank if field.is_required() else field.get_default(call_default_factory=True)
    return shown


def form_values(model: type[BaseModel], form: MultiDict[str, str]) -> dict[str, Any]:
    """Turn what browsers send into what models expect: lists, unticked boxes, blanks that mean nothing."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        kinds = kinds_of(field.annotation)
        if kinds & {list, set, tuple, frozenset}:
            if key in form:
                values[key] = [item for item in form.getlist(key) if item != ""]
        elif key in form:
            _keep(values, key, form[key], kinds, field)
        elif kinds == {bool}:
            values[key] = False
    return values


def _keep(values: dict[str, Any], key: str, text: str, kinds: set[Any], field: FieldInfo) -> None:
    text = text.replace("\r\n", "\n")
    if text.strip():
        values[key] = text
    elif type(None) in kinds:
        values[key] = None
    elif field.is_required():
        if str in kinds:
            values[key] = ""
    elif kinds == {str}:
        values[key] = text


def kinds_of(annotation: Any) -> set[Any]:
    """The plain types behind an annotation: `Annotated[list[UUID] | None, ...]` gives list and NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kinds_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return set().union(*(kinds_of(part) for part in get_args(annotation)))
    return {origin or annotation}


def sentences(errors: list[ErrorDetails]) -> dict[str, str]:
    """The first problem of each field as a sentence; problems of the whole form stand under `""`."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(str(error["loc"][0]) if error["loc"] else "", _sentence(error))
    return found


def _sentence(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_too_short":
        least = context["min_length"]
        typed = least > 1 and error.get("input")
        return f"Use at least {least} characters." if typed else "Fill this in."
    if kind == "string_too_long":
        return f"Use at most {context['max_length']} characters."
    if kind == "greater_than":
        return f"Enter more than {context['gt']}."
    if kind == "greater_than_equal":
        return f"Enter {context['ge']} or more."
    if kind == "less_than_equal":
        return f"Enter {context['le']} or less."
    if kind in ("value_error", "assertion_error"):
        message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ").strip()
        return message[:1].upper() + message[1:].rstrip(".") + "."
    return SENTENCES.get(kind, "This value cannot be used.")


def is_htmx() -> bool:
    """Whether htmx asks; it then swaps what it gets instead of showing a page."""
    return request.headers.get("HX-Request") == "true"


def done(
    to: str,
    toast: str | None = None,
    undo_action: str = "",
    undo: Mapping[str, str] | None = None,
    undo_label: str = "Undo",
) -> Response:
    """The change is made. htmx: 204, the stream brings the news. Else: on to the page `to`.

    `undo_action` is the address and `undo` the fields of the form that takes it back.
    """
    if not is_htmx():
        return Response("", 303, {"Location": to})
    response = Response("", 204)
    if toast:
        detail: dict[str, Any] = {"message": toast, "target": "body"}
        if undo_action:
            detail["undo"] = {"action": undo_action, "fields": dict(undo or {})}
            if undo_label != "Undo":
                detail["undo"]["label"] = undo_label
        response.headers["HX-Trigger"] = json.dumps({"toast": detail})
    return response


def open_in_panel(response: Response, url: str, push: str) -> Response:
    """Let an open board show beside it what is at `url`, and `push` as the address; others follow their redirect."""
    if is_htmx():
        look = {
            "target": "#panel",
            "select": "#panel > *",
            "swap": "innerHTML",
            "headers": {"HX-Target": "section#panel"},
        }
        response.headers["HX-Location"] = json.dumps({"path": url, "push": push, **look})
    return response


def go(to: str) -> Response:
    """Lead the browser to another page after a form: a redirect that htmx follows as a page too."""
    if is_htmx():
        return Response("", 204, {"HX-Redirect": to})
    return Response("", 303, {"Location": to})
