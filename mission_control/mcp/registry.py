"""Tools: which fields of its operation each one takes, in which words for models, and how it is called."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from mission_control.core.actor import Actor
from mission_control.core.extensions import Part
from mission_control.core.limits import TokenScope, require_scope
from mission_control.core.values import JsonObject, Schema, refuse_unstorable
from mission_control.http.openapi_schemas import plain
from mission_control.http.registry import operation_named
from mission_control.mcp.answers import Image, Shape, fitted
from mission_control.mcp.operations import fields_of, perform, with_ids

SAME: Any = object()
REQUIRED: Any = ...
# What says nothing to who writes a call, or is met so seldom that the refusal is enough: the form of an id, lengths.
SILENT = ("format", "pattern", "minLength", "maxLength", "maxItems", "exclusiveMaximum")
LARGE = 1_000_000  # a maximum that nobody meets
EMPTY: tuple[Any, ...] = (None, [], "", 0, "0", False)


@dataclass(frozen=True, slots=True)
class Shown:
    """An argument: its words, and where it differs from the operation's field, in name, type or default.

    Its name is that of the field, or of the one that it `sends`. One that is the tool's `own` is not sent.
    """

    text: str = ""
    sends: str = ""
    kind: Any = SAME
    default: Any = SAME
    is_own: bool = False


def own(kind: object, default: object = REQUIRED, text: str = "") -> Shown:
    return Shown(text, "", kind, default, is_own=True)


class Arguments(Schema):
    """What a tool is given; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, eq=False)
class Takes:
    """The arguments of a tool, by name, and the operation that they are for."""

    operation: str
    shown: Mapping[str, Shown]
    for_agents: bool = field(default=True, kw_only=True)

    @cached_property
    def model(self) -> type[Arguments]:
        """The class that reads them. Ask for it once all operations are installed."""
        fields: JsonObject = {name: self._field(name, one) for name, one in self.shown.items()}
        return create_model("Arguments", __base__=Arguments, __module__=__name__, **fields)

    @cached_property
    def schema(self) -> JsonObject:
        """Their JSON schema, as short as a model can use it: it is read in every session of every client."""
        schema = plain(self.model.model_json_schema())
        defs = schema.pop("$defs", {})
        return {"type": "object", **_short(schema, defs, is_named=False), "additionalProperties": False}

    def sent(self, asked: Arguments) -> JsonObject:
        values = asked.model_dump()
        return {
            one.sends or name: values[name]
            for name, one in self.shown.items()
            if not one.is_own and (name in asked.model_fields_set or one.default not in (SAME, REQUIRED))
        }

    def _field(self, name: str, one: Shown) -> tuple[Any, Any]:
        kind, default, limits = one.kind, one.default, ()
        if kind is SAME or default is SAME:
            same = self._same(one.sends or name)
            if kind is SAME:
                kind, limits = same.annotation, tuple(same.metadata)
            if default is SAME:
                default = REQUIRED if same.is_required() else same.get_default(call_default_factory=True)
        return Annotated[kind, *limits, Field(description=one.text or None)], default

    def _same(self, name: str) -> FieldInfo:
        entry = operation_named(self.operation, for_agents=self.for_agents)
        return FieldInfo(annotation=UUID) if name in entry.path_names else fields_of(entry)[name]


def takes(operation: str = "", **fields: str | Shown) -> Takes:
    return Takes(operation, {name: Shown(one) if isinstance(one, str) else one for name, one in fields.items()})


def _is_silent(key: str, part: Any) -> bool:
    """Return whether what a schema says by a key tells a model nothing."""
    empty = {"default": EMPTY, "minimum": (0, 1)}.get(key, ())
    return key in SILENT or part in empty or (key == "maximum" and part >= LARGE)


