"""The operations of the API, as they were registered."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from mission_control.authn.authentication import Who
from mission_control.core.paging import Page
from mission_control.core.token_scopes import TokenScope, scope_needed, scope_needed_of_people

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Hints:
    """What helps a language model choose an operation; published as `x-*` fields."""

    intent: str
    when_to_use: list[str]
    when_not_to_use: list[str]
    required_actor: str
    prerequisites: list[str]
    side_effects: list[str]
    negative_guidance: list[str]
    routing_policy: list[str]
    routing_examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One operation. A long poll, and a write that is not atomic, run outside of a transaction (`retries.py`).

    `media` are the types that its answer may have.
    """

    method: str
    path: str
    handler: Handler
    operation_id: str
    tags: tuple[str, ...]
    who: Who
    summary: str
    description: str
    find: Handler | None = None
    verb: str | None = None
    refuses: Callable[[Any, Any, Mapping[str, Any]], None] | None = None
    body: Any = None
    query: type[BaseModel] | None = None
    returns: Any = None
    errors: Mapping[int, Any] = field(default_factory=dict)
    hints: Hints | None = None
    is_stream: bool = False
    is_atomic: bool = True
    is_long_poll: bool = False
    tells_presence: bool = False
    needs_body: bool = True
    status: int = 200
    media: tuple[str, ...] = ("application/json",)
    form: Mapping[str, Any] | None = None
    former: tuple[str, ...] = ()
    instead: str = ""

    @cached_property
    def sends_etag(self) -> bool:
        """Return whether the answer carries the tag of its state; ask once all operations are installed."""
        return is_single_read(self) or returns_resource(self)

    @property
    def decides_itself(self) -> bool:
        """Whether the function says which transaction the change is, and the answer's key with it."""
        return self.is_long_poll or not self.is_atomic

    @property
    def is_inherited(self) -> bool:
        """Whether the predecessor has it, whose clients may send more than it reads. Their ids name path or role."""
        return "_api_v1_" in self.operation_id or self.operation_id.startswith(("agent_lead_", "agent_main_"))

    def scope_of(self, actor: Any) -> TokenScope:
        """Return what the token of an actor must be made for."""
        if actor is not None and actor.is_user:
            return scope_needed_of_people(self.method, self.verb, self.tags)
        return self.scope

    @property
    def scope(self) -> TokenScope:
        """What an agent's token must be made for."""
        for_leads = self.hints is not None and self.hints.required_actor == "board_lead"
        return scope_needed(self.method, for_leads=for_leads)


# The operations of the installed features, in the order of the document.
OPERATIONS: list[Operation] = []


def is_single_read(entry: Operation) -> bool:
    """Return whether an operation is the read of one thing, which carries an `ETag`."""
    one = (
        isinstance(entry.returns, type) and issubclass(entry.returns, BaseModel) and not issubclass(entry.returns, Page)
    )
    waits_for_it = entry.is_long_poll and entry.find is not None
    return entry.method == "GET" and one and (entry.query is None or waits_for_it) and not entry.is_stream


def started_by(entry: Operation) -> Operation | None:
    """Return the read that says how far the long work is which an operation starts, None for other operations."""
    if entry.status != 202:
        return None
    return next((one for one in OPERATIONS if is_single_read(one) and one.returns is entry.returns), None)


def read_of(entry: Operation) -> Operation | None:
    """Return the read of the thing that a write changes; for an agents' mirror, that of the people's path.

    It has the same path, or, for what is done to a thing by another noun (`moves`, `archivals`), the path above.
    """
    paths = (entry.path, entry.path.replace("/api/v1/agent/", "/api/v1/", 1))
    for path in paths:
        for other in OPERATIONS:
            if other.path == path and is_single_read(other):
                return other
    above = {path.rpartition("/")[0] for path in paths if re.fullmatch(r".*<[\w:]+>/[^/]+", path)}
    for other in OPERATIONS:
        if other.path in above and is_single_read(other) and _is_about_the_same(entry, other):
            return other
    return None


def takes_match(entry: Operation) -> bool:
    """Return whether a write honours `If-Match`: where its sender can read what it changes."""
    return entry.method != "GET" and entry.who != "anyone" and read_of(entry) is not None


def _is_about_the_same(entry: Operation, other: Operation) -> bool:
    return entry.find is not None and entry.find is other.find and entry.returns is other.returns


def returns_resource(entry: Operation) -> bool:
    """Return whether a write answers what the read of the same thing would, so that its tag can be sent along."""
    read = read_of(entry) if entry.method != "GET" else None
    return read is not None and read.returns is entry.returns
