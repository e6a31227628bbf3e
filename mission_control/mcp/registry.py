"""Tools: each performs an operation, and says what models read, which fields it shows, and what came of it.

Nothing here knows the protocol; `server.py` speaks it.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from mission_control.core.actor import Actor
from mission_control.core.json import JsonObject
from mission_control.core.limits import TokenScope, require_scope
from mission_control.core.storable import refuse_unstorable
from mission_control.mcp.answers import Image, Shape, fitted
from mission_control.mcp.arguments import Arguments, Takes
from mission_control.mcp.operations import perform, with_task_ids
from mission_control.operations.registry import operation_named

type Said = tuple[str, Any] | tuple[str, Any, Image | None]
type Handler = Callable[["Call"], Awaitable[Said]]
type Role = Literal["anyone", "worker", "lead"]
type Audience = Literal["agents", "people", "everybody"]
# The installed tools by name: of agents, and of people.
TOOLS: dict[str, "Tool"] = {}
PEOPLES_TOOLS: dict[str, "Tool"] = {}


def tools_of(actor: Actor) -> dict[str, "Tool"]:
    """Return the tools for the caller: an agent, or a person."""
    return PEOPLES_TOOLS if actor.is_user else TOOLS


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: `call["title"]` is an argument."""

    actor: Actor
    takes: Takes
    asked: Arguments

    def __getitem__(self, name: str) -> Any:
        return getattr(self.asked, name)

    def sent(self, *names: str) -> JsonObject:
        """Return what the operation is sent of the arguments; of all of them, or of these."""
        values = self.takes.sent(self.asked)
        return {name: value for name, value in values.items() if name in names} if names else values

    async def perform(self, **more: Any) -> Any:
        """Perform the tool's operation with its arguments and others. Return its answer."""
        return await perform(self.takes.operation, self.actor, **self.sent() | more)

    async def about(self, name: str, **more: Any) -> Any:
        """Perform another operation about the same thing. Return its answer."""
        names = operation_named(name, for_agents=self.actor.is_agent).path_names
        return await perform(name, self.actor, **self.sent(*names) | more)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool and for whom it is.

    One that `reads` changes nothing; one that `repeats` is idempotent. `scope` is what the
    caller's token must be made for.
    """

    name: str
    title: str
    description: str
    handler: Handler
    takes: Takes
    shows: Shape | None
    role: Role
    reads: bool
    repeats: bool
    scope: TokenScope

    @property
    def waits(self) -> bool:
        """Whether it may take long on purpose."""
        return "wait_seconds" in self.takes.shown

    def is_for(self, actor: Actor) -> bool:
        """Whether to show it to an agent: it has the role, and its token the scope."""
        has_role = self.role == "anyone" or (self.role == "lead") == actor.is_lead
        return has_role and (actor.scopes is None or self.scope in actor.scopes)

    async def call(self, actor: Actor, given: JsonObject) -> tuple[str, Any, Image | None]:
        """Do it: one sentence about what came of it, the answer, and an image. Null counts as not given."""
        require_scope(actor, self.scope)
        refuse_unstorable(given, "arguments")
        given = await with_task_ids(actor, {name: value for name, value in given.items() if value is not None})
        call = Call(actor, self.takes, self.takes.model.model_validate(given))
        sentence, answer, *images = await self.handler(call)
        return sentence, fitted(answer if self.shows is None else self.shows(answer)), next(iter(images), None)


class Tools(list["Declared"]):
    """The tools of one module. Its feature names the object, and `install()` makes them known."""

    def tool(
        self,
        title: str,
        takes: Takes,
        shows: Shape | None = None,
        *,
        audience: Audience = "agents",
        role: Role = "anyone",
        reads: bool = False,
        repeats: bool = False,
        scope: TokenScope | None = None,
    ) -> Callable[[Handler], Handler]:
        """Make a function a tool: its name is the tool's, its docstring is what models read before they call it.

        Its answer is shown as the operation gave it, or those fields that `shows` names.
        """

        def declare(handler: Handler) -> Handler:
            name = handler.__name__
            text = inspect.getdoc(handler) or title
            needed: TokenScope = scope or ("lead" if role == "lead" else "read" if reads else "work")
            taken = replace(takes, for_agents=audience != "people")
            made = Tool(name, title, text, handler, taken, shows, role, reads, reads or repeats, needed)
            self.append((audience, made))
            return handler

        return declare


type Declared = tuple[Audience, Tool]


def install_tools(tools: Tools) -> None:
    """Make a module's tools known to those they are for."""
    for audience, one in tools:
        if audience != "people":
            TOOLS[one.name] = one
        if audience != "agents":
            PEOPLES_TOOLS[one.name] = one
