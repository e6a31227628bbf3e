"""Tools: each is a function of the calling agent and its arguments, with shapes on both sides and words for models.

Nothing here knows the protocol; `server.py` speaks it.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from mission_control.core.actor import Actor
from mission_control.core.storable import refuse_unstorable
from mission_control.core.token_scopes import TokenScope, require_scope
from mission_control.mcp.argument_schemas import argument_schema
from mission_control.mcp.fitting import fitted
from mission_control.mcp.task_numbers import with_task_ids

type Handler = Callable[[Actor, Any], Awaitable[tuple[str, Any]]]
type Role = Literal["anyone", "worker", "lead"]
type Audience = Literal["agents", "people", "everybody"]
# The installed tools by name: of agents, and of people.
TOOLS: dict[str, "Tool"] = {}
PEOPLES_TOOLS: dict[str, "Tool"] = {}


def tools_of(actor: Actor) -> dict[str, "Tool"]:
    """Return the tools for the caller: an agent, or a person."""
    return PEOPLES_TOOLS if actor.is_user else TOOLS


class WithImage(BaseModel):
    """An answer with an image."""

    _image: tuple[str, bytes] | None = PrivateAttr(default=None)

    def show(self, media_type: str, content: bytes) -> None:
        """Let the model see an image."""
        self._image = (media_type, content)

    @property
    def image(self) -> tuple[str, bytes] | None:
        """Its media type and its bytes."""
        return self._image


class Arguments(BaseModel):
    """What a tool is given; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Waits(Arguments):
    """How long to wait for another list."""

    wait_seconds: Annotated[int, Field(ge=0, le=50)] = 0
    known: Annotated[str, Field(description="`version` of the list you have; it waits for another")] = ""


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
    arguments: type[Arguments]
    returns: type[BaseModel]
    role: Role
    reads: bool
    repeats: bool
    scope: TokenScope

    @property
    def waits(self) -> bool:
        """Whether it may take long on purpose."""
        return "wait_seconds" in self.arguments.model_fields

    def is_for(self, actor: Actor) -> bool:
        """Whether to show it to an agent: it has the role, and its token the scope."""
        has_role = self.role == "anyone" or (self.role == "lead") == actor.is_lead
        return has_role and (actor.scopes is None or self.scope in actor.scopes)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        return argument_schema(self.arguments)

    async def call(self, actor: Actor, given: dict[str, Any]) -> tuple[str, BaseModel]:
        """Do it: one sentence about what came of it, and the answer. Null counts as not given."""
        require_scope(actor, self.scope)
        refuse_unstorable(given, "arguments")
        given = await with_task_ids(actor, {name: value for name, value in given.items() if value is not None})
        asked = self.arguments.model_validate(given)
        sentence, answer = await self.handler(actor, asked)
        return sentence, self.returns.model_validate(fitted(answer), from_attributes=True)


class Tools(list["Declared"]):
    """The tools of one module. Its feature names the object, and `install()` makes them known."""

    def tool(
        self,
        title: str,
        arguments: type[Arguments],
        returns: type[BaseModel],
        *,
        audience: Audience = "agents",
        role: Role = "anyone",
        reads: bool = False,
        repeats: bool = False,
        scope: TokenScope | None = None,
    ) -> Callable[[Handler], Handler]:
        """Make a function a tool: its name is the tool's, its docstring is what models read before they call it."""

        def declare(handler: Handler) -> Handler:
            name = handler.__name__
            text = inspect.getdoc(handler) or title
            needed: TokenScope = scope or ("lead" if role == "lead" else "read" if reads else "work")
            made = Tool(name, title, text, handler, arguments, returns, role, reads, reads or repeats, needed)
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