def _short(node: JsonObject, defs: JsonObject, *, is_named: bool = True) -> JsonObject:
    """Return one schema without references, titles and what is silent; `is_named`: its description is the field's."""
    node = _resolved(node, defs)
    kept = {key: part for key, part in node.items() if not _is_silent(key, part)}
    if not is_named:
        kept.pop("description", None)
    if "properties" in kept:
        kept["properties"] = {name: _short(one, defs) for name, one in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _short(kept["items"], defs, is_named=False)
    if kept.get("additionalProperties") is True or "properties" in kept:
        kept.pop("additionalProperties", None)
    return kept


def _resolved(node: JsonObject, defs: JsonObject) -> JsonObject:
    """Resolve what a schema refers to, and take the first of its alternatives: null counts as not given."""
    if "$ref" in node:
        node = _as_object(defs[node["$ref"].rpartition("/")[2]]) | {k: v for k, v in node.items() if k != "$ref"}
    alternatives = [schema for schema in node.get("anyOf", ()) if schema.get("type") != "null"]
    if not alternatives:
        return node
    # A number that may be written as a text is shown as a number.
    first = _as_object(alternatives[0]) | {key: part for key, part in node.items() if key != "anyOf"}
    return _resolved(first, defs) if "$ref" in first else first


def _as_object(node: JsonObject) -> JsonObject:
    return {key: part for key, part in node.items() if key != "description"}


type Said = tuple[str, Any] | tuple[str, Any, Image | None]
type Handler = Callable[["Call"], Awaitable[Said]]
type Role = Literal["anyone", "worker", "lead"]
type Audience = Literal["agents", "people", "everybody"]
# The installed tools by name: of agents, and of people.
TOOLS: dict[str, "Tool"] = {}
PEOPLES_TOOLS: dict[str, "Tool"] = {}


def tools_of(actor: Actor) -> dict[str, "Tool"]:
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
        values = self.takes.sent(self.asked)
        return {name: value for name, value in values.items() if name in names} if names else values

    async def perform(self, **more: object) -> Any:
        return await perform(self.takes.operation, self.actor, **self.sent() | more)

    async def about(self, name: str, **more: object) -> Any:
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
    position: int

    @property
    def waits(self) -> bool:
        """Whether it may take long on purpose."""
        return "wait_seconds" in self.takes.shown

    @property
    def tells_news(self) -> bool:
        """Whether it answers what is new for an agent, so that nothing rides on that."""
        name = self.takes.operation
        return bool(name) and operation_named(name, for_agents=self.takes.for_agents).tells_news

    def is_for(self, actor: Actor) -> bool:
        """Whether to show it to a caller: it has the role, and its token the scope."""
        has_role = actor.is_user or self.role == "anyone" or (self.role == "lead") == actor.is_lead
        return has_role and (actor.scopes is None or self.scope in actor.scopes)

    async def call(self, actor: Actor, given: JsonObject) -> tuple[str, Any, Image | None]:
        """Do it: one sentence about what came of it, the answer, and an image. Null counts as not given."""
        require_scope(actor, self.scope)
        refuse_unstorable(given, "arguments")
        given = await with_ids(actor, {name: value for name, value in given.items() if value is not None})
        call = Call(actor, self.takes, self.takes.model.model_validate(given))
        sentence, answer, *images = await self.handler(call)
        return sentence, fitted(answer if self.shows is None else self.shows(answer)), next(iter(images), None)


class Tools(list["Declared"], Part):
    """The tools of one module; lists of tools go by `position`."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self._position = position

    def install(self) -> None:
        for audience, one in self:
            if audience != "people":
                TOOLS[one.name] = one
            if audience != "agents":
                PEOPLES_TOOLS[one.name] = one

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

        Its answer is shown as the operation gave it, or those fields that `shows` names. Agents without its `role` are
        not shown it; what they may do is for the operation to say.
        """

        def declare(handler: Handler) -> Handler:
            name = handler.__name__.rstrip("_")
            text = inspect.getdoc(handler) or title
            needed: TokenScope = scope or ("read" if reads else "lead" if role == "lead" else "work")
            taken = replace(takes, for_agents=audience != "people")
            made = Tool(name, title, text, handler, taken, shows, role, reads, reads or repeats, needed, self._position)
            self.append((audience, made))
            return handler

        return declare


type Declared = tuple[Audience, Tool]
