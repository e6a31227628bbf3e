"""What a request gives to an operation: its body, the ids of its path, its query; 422 when they are not as declared.

The fence of an agent's assignment comes in the header `X-Task-Fence`, in the body as `fence`, or in both.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from quart import request

from mission_control.core.actor import Actor
from mission_control.core.errors import ErrorCode, Invalid, NotFound, SchemaError, schema_error, shortened
from mission_control.core.values import (
    MOST_PROBLEMS,
    MOST_VALUES,
    NO_ID,
    exceeds_values,
    parse_id,
    refuse_unstorable,
    sibling_names,
    to_json,
    unknown_name,
    wanted_id,
)
from mission_control.http.registry import Ids, Operation

FIELD = "fence"
HIGHEST = 2**31
# A string of JSON, or the beginning of one that does not end.
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
# A shape as the validator names it; fields begin with a small letter and have no bracket.
SHAPE = re.compile(r"[A-Z]|[\w-]+\[")
# No body at all, which is something else than `null`.
NOTHING: Any = ...


async def parsed_body() -> object:
    """Return the body as JSON, its text when the content type says something else, or NOTHING.

    Invalid when it is no JSON.
    """
    text = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    if not text.strip():
        return NOTHING
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return text.decode("utf-8", "replace")
    if _is_limited() and text.count(b",") > MOST_VALUES and STRING.sub(b"", text).count(b",") > MOST_VALUES:
        raise _too_many_values()  # before they are read, which takes everybody's time
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # a plain ValueError is a number of thousands of digits
        position = getattr(error, "pos", getattr(error, "start", 0))
        reason = getattr(error, "msg", str(error))
        problem = schema_error("json_invalid", ["body", position], "JSON decode error", {}, error=reason)
        raise Invalid([problem]) from None


def _is_limited() -> bool:
    return getattr(request, "own_limit", None) is None


def _too_many_values() -> Invalid:
    return Invalid([schema_error("too_many_values", ["body"], f"A body has at most {MOST_VALUES} values")])


def path_ids(values: dict[str, str], path: str) -> Ids:
    """Return the ids of an address by name; a part that `path` has as `<string:name>` stays text.

    Something that is no id names nothing: NotFound.
    """
    ids: Ids = {}
    for name, text in values.items():
        if (id := text if f"<string:{name}>" in path else parse_id(text)) is None:
            raise NotFound(f"`{shortened(text)}` is no id. {wanted_id([name])}.")
        ids[name] = id
    return ids


def validated(
    body: TypeAdapter[Any] | None, raw: object, query: type[BaseModel] | None, *, needs_body: bool, is_lenient: bool
) -> dict[str, object]:
    """Return `query` and `data` as the declared shapes read them; Invalid lists everything wrong in both.

    Parameters that nothing declares are refused, unless it `is_lenient`.
    """
    arguments: dict[str, object] = {}
    problems = [] if is_lenient else _undeclared(_parameters(query) if query is not None else {})
    if query is not None:
        arguments["query"] = _checked(lambda: _read_query(query), "query", problems)
    if body is not None:
        is_left_out = raw is NOTHING and not needs_body
        arguments["data"] = None if is_left_out else _checked(lambda: _read_body(body, raw), "body", problems)
        _name_siblings(body, problems)
    if problems:
        raise Invalid(problems)
    return arguments


def _name_siblings(body: TypeAdapter[Any], problems: list[SchemaError]) -> None:
    """Have each refusal of an unknown field of the body say which ones there are."""
    for problem in problems:
        if problem["type"] == "extra_forbidden" and problem["loc"][0] == "body":
            problem["msg"] = unknown_name(problem["loc"][-1], sibling_names(_schema(body), problem["loc"][1:]))


def _undeclared(declared: Mapping[str, bool]) -> list[SchemaError]:
    names = [name for name in request.args if name not in declared][:MOST_PROBLEMS]
    return [
        schema_error("extra_forbidden", ["query", name], unknown_name(name, declared), request.args[name])
        for name in names
    ]


@functools.cache
def _schema(body: TypeAdapter[Any]) -> dict[str, object]:
    return body.json_schema()


def _checked(read: Callable[[], object], place: str, problems: list[SchemaError]) -> object:
    try:
        return read()
    except ValidationError as error:
        problems += [_item(item, place) for item in error.errors(include_url=False)[:MOST_PROBLEMS]]
    except Invalid as error:
        problems += error.detail if isinstance(error.detail, list) else []
    return None


@functools.cache
def _parameters(query: type[BaseModel]) -> dict[str, bool]:
    fields = query.model_fields.items()
    return {info.alias or name: "list[" in str(info.annotation) for name, info in fields}


def _read_query(model: type[BaseModel]) -> BaseModel:
    values: dict[str, Any] = {}
    for key, may_repeat in _parameters(model).items():
        if sent := request.args.getlist(key):
            values[key] = sent if may_repeat else sent[-1]
    refuse_unstorable(values, "query")
    parsed = model.model_validate(values)
    refuse_unstorable(parsed.model_dump(), "query")
    return parsed


def _read_body(body: TypeAdapter[Any], raw: object) -> object:
    if raw is NOTHING:
        raise Invalid([schema_error("missing", ["body"], "Field required")])
    if isinstance(raw, str):
        msg = "Input should be a valid dictionary or object to extract fields from"
        if not request.is_json:
            msg += "; send it as Content-Type: application/json"
        raise Invalid([schema_error("model_attributes_type", ["body"], msg, _json_or_repr(raw))])
    if _is_limited() and exceeds_values(raw, MOST_VALUES):
        raise _too_many_values()
    refuse_unstorable(raw, "body")
    return body.validate_python(raw)


def _item(error: ErrorDetails, place: str) -> SchemaError:
    value = None if place == "query" and error["type"] == "missing" else error.get("input")
    says = wanted_id(error["loc"]) if error["type"] in NO_ID else error["msg"]
    context = {
        key: str(part) if isinstance(part, Exception) else _json_or_repr(part)
        for key, part in error.get("ctx", {}).items()
    }
    return schema_error(error["type"], [place, *_place_of(error)], says, _json_or_repr(shortened(value)), **context)


def _place_of(error: ErrorDetails) -> tuple[str | int, ...]:
    """Return where an error is, without the name that the validator gives to one of several shapes of a body."""
    place = error["loc"]
    is_inside = len(place) > 1 or error["type"] != "extra_forbidden"
    return place[1:] if place and is_inside and SHAPE.match(str(place[0])) else place


def _json_or_repr(value: object) -> object:
    try:
        to_json(value)
    except TypeError:
        return repr(value)
    return value


def takes_fence(entry: Operation) -> bool:
    """Return whether an operation is a write of an agent about a task, whose path or body names it. A claim is none."""
    if entry.method == "GET" or entry.who not in ("agent", "actor") or entry.is_long_poll:
        return False
    return "<task_id>" in entry.path or any(
        {"task_id", "task_ids"} & set(shape.model_fields) for shape in _shapes(entry)
    )


def with_fence(entry: Operation, actor: Actor | None, raw: object) -> tuple[Actor | None, object]:
    """Return the agent with the fence that it sent, and the body as the operation declares it.

    A body that declares no `fence` loses it, one that does gets that of the header. Raise Invalid when the two differ.
    """
    if actor is None or not actor.is_agent or not isinstance(raw, dict) or not takes_fence(entry):
        return actor, raw
    body = {**raw}
    if body.get(FIELD) is not None:
        actor = _holding(actor, body.pop(FIELD))
    if actor.fence is not None and any(FIELD in shape.model_fields for shape in _shapes(entry)):
        body[FIELD] = actor.fence
    return actor, body


def _holding(actor: Actor, sent: object) -> Actor:
    refuse_unstorable({FIELD: sent}, "body")
    if not isinstance(sent, int) or isinstance(sent, bool) or not 0 <= sent < HIGHEST:
        raise Invalid(
            [schema_error("int_type", ["body", FIELD], "The fence is the number that the claim answered", sent)]
        )
    if actor.fence not in (None, sent):
        raise Invalid(ErrorCode.FENCES_DIFFER.detail())
    return replace(actor, fence=sent)


def _shapes(entry: Operation) -> list[type[BaseModel]]:
    options = (entry.body, *get_args(entry.body))
    return [shape for shape in options if isinstance(shape, type) and issubclass(shape, BaseModel)]
