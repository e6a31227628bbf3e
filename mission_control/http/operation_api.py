"""How a module declares its operations: a decorator says what the function's signature does not.

    @api.post("/boards/<board_id>/approvals", ApprovalRead, rule="approval.request", agents=hints(...))
    async def create_approval(actor: Actor, board: Board, data: ApprovalCreate) -> dict[str, Any]:
        \"\"\"Ask people for a decision.\"\"\"

The function's name is the operation's. Its parameters are the actor; then what the path names: one thing, whose type
says which look-up finds it, or the ids themselves; then `data`, the body, and `query`. A body whose type
admits None may be left out. What the function returns is the answer, unless the decorator names another shape for it.
"""

import inspect
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, Protocol, TypedDict, Unpack, get_args

from quart import Blueprint, Response

from mission_control.core.actor import Actor
from mission_control.core.extensions import Part
from mission_control.http.authentication import Who
from mission_control.http.operation import view_of
from mission_control.http.registry import AGENTS, API, OPERATIONS, Handler, Hints, Operation
from mission_control.http.response_cache import Cached

hints = Hints  # `agents=hints(...)`, as declarations write it
_numbers = itertools.count()  # tell the blueprints of one module apart


class Register(Protocol):
    def __call__[H: Handler](self, handler: H, /) -> H: ...


class Declaration(TypedDict, total=False):
    """What an operation says of itself; what it leaves out follows from its module, its path and its function."""

    who: Who
    tags: tuple[str, ...]
    # Looks up what the path names, as far as it exists for the actor: `await find(actor, **ids)`.
    find: Callable[..., Awaitable[Any]]
    rule: str
    # Refuses fields that the actor may not send, by their names, where a value is invalid: 403 comes before 422.
    # `refuses(actor, found, sent)`; what is valid is refused by the command, in its own order of checks.
    refuses: Callable[[Actor, Any, Mapping[str, Any]], None]
    errors: Mapping[int, Any]
    hints: Hints
    # The same operation on the agents' own path, with its hints.
    agents: Hints
    agents_errors: Mapping[int, Any]
    is_stream: bool
    # What its answer depends on, by which its bytes are kept (`response_cache.py`).
    cached: Cached
    # False: a write that waits for the outside, or in several transactions. The one that makes it count, if a second
    # run would count twice, is by `retries.committed`.
    is_atomic: bool
    # A write that waits for its moment. It makes its change by `retries.committed`.
    is_long_poll: bool
    # It records a heartbeat itself, so the call records none.
    tells_presence: bool
    # It answers what is new for an agent, so nothing rides on that.
    tells_news: bool
    # It takes nothing of the caller's requests a minute.
    is_free: bool
    # Its agent may send the token as the password of HTTP Basic, too.
    takes_basic: bool
    status: int
    # With types of its own the function answers a Response.
    media: tuple[str, ...]
    # Documents a `multipart/form-data` body, which the function reads itself.
    form: Mapping[str, Any]


class Api(Part):
    """The operations of one module.

    `tags` and `who` may call are those of its operations that say nothing else; `below` begins all their paths.
    A path of agents is for agents, with the tags of the role that its hints name.
    """

    def __init__(self, module: str, *tags: str, below: str = "", who: Who = "user") -> None:
        self.blueprint = Blueprint(f"{module.replace('.', '_')}_{next(_numbers)}", module)
        self.operations: list[Operation] = []
        self._tags, self._who, self._prefix = tags, who, API + below

    def install(self) -> None:
        OPERATIONS.extend(self.operations)

    def get(self, path: str, returns: object = ..., **declared: Unpack[Declaration]) -> Register:
        """Declare a read. A part of a path written `<string:name>` is text, every other one is an id."""
        return self._declare("GET", path, returns, declared)

    def post(self, path: str, returns: object = ..., **declared: Unpack[Declaration]) -> Register:
        return self._declare("POST", path, returns, declared)

    def put(self, path: str, returns: object = ..., **declared: Unpack[Declaration]) -> Register:
        return self._declare("PUT", path, returns, declared)

    def patch(self, path: str, returns: object = ..., **declared: Unpack[Declaration]) -> Register:
        """Declare a change of the fields that are sent."""
        return self._declare("PATCH", path, returns, declared)

    def delete(self, path: str, returns: object = ..., **declared: Unpack[Declaration]) -> Register:
        return self._declare("DELETE", path, returns, declared)

    def _declare(self, method: str, path: str, returns: object, declared: Declaration) -> Register:
        def register[H: Handler](handler: H) -> H:
            agents, agents_errors = declared.pop("agents", None), declared.pop("agents_errors", None)
            entry = self._entry(method, self._prefix + path, handler, returns, declared)
            self._serve(entry)
            if agents is not None:
                errors = entry.errors if agents_errors is None else agents_errors
                self._serve(
                    replace(
                        entry,
                        path=AGENTS + entry.path.removeprefix(f"{API}/"),
                        who="agent",
                        tags=agents.tags,
                        hints=agents,
                        errors=errors,
                        is_mirror=True,
                    )
                )
            return handler

        return register

    def _entry(self, method: str, path: str, handler: Handler, returns: object, declared: Declaration) -> Operation:
        is_of_agents, hints = path.startswith(AGENTS), declared.get("hints")
        summary, _, more = (handler.__doc__ or handler.__name__).strip().partition("\n")
        roles = hints.tags if hints is not None else ()
        own = {"who": "agent", "tags": roles} if is_of_agents else {"who": self._who, "tags": self._tags + roles[1:]}
        options: dict[str, Any] = {**own, **declared}
        signature = inspect.signature(handler)
        shapes = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        if returns is ...:
            returns = None if signature.return_annotation is Response else signature.return_annotation
        body = shapes.get("data")
        known = {"data", "query", *re.findall(r"<(?:\w+:)?(\w+)>", path)}
        return Operation(
            method=method,
            path=path,
            handler=handler,
            summary=summary,
            description=re.sub(r"\s*\n\s*", " ", more.strip()) or summary,
            body=_without_none(body),
            needs_body=NoneType not in get_args(body),
            query=shapes.get("query"),
            returns=returns,
            subject=next((shapes[name] for name in [*shapes][1:] if name not in known), None),
            **options,
        )

    def _serve(self, entry: Operation) -> None:
        self.operations.append(entry)
        place = f"{entry.operation_id}_{entry.method.lower()}"
        self.blueprint.add_url_rule(
            entry.path, place, view_of(entry), methods=[entry.method], provide_automatic_options=False
        )


def _without_none(shape: object) -> object:
    options = get_args(shape)
    return reduce(or_, (option for option in options if option is not NoneType)) if NoneType in options else shape
