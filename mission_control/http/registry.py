"""The operations of the API as they were registered, and the tags of what they answer."""

import asyncio
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from quart import Response, request
from tortoise.models import Model

from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, ErrorCode
from mission_control.core.extensions import add, marked
from mission_control.core.limits import TokenScope, scope_needed, scope_needed_of_people
from mission_control.core.values import Page, json_in_turns, to_json
from mission_control.http import agent_news
from mission_control.http.authentication import Who
from mission_control.http.compression import in_pieces, is_large, json_response
from mission_control.http.response_cache import Answer, Cached

Handler = Callable[..., Awaitable[Any]]

type Ids = dict[str, UUID | str]  # what a path names, by the names of its parts

API, AGENTS = "/api/v1", "/api/v1/agent/"
PROGRAMS = "/api/v1/connect/"  # what the programs of connections call, beside the agents that they run

ALL_ROLES = ("agent", "agent-lead", "agent-worker", "agent-main")
BOARD_ROLES = ("agent", "agent-lead", "agent-worker")
WORKER = ("agent", "agent-worker")
# What an agent has to be, as examples call it, and the tags of agents that are.
PRIVILEGES = {
    "any_agent": ("any_agent", BOARD_ROLES),
    "board_lead": ("board_lead", ("agent", "agent-lead")),
    "agent_main": ("gateway_main", ("agent", "agent-main")),
}


@dataclass(frozen=True)
class Hints:
    """What helps a language model choose an operation, each as one sentence; published as `x-*` fields.

    `roles` are tags of the agents that it is for, where `actor`, the privilege that it requires, does not say it.
    """

    intent: str
    actor: str = "any_agent"
    _: KW_ONLY
    use: str
    avoid: str
    needs: str = "A valid agent token."
    effects: str = "Nothing changes."
    never: str
    route: str
    example: str
    roles: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        return self.roles or PRIVILEGES[self.actor][1]


@dataclass(frozen=True)
class Operation:
    """One operation. A long poll, and a write that is not atomic, run outside of a transaction (`retries.py`).

    `subject` is the type of what its path names, `media` are the types that its answer may have. `is_mirror`: it serves
    on the agents' own path what is served to people and agents on another one.
    """

    method: str
    path: str
    handler: Handler
    tags: tuple[str, ...]
    who: Who
    summary: str
    description: str
    subject: Any = None
    find: Handler | None = None
    rule: str | None = None
    refuses: Callable[[Actor, Any, Mapping[str, Any]], None] | None = None
    body: Any = None
    query: type[BaseModel] | None = None
    returns: Any = None
    errors: Mapping[int, Any] = field(default_factory=dict)
    hints: Hints | None = None
    is_stream: bool = False
    cached: Cached | None = None
    is_atomic: bool = True
    is_long_poll: bool = False
    tells_presence: bool = False
    tells_news: bool = False
    is_free: bool = False
    takes_basic: bool = False
    needs_body: bool = True
    status: int = 200
    media: tuple[str, ...] = ("application/json",)
    form: Mapping[str, Any] | None = None
    is_mirror: bool = False

    @property
    def name(self) -> str:
        return self.handler.__name__

    @cached_property
    def operation_id(self) -> str:
        """Return its id in the document: the predecessor's where that has it, else its name."""
        return self._inherited or (f"agent_{self.name}" if self.is_mirror else self.name)

    @property
    def is_inherited(self) -> bool:
        return self._inherited is not None

    @cached_property
    def _inherited(self) -> str | None:
        return inherited_ids().get((self.method, re.sub(r"<[^>]+>", "{}", self.path)))

    @cached_property
    def path_names(self) -> tuple[str, ...]:
        return tuple(re.findall(r"<(?:\w+:)?(\w+)>", self.path))

    @cached_property
    def shape(self) -> TypeAdapter[object] | None:
        return None if self.body is None else TypeAdapter(self.body)

    @cached_property
    def finder(self) -> Handler | None:
        """Return the look-up of what it is about; ask once all features are installed."""
        return self.find or (None if self.subject is None else LOOKUPS[self.subject])

    @cached_property
    def sends_etag(self) -> bool:
        """Return whether the answer carries the tag of its state; ask once all operations are installed.

        A read does, unless it is a stream or chooses its type; a write when it answers what the read of the same
        thing would.
        """
        if self.method == "GET":
            return not self.is_stream and self.returns is not None
        read = read_of(self)
        return read is not None and read.returns is self.returns

    @property
    def carries_news(self) -> bool:
        """Return whether what is new for a caller that is an agent rides on its answer."""
        return self.who in ("agent", "actor") and not self.tells_news

    @property
    def decides_itself(self) -> bool:
        """Whether the function says which transaction the change is, and the answer's key with it."""
        return self.is_long_poll or not self.is_atomic

    def scope_of(self, actor: Actor | None) -> TokenScope:
        if actor is not None and actor.is_user:
            return scope_needed_of_people(self.method, self.rule, self.tags)
        return self.scope

    @property
    def scope(self) -> TokenScope:
        for_leads = self.hints is not None and self.hints.actor == "board_lead"
        return scope_needed(self.method, for_leads=for_leads, for_programs=self.path.startswith(PROGRAMS))


