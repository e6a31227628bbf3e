"""Hooks of programs that people run, over HTTP: what happened in their sessions, and what that cost."""

import logging
from collections import Counter
from typing import Annotated, Any

import orjson
from pydantic import ConfigDict, Field
from quart import request

from mission_control.agents.work_state import quiet_agent_seen
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.programs import PROGRAMS
from mission_control.core.values import JsonObject, LLMErrorResponse, Schema
from mission_control.http import agent_news
from mission_control.http.exchange import waits
from mission_control.http.operation_api import Api
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.hooks.answers import Place, answer_to, answer_to_check, place_of
from mission_control.runs.hooks.detail_levels import text_of
from mission_control.runs.hooks.reading import READERS, Hook, Program, When, named, parsed, read_hook
from mission_control.runs.permissions import requests as permissions
from mission_control.runs.programs import worker

api = Api(__name__, "agents", below="/connect", who="agent")
ERRORS = {404: LLMErrorResponse}
HOLDS = "X-Holds"
SIGNALS = ("logs", "metrics", "traces")
MOST_RECORDS = 2_000  # of one export
NOT_JSON = "Only JSON is read here: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json."


SecondsGiven = Annotated[int | None, Field(ge=0, lt=2**40)]


class HookQuery(Schema):
    """When an event happened; left out: now."""

    at: Annotated[
        SecondsGiven,
        Field(description="Seconds since 1970 by the clock of the program's machine; they tell equal events apart"),
    ] = None
    age: Annotated[
        SecondsGiven,
        Field(description="It comes late: it happened so many seconds ago, up to 7 days. Nobody is asked any more"),
    ] = None

    check: Annotated[
        str | None,
        Field(
            pattern="^[A-Za-z0-9-]{1,64}$",
            description="It looks whether the connection works: the answers are a note and a refusal with this word",
        ),
    ] = None


class ProgramAnswer(Schema):
    """What a program does next, in its own words, such as `hookSpecificOutput`; nothing: it goes on."""

    model_config = ConfigDict(extra="allow")


_log = logging.getLogger(__name__)
dropped = Counter[str]()  # exports that are taken and not read, by their signal


async def program_of(actor: Actor, client: str) -> Program:
    if client.startswith(worker.PREFIX):
        return worker.program_of(client)
    program = PROGRAMS.get(client)
    if not isinstance(program, Program):
        raise NotFound(f"Hooks are read of {', '.join(sorted(PROGRAMS))}.")
    return program


@api.post(
    "/<string:client>/hooks",
    ProgramAnswer,
    find=program_of,
    errors=ERRORS,
    is_atomic=False,
    is_free=True,
    tells_presence=True,
    tells_news=True,
)
async def take_hook(actor: Actor, program: Program, query: HookQuery) -> JsonObject:
    """Take an event of a program, as its own hooks send it, and answer as it expects.

    The session is made at its first event. Of what came only what the board keeps of sessions is stored
    (`session_detail`). The answer is `{}`, or carries a note of a person, or refuses a call after a stop. That to a
    request for a permission comes when a person decided on the board, or is `{}` when nobody did in time or it was
    answered at the keyboard: nothing is ever allowed by waiting. What was kept while the server was away comes late,
    with its `age`: it is stored by when it happened, and answered by `{}`. With the header `X-Holds` a call is held: a
    person allows or refuses it, and it is refused when nobody decides in time. It takes nothing of the requests a
    minute: what comes too fast to be written is counted.
    """
    raw = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    if request.headers.get(HOLDS):
        return await held(actor, program, parsed(raw))
    return await taken(actor, program, raw, When.of(query.at, query.age, query.check))


async def taken(actor: Actor, program: Program, raw: bytes, when: When) -> JsonObject:
    """Take an event as it was sent, and return the answer; `{}` whatever goes wrong."""
    began = agent_news.now()
    quiet_agent_seen(actor)
    try:
        place, hook = await _read(actor, program, parsed(raw), when)
        if place is None or hook is None:
            return {}
        if when.check:
            hook_queue.put(actor, hook)
            return answer_to_check(hook)
        return await _answered(actor, began, place, hook)
    except Exception as error:  # whose text may quote what came
        _log.error("a hook of %s was not read: %s", program.client, type(error).__name__)
        return {}


