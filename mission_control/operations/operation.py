"""One operation of the JSON API: its checks in the contract's order, its answer, and its OpenAPI entry.

The order is: a body that is no JSON (422), credentials (401), the look-up (404), the rule (403), the schema
(422), and then whatever the handler finds. Of a body beyond 64 KiB credentials come first.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Required, TypedDict, Unpack

from pydantic import BaseModel, TypeAdapter
from quart import Response, request

from mission_control.authn.authentication import Who, authenticate
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, Invalid, NotFound
from mission_control.core.policy import require
from mission_control.core.token_scopes import require_scope
from mission_control.http.body_limit import has_small_body
from mission_control.http.exchange import waits
from mission_control.operations.api import Api
from mission_control.operations.fences import with_fence
from mission_control.operations.given import parsed_body, path_ids, validated
from mission_control.operations.hints import LEAD_ONLY, WORKER_ONLY
from mission_control.operations.preconditions import located, read_answered
from mission_control.operations.registry import Handler, Hints, Operation
from mission_control.operations.retries import recorded_answer, written

LARGE = 2**18  # bytes of a body


class Declaration(TypedDict, total=False):
    """What an operation says of itself; what it leaves out is as in `Operation`."""

    operation_id: Required[str]
    tags: Required[tuple[str, ...]]
    who: Required[Who]
    returns: Required[Any]
    # Looks up what the path names, as far as it exists for the actor: `await find(actor, **ids)`.
    find: Callable[..., Awaitable[Any]] | None
    verb: str | None
    # Refuses fields that the actor may not send, by their names, where a value is invalid: 403 comes before 422.
    # `refuses(actor, found, sent)`; what is valid is refused by the command, in its own order of checks.
    refuses: Callable[[Actor, Any, Mapping[str, Any]], None] | None
    body: Any
    query: type[BaseModel] | None
    errors: Mapping[int, Any]
    hints: Hints | None
    is_stream: bool
    # False: a write that waits for the outside, or in several transactions. The one that makes it count, if a second
    # run would count twice, is by `retries.committed`.
    is_atomic: bool
    # A write that waits for its moment. It makes its change by `retries.committed`.
    is_long_poll: bool
    # It records a heartbeat itself, so the call records none.
    tells_presence: bool
    # False: without a body `data` is None.
    needs_body: bool
    status: int
    # With types of its own the function answers a Response.
    media: tuple[str, ...]
    # Documents a `multipart/form-data` body, which the function reads itself.
    form: Mapping[str, Any] | None
    # Paths by which it was known before. They do the same for one more release, and the document says so.
    former: tuple[str, ...]
    # What to call in its place, where it goes with the next release.
    instead: str


def operation(api: Api, method: str, path: str, **declared: Unpack[Declaration]) -> Callable[[Handler], Handler]:
    """Declare a function as an operation of `api`.

    The function gets the actor, then what `find` found (or the ids of the path by name), then `data` and `query` when
    those shapes are declared. A part of the path written `<string:name>` is text, every other one is an id.
    """

    def register(handler: Handler) -> Handler:
        summary, _, more = (handler.__doc__ or declared["operation_id"]).strip().partition("\n")
        prefix = api.url_prefix or ""
        former = declared.get("former", ())
        declared["former"] = tuple(prefix + one for one in former)
        entry = Operation(
            method=method,
            path=prefix + path,
            handler=handler,
            summary=summary,
            description=re.sub(r"\s*\n\s*", " ", more.strip()) or summary,
            **declared,
        )
        api.operations.append(entry)
        name, view = f"{entry.operation_id}_{method.lower()}", _view(entry)
        for number, rule in enumerate((path, *former)):
            place = f"{name}_{number}" if number else name
            api.add_url_rule(rule, place, view, methods=[method], provide_automatic_options=False)
        return handler

    return register


def _view(entry: Operation) -> Callable[..., Awaitable[Response]]:
    shape = None if entry.body is None else TypeAdapter(entry.body)

    async def view(**path_values: str) -> Response:
        comes_first = shape is not None and await has_small_body()
        raw = await parsed_body() if comes_first else None
        actor = await authenticate(entry.who, touches=not entry.tells_presence)
        if shape is not None and not comes_first:
            raw = await parsed_body()
        require_scope(actor, entry.scope_of(actor))
        ids = path_ids(path_values, entry.path)
        try:
            found = await admitted(entry, actor, ids)
        except (NotFound, Forbidden):
            if (before := await recorded_answer(entry, actor)) is None:
                raise
            return before
        actor, raw = with_fence(entry, actor, raw)
        try:
            given = await _read(entry, shape, raw)
        except Invalid:
            if entry.refuses is not None and actor is not None and isinstance(raw, dict):
                entry.refuses(actor, found, raw)
            raise
        if entry.is_long_poll:
            waits()

        async def perform() -> Any:
            return await handled(entry, actor, ids, found, given)

        if entry.method == "GET":
            return await read_answered(entry, await perform())
        return await located(entry, await written(entry, actor, ids, found, perform))

    return view


async def _read(entry: Operation, shape: TypeAdapter[Any] | None, raw: Any) -> dict[str, Any]:
    """Return what the request gives. A large body is validated in a thread, so that other requests go on."""
    read = partial(validated, shape, raw, entry.query, needs_body=entry.needs_body, is_lenient=entry.is_inherited)
    is_large = shape is not None and len(await request.get_data(as_text=False)) > LARGE
    return await asyncio.to_thread(read) if is_large else read()


async def admitted(entry: Operation, actor: Actor | None, ids: Mapping[str, Any]) -> Any:
    """Return what an operation is about, None when it looks nothing up; raises NotFound and Forbidden."""
    try:
        found = await entry.find(actor, **ids) if entry.find is not None else None
        if entry.verb is not None and actor is not None:
            require(actor, entry.verb, found)
    except Forbidden as refusal:
        if actor is not None and refusal.is_bare and (reason := _not_your_role(entry, actor)):
            raise Forbidden(reason) from None
        raise
    return found


def _not_your_role(entry: Operation, actor: Actor) -> dict[str, Any] | None:
    """Return a message for an agent whose role may not use an operation, or ""."""
    if not actor.is_agent or entry.hints is None:
        return None
    if entry.hints.required_actor == "board_lead" and not actor.is_lead:
        return LEAD_ONLY
    if actor.is_lead and "agent-worker" in entry.tags and "agent-lead" not in entry.tags:
        return WORKER_ONLY
    return None


async def handled(
    entry: Operation, actor: Actor | None, ids: Mapping[str, Any], found: Any, given: Mapping[str, Any]
) -> Any:
    """Return what the function of an operation returns."""
    if entry.find is not None:
        return await entry.handler(actor, found, **given)
    return await entry.handler(actor, **ids, **given)