@dataclass(frozen=True, slots=True)
class Call:
    """An operation as somebody performs it. `thing` is None where the operation looks nothing up."""

    entry: Operation
    actor: Any
    ids: Mapping[str, UUID | str]
    thing: Any
    arguments: Mapping[str, object]

    async def perform(self) -> Any:
        if self.entry.finder is not None:
            return await self.entry.handler(self.actor, self.thing, **self.arguments)
        return await self.entry.handler(self.actor, **self.ids, **self.arguments)


# The installed operations, in the order of the document.
OPERATIONS: list[Operation] = []
# What finds a thing of a type for an actor.
LOOKUPS: dict[Any, Handler] = {}


@functools.cache
def inherited_ids() -> dict[tuple[str, str], str]:
    _, *lines = Path(__file__).with_name("inherited.csv").read_text(encoding="utf-8").splitlines()
    return {(method, path): name for method, path, name in (line.split(",") for line in lines)}


def lookup[H: Handler](find: H) -> H:
    """Let a function look up what operations are about whose function takes what it returns."""
    return marked(find, lambda function: add(LOOKUPS, inspect.signature(function).return_annotation, function))


@functools.cache
def operation_named(name: str, *, for_agents: bool = False) -> Operation:
    """Return the operation of a name that people may perform, or agents: for them that on their own path, if any."""
    callers = ("agent" if for_agents else "user", "actor")
    operations = [operation for operation in OPERATIONS if operation.name == name and operation.who in callers]
    if not operations:
        raise LookupError(f"There is no operation {name} for {callers[0]}s.")
    return next((operation for operation in operations if for_agents and operation.is_mirror), operations[0])


def is_single_read(entry: Operation) -> bool:
    """Return whether an operation is the read of one thing, which carries an `ETag`."""
    shape = entry.returns
    is_single = isinstance(shape, type) and issubclass(shape, BaseModel) and not issubclass(shape, Page)
    waits_for_it = entry.is_long_poll and entry.finder is not None
    return entry.method == "GET" and is_single and (entry.query is None or waits_for_it) and not entry.is_stream


def started_by(entry: Operation) -> Operation | None:
    """Return the read that says how far the long work is which an operation starts, None for other operations."""
    if entry.status != 202:
        return None
    return next((read for read in OPERATIONS if is_single_read(read) and read.returns is entry.returns), None)


def read_of(entry: Operation) -> Operation | None:
    """Return the read of the thing that a write changes; for an agents' mirror, that of the people's path.

    It has the same path, or, for what is done to a thing by another noun (`moves`, `archivals`), the path above.
    """
    paths = (entry.path, entry.path.replace("/api/v1/agent/", "/api/v1/", 1))
    reads = {read.path: read for read in OPERATIONS if is_single_read(read)}
    return reads.get(paths[0]) or reads.get(paths[1]) or _read_above(entry, paths, reads.values())