async def _read(actor: Actor, program: Program, body: JsonObject, when: When) -> tuple[Place | None, Hook | None]:
    place = await place_of(actor, program.client, text_of(body.get("session_id"))[:255].strip())
    return place, read_hook(program, body, place.level, when) if place is not None else None


async def _answered(actor: Actor, began: agent_news.Began, place: Place, hook: Hook) -> JsonObject:
    answer = {} if hook.when.is_late else await answer_to(actor, began, place, hook)
    hook_queue.put(actor, hook)
    if place.is_asking and hook.event.settles:
        await permissions.settle_with(place, hook)
    if answer or hook.when.is_late:
        return answer
    if hook.name == worker.LISTENS and hook.program.asks_again:
        waits()
        return await worker.notified(actor, began, hook)
    if hook.event.asks and not hook.body.get("is_cut"):
        waits()
        return await permissions.answer_of_people(actor, hook)
    return {}


async def held(actor: Actor, program: Program, body: JsonObject) -> JsonObject:
    """Answer a call that its program holds until a person says yes; whatever goes wrong, it is refused."""
    began = agent_news.now()
    quiet_agent_seen(actor)
    place, hook = await _read(actor, program, body, When.of())
    if place is None or hook is None or program.passing is None or not hook.event.call or body.get("is_cut"):
        raise NotFound("There is no call of a tool in this that could be held.")
    answer = await answer_to(actor, began, place, hook, is_held=True)
    if not answer:
        hook.state = "waiting"
        hook.add("ACTIVITY", named("held", hook.ref or hook.key(hook.event)), title="Needs a yes on the board")
    hook_queue.put(actor, hook)
    if answer:
        return answer
    waits()
    return await permissions.answer_to_held(actor, hook)


async def signal_of(actor: Actor, signal: str) -> str:
    if signal not in SIGNALS:
        raise NotFound(f"OTLP has {', '.join(SIGNALS)}.")
    return signal


@api.post(
    "/otlp/v1/<string:signal>",
    ProgramAnswer,
    find=signal_of,
    errors=ERRORS,
    is_atomic=False,
    is_free=True,
    takes_basic=True,
    tells_presence=True,
    tells_news=True,
)
async def take_telemetry(actor: Actor, signal: str) -> JsonObject:
    """Take what a program exports by OTLP over HTTP, as JSON: of its logs, what requests to its model cost.

    Each request counts once, however often it is sent. Everything else in logs, and all metrics and traces, are
    dropped. A program that can be given an address and no headers may have the token in it, as the password of HTTP
    Basic: `https://agent:TOKEN@...`.
    """
    quiet_agent_seen(actor)
    if signal != "logs" or actor.board_id is None:
        dropped[signal] += 1
        return {}
    if request.mimetype != "application/json":
        dropped["not JSON"] += 1
        return {"partialSuccess": {"rejectedLogRecords": "0", "errorMessage": NOT_JSON}}
    try:
        for record in _records(orjson.loads(await request.get_data(True, False, False))):
            if (read := READERS.get(text_of(record.get("event")))) is not None:
                for session, usage in read(record):
                    hook_queue.put_usage(actor, session, usage)
    except Exception as error:  # whose text may quote what came
        _log.error("an export of logs was not read: %s", type(error).__name__)
    return {}


def _records(body: Any) -> list[JsonObject]:
    records: list[JsonObject] = []
    for resource in body.get("resourceLogs", ())[:MOST_RECORDS]:
        common = _attributes(resource.get("resource", {}))
        for scope in resource.get("scopeLogs", ())[:MOST_RECORDS]:
            for record in scope.get("logRecords", ())[: MOST_RECORDS - len(records)]:
                own = _attributes(record)
                text = record.get("body", {}).get("stringValue")  # which names the event, or tells of it
                records.append({**common, **own, "event": text if text in READERS else own.get("event.name")})
    return records


def _attributes(holder: JsonObject) -> JsonObject:
    values = ((attribute.get("key"), attribute.get("value")) for attribute in holder.get("attributes", ()))
    return {name: next(iter(value.values()), None) for name, value in values if name and isinstance(value, dict)}
