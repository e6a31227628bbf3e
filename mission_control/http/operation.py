"""One operation of the JSON API at work: its checks in the contract's order, and its answer.

The order is: a body that is no JSON (422), credentials (401), the look-up (404), the rule (403), the schema
(422), and then whatever the handler finds. Of a body beyond 64 KiB credentials come first.
"""

import asyncio
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import partial
from uuid import UUID

from pydantic import BaseModel
from quart import Response, request

from mission_control.core.actor import Actor, require
from mission_control.core.errors import ErrorCode, Forbidden, Invalid, NotFound, Unauthenticated
from mission_control.core.limits import require_scope
from mission_control.events import broker, wakeup_channels
from mission_control.http import agent_news
from mission_control.http.authentication import authenticate
from mission_control.http.body_limit import has_small_body
from mission_control.http.exchange import waits
from mission_control.http.inputs import parsed_body, path_ids, validated, with_fence
from mission_control.http.lookups import channel_of_caller, fresh
from mission_control.http.registry import Call, Operation, answer_response, located, read_answered, rendered
from mission_control.http.response_cache import Answer, Cached, cache
from mission_control.http.retries import recorded_answer, written

LARGE = 2**18  # bytes of a body


def view_of(entry: Operation) -> Callable[..., Awaitable[Response]]:
    async def view(**path_values: str) -> Response:
        actor, raw = await _identified(entry, path_values)
        ids = path_ids(path_values, entry.path)
        try:
            thing = await admitted(entry, actor, ids)
        except (NotFound, Forbidden):
            if (before := await recorded_answer(entry, actor)) is None:
                raise
            return before
        actor, raw = with_fence(entry, actor, raw)
        try:
            call = Call(entry, actor, ids, thing, await _read(entry, raw))
        except Invalid:
            if entry.refuses is not None and actor is not None and isinstance(raw, dict):
                entry.refuses(actor, thing, raw)
            raise
        if entry.is_long_poll:
            waits()
        if entry.method != "GET":
            return await located(entry, await written(call))
        if entry.cached is not None and (answer := await _cached(call, entry.cached)) is not None:
            return answer_response(entry, answer)
        return await read_answered(entry, await call.perform())

    return view


async def _identified(entry: Operation, path_values: Mapping[str, str]) -> tuple[Actor | None, object]:
    """Authenticate the caller and read the body: of a large one the credentials come first."""
    began = agent_news.now()
    comes_first = entry.shape is not None and await has_small_body()
    raw = await parsed_body() if comes_first else None
    actor = await authenticate(
        entry.who, touches=not entry.tells_presence, spends=not entry.is_free, takes_basic=entry.takes_basic
    )
    if entry.shape is not None and not comes_first:
        raw = await parsed_body()
    if actor is not None and actor.is_agent and entry.carries_news:
        agent_news.begin(actor, began, path_values, raw)
    require_scope(actor, entry.scope_of(actor))
    return actor, raw


async def _cached(call: Call, cached: Cached) -> Answer | None:
    """Return the answer of a read from the cache, or for it; None when it depends on more than that may keep."""
    query = call.arguments.get("query")
    viewer = cached.viewer(call.actor, query)
    if viewer is None:
        return None
    typed = query.model_dump_json() if isinstance(query, BaseModel) else None
    key = call.entry.name, getattr(call.thing, "id", None), viewer, typed
    state = await cached.state(call.actor, call.thing, query)

    async def make() -> Answer:
        render = cached.render
        answer = call.perform() if render is None else render(call.actor, call.thing, query, state)
        return await rendered(await answer)

    return await cache.answer(key, state, make)


async def _read(entry: Operation, raw: object) -> dict[str, object]:
    shape = entry.shape
    read = partial(validated, shape, raw, entry.query, needs_body=entry.needs_body, is_lenient=entry.is_inherited)
    is_large = shape is not None and len(await request.get_data(as_text=False)) > LARGE
    return await asyncio.to_thread(read) if is_large else read()


async def admitted(entry: Operation, actor: Actor | None, ids: Mapping[str, UUID | str]) -> object:
    """Return what an operation is about, None when it looks nothing up; raises NotFound and Forbidden."""
    try:
        thing = await entry.finder(actor, **ids) if entry.finder is not None else None
        if entry.rule is not None and actor is not None:
            require(actor, entry.rule, thing)
    except Forbidden as refusal:
        if actor is not None and refusal.is_bare and (reason := _not_your_role(entry, actor)):
            raise Forbidden(reason) from None
        raise
    return thing


async def perform(
    entry: Operation, actor: Actor, ids: Mapping[str, UUID | str], body: object, query: object = None
) -> object:
    """Perform an operation without HTTP: scope, look-up, rule, schema and handler in the same order."""
    require_scope(actor, entry.scope_of(actor))
    thing = await admitted(entry, actor, ids)
    read = {} if entry.query is None else {"query": entry.query.model_validate(query or {})}
    sent = {} if entry.shape is None else {"data": entry.shape.validate_python(body)}
    return await Call(entry, actor, ids, thing, {**read, **sent}).perform()


def _not_your_role(entry: Operation, actor: Actor) -> dict[str, object] | None:
    """Return a message for an agent whose role may not use an operation, or ""."""
    if not actor.is_agent or entry.hints is None:
        return None
    if entry.hints.actor == "board_lead" and not actor.is_lead:
        return ErrorCode.LEAD_ONLY.detail()
    if actor.is_lead and "agent-worker" in entry.tags and "agent-lead" not in entry.tags:
        return ErrorCode.WORKER_ONLY.detail()
    return None


async def settled[T, R](
    actor: Actor,
    thing: T,
    *names: str,
    find: Callable[[Actor], Awaitable[T]],
    read: Callable[[T], Awaitable[R]],
    is_settled: Callable[[R], bool],
    seconds: float,
) -> R:
    """Return what is read as soon as it is settled, or as it is when the time is over or the server stops.

    It is read again when one of the named channels is notified. When what the caller may do has changed, and at the
    end, `find` looks `thing` up anew and refuses who lost it; raise Unauthenticated when the caller's token ended.
    """
    now, end = get_running_loop().time, wakeup_channels.end_of_wait(seconds)
    while True:
        with ExitStack() as listening:
            waits = [wakeup_channels.listening(name) for name in (channel_of_caller(actor), *names)]
            changed, *notified = map(listening.enter_context, waits)
            answer = await read(thing)
            left, running = end - now(), broker.current()
            if is_settled(answer) or left <= 0 or running is None or running.closing:
                return answer
            await wakeup_channels.notified_within(changed, left, *notified)
        if changed.done() or now() >= end:
            present = await fresh(actor)
            if present is None:
                raise Unauthenticated
            thing = await find(present)


async def themselves(actor: Actor) -> Actor:
    """Return the caller, for what depends on nothing else."""
    return actor