def _read_above(entry: Operation, paths: Iterable[str], reads: Iterable[Operation]) -> Operation | None:
    if entry.finder is None:
        return None
    above = {path.rpartition("/")[0] for path in paths if re.fullmatch(r".*<[\w:]+>/[^/]+", path)}
    likely = (read for read in reads if read.path in above and read.returns is entry.returns)
    return next((read for read in likely if read.finder is entry.finder), None)


def takes_match(entry: Operation) -> bool:
    """Return whether a write honours `If-Match`: where its sender can read what it changes."""
    return entry.method != "GET" and entry.who != "anyone" and read_of(entry) is not None


class PreconditionFailed(DomainError, status=412):
    """The thing is not as the caller believed; the detail carries it as it is now."""


def tag_of(*pieces: bytes) -> str:
    """Return the entity tag of an answer: 128 bits of its SHA-256."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return f'"{digest.hexdigest()[:32]}"'


def answered(entry: Operation, answer: object) -> Response:
    """Return the answer of a write as it is sent, with the tag of its state."""
    if isinstance(answer, Response):
        return answer
    response = json_response(body := to_json(answer), entry.status)
    return tagged(response, tag_of(body)) if entry.sends_etag else response


async def read_answered(entry: Operation, answer: object) -> Response:
    return answer if isinstance(answer, Response) else answer_response(entry, await rendered(answer))


async def rendered(answer: object) -> Answer:
    """Return the bytes of an answer with their tag; a large one, which stays in pieces, holds up nobody."""
    pieces = await json_in_turns(answer)
    if is_large(pieces):
        return Answer(pieces, await asyncio.to_thread(tag_of, *pieces))
    body = b"".join(pieces)
    return Answer((body,), tag_of(body))


def answer_response(entry: Operation, answer: Answer) -> Response:
    if entry.sends_etag and _has_already(answer.tag):
        return Response("", 304, {"ETag": answer.tag})
    large = is_large(answer.pieces)
    response = in_pieces(answer.pieces, entry.status) if large else json_response(b"".join(answer.pieces), entry.status)
    vars(response)["answer"] = answer
    if entry.sends_etag:
        response.headers["ETag"] = answer.tag
    return response


async def located(entry: Operation, response: Response) -> Response:
    """Return the answer of an operation that starts long work with the address that says how far it is."""
    if (read := started_by(entry)) is not None:
        started = json.loads(await response.get_data(as_text=True))
        response.headers["Location"] = re.sub(r"<\w+>", started["id"], read.path)
    return response


def tagged(response: Response, tag: str) -> Response:
    response.headers["ETag"] = tag
    if request.method == "GET" and _has_already(tag):
        return Response("", 304, {"ETag": tag})
    return response


async def require_match(call: Call, actor: Actor, tags: str) -> None:
    """Hold the thing and refuse with 412 unless it is what `If-Match` names. Needs a running transaction."""
    read = read_of(call.entry)
    assert read is not None
    for thing in call.thing if isinstance(call.thing, tuple) else (call.thing,):
        if isinstance(thing, Model):
            await type(thing).select_for_update(no_key=True).filter(pk=thing.pk).first()
    thing = None if read.finder is None else await read.finder(actor, **call.ids)
    arguments = {} if read.query is None else {"query": read.query()}
    state = await Call(read, actor, call.ids, thing, arguments).perform()
    tag = tag_of(to_json(state))
    if not _names(tags, tag):
        raise PreconditionFailed(
            ErrorCode.PRECONDITION_FAILED.detail("This has changed since you read it.", etag=tag, current=state)
        )


def _has_already(tag: str) -> bool:
    return _names(request.headers.get("If-None-Match", ""), tag) and not agent_news.must_carry()


def _names(header: str, tag: str) -> bool:
    listed = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in listed or tag in listed
