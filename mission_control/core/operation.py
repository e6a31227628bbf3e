"""One operation of the JSON API: its checks in the contract's order, its answer, and its OpenAPI entry.

The order is: a body that is no JSON (422), credentials (401), the look-up (404), the rule (403), the schema
(422), and then whatever the handler finds.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from quart import Blueprint, Response, request

from mission_control.core.authn import Who, authenticate
from mission_control.core.errors import Invalid, NotFound, schema_error
from mission_control.core.ids import parse_id
from mission_control.core.json import to_json
from mission_control.core.policy import require
from mission_control.core.preconditions import tagged
from mission_control.core.registry import OPERATIONS, Handler, Hints, Operation, reads_one_thing
from mission_control.core.retries import written
from mission_control.core.token_scopes import require_scope
from mission_control.web.request_log import waits

LENIENT_IDS = {"board_id", "approval_id", "agent_id"}
INT64 = 2**63
DEEPEST = 100


def operation(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    operation_id: str,
    tags: tuple[str, ...],
    who: Who,
    returns: Any,
    find: Callable[..., Awaitable[Any]] | None = None,
    verb: str | None = None,
    body: Any = None,
    query: type[BaseModel] | None = None,
    errors: Mapping[int, Any] | None = None,
    hints: Hints | None = None,
    is_stream: bool = False,
    is_atomic: bool = True,
    is_long_poll: bool = False,
    needs_body: bool = True,
    status: int = 200,
    media: tuple[str, ...] = ("application/json",),
    form: Mapping[str, Any] | None = None,
) -> Callable[[Handler], Handler]:
    """Serve a function as an operation.

    The function gets the actor, then what `find(actor, **ids)` found (or the ids of the path by name), then
    `data` and `query` when those shapes are given. `is_atomic=False` is for a write that waits for the outside and
    must not run inside one transaction; it takes no `Idempotency-Key` and no `If-Match`. `is_long_poll` is for a write
    that waits for its moment; it takes the key when it makes its change by `retries.decided`. Without a body that is
    not needed `data` is None. A part of the path written `<string:name>` is text, every other one is an id. With
    `media` of its own, the types that it may have, the function answers a Response; `form` documents a
    `multipart/form-data` body, which the function reads itself.
    """

    def register(handler: Handler) -> Handler:
        summary, _, description = (handler.__doc__ or operation_id).strip().partition("\n")
        entry = Operation(
            method=method,
            path=(blueprint.url_prefix or "") + path,
            handler=handler,
            operation_id=operation_id,
            tags=tags,
            who=who,
            verb=verb,
            summary=summary,
            description=re.sub(r"\s*\n\s*", " ", description.strip()) or summary,
            find=find,
            body=body,
            query=query,
            returns=returns,
            errors=errors or {},
            hints=hints,
            is_stream=is_stream,
            is_atomic=is_atomic and not is_long_poll,
            is_long_poll=is_long_poll,
            needs_body=needs_body,
            status=status,
            media=media,
            form=form,
        )
        OPERATIONS.append(entry)
        body_adapter = None if body is None else TypeAdapter(body)

        async def view(**path_values: str) -> Response:
            raw = await _parsed_body() if body_adapter is not None else None
            actor = await authenticate(who)
            require_scope(actor, entry.scope)
            ids = _path_ids(path_values, path)
            found = await find(actor, **ids) if find is not None else None
            if verb is not None and actor is not None:
                require(actor, verb, found)
            given = _validated(body_adapter, raw, query, needs_body=needs_body)
            if is_long_poll:
                waits()

            async def perform() -> Any:
                if find is not None:
                    return await handler(actor, found, **given)
                return await handler(actor, **ids, **given)

            return await (_read(entry, perform) if method == "GET" else written(entry, actor, ids, found, perform))

        view.__name__ = f"{operation_id}_{method.lower()}"
        blueprint.add_url_rule(
            path, endpoint=view.__name__, view_func=view, methods=[method], provide_automatic_options=False
        )
        return handler

    return register


async def _read(entry: Operation, perform: Callable[[], Awaitable[Any]]) -> Response:
    answer = await perform()
    if isinstance(answer, Response):
        return answer
    body = to_json(answer)
    response = Response(body, entry.status, content_type="application/json")
    return tagged(response, body) if reads_one_thing(entry) else response


def json_response(answer: Any, status: int = 200) -> Response:
    """An answer as compact JSON with naive UTC datetimes."""
    return Response(to_json(answer), status, content_type="application/json")


async def _parsed_body() -> Any:
    text: Any = await request.get_data()
    if not text.strip():
        return ...
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return text.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # a plain ValueError is a number of thousands of digits
        position = getattr(error, "pos", getattr(error, "start", 0))
        reason = getattr(error, "msg", str(error))
        raise Invalid(
            [schema_error("json_invalid", ["body", position], "JSON decode error", {}, error=reason)]
        ) from None


def _path_ids(values: dict[str, str], path: str) -> dict[str, Any]:
    ids: dict[str, Any] = {}
    problems = []
    for name, text in values.items():
        if f"<string:{name}>" in path:
            ids[name] = text
        elif (known := parse_id(text)) is not None:
            ids[name] = known
        elif name in LENIENT_IDS:
            raise NotFound()
        else:
            reason = "it is not made of 32 hexadecimal digits"
            problems.append(
                schema_error(
                    "uuid_parsing",
                    ["path", name],
                    f"Input should be a valid UUID, {reason}",
                    text,
                    error=reason,
                )
            )
    if problems:
        raise Invalid(problems)
    return ids


def _validated(
    body: TypeAdapter[Any] | None, raw: Any, query: type[BaseModel] | None, *, needs_body: bool
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    problems: list[dict[str, Any]] = []
    if query is not None:
        given["query"] = _checked(lambda: _read_query(query), "query", problems)
    if body is not None and raw is ... and not needs_body:
        given["data"] = None
    elif body is not None:
        given["data"] = _checked(lambda: _read_body(body, raw), "body", problems)
    if problems:
        raise Invalid(problems)
    return given


def _read_query(model: type[BaseModel]) -> BaseModel:
    values: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        given = request.args.getlist(key)
        if given:
            values[key] = given if "list[" in str(info.annotation) else given[-1]
    refuse_unstorable(values, "query")
    found = model.model_validate(values)
    refuse_unstorable(found.model_dump(), "query")
    return found


def _read_body(body: TypeAdapter[Any], raw: Any) -> Any:
    if raw is ...:
        raise Invalid([schema_error("missing", ["body"], "Field required")])
    if isinstance(raw, str):
        msg = "Input should be a valid dictionary or object to extract fields from"
        raise Invalid([schema_error("model_attributes_type", ["body"], msg, raw)])
    refuse_unstorable(raw, "body")
    return body.validate_python(raw)


def refuse_unstorable(value: Any, place: str) -> None:
    """Refuse what no column or log takes, wherever it is in a value."""
    if problems := _unstorable(value, [place]):
        raise Invalid(problems)


def _checked(read: Callable[[], Any], place: str, problems: list[dict[str, Any]]) -> Any:
    try:
        return read()
    except ValidationError as error:
        problems += [_item(one, place) for one in error.errors(include_url=False)]
    except Invalid as error:
        problems += error.detail if isinstance(error.detail, list) else []
    return None


def _item(error: Any, place: str) -> dict[str, Any]:
    value = None if place == "query" and error["type"] == "missing" else error.get("input")
    item = schema_error(error["type"], [place, *error["loc"]], error["msg"], _shown(value))
    if error.get("ctx"):
        item["ctx"] = {
            key: str(one) if isinstance(one, Exception) else _shown(one) for key, one in error["ctx"].items()
        }
    return item


def _shown(value: Any) -> Any:
    try:
        to_json(value)
    except TypeError:
        return repr(value)
    return value


def _unstorable(value: Any, loc: list[str | int]) -> list[dict[str, Any]]:
    """What no column or log takes: NUL, lone surrogates, integers beyond 64 bits, no numbers, nesting without end."""
    if isinstance(value, dict | list) and len(loc) > DEEPEST:
        return [schema_error("nested_too_deeply", loc[:2], f"Values are nested at most {DEEPEST} deep")]
    if isinstance(value, dict):
        inner = [(key, one) for key, one in value.items()]
        keys = [p for key in value if isinstance(key, str) for p in _unstorable(key, [*loc, _safe(key)])]
        return keys + [p for key, one in inner for p in _unstorable(one, [*loc, _safe(key)])]
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
