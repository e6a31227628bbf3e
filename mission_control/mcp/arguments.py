"""What a tool takes: fields of its operation's path, query and body, and now and then one of its own.

The operation says their types, limits and defaults; a tool says which ones it shows, and in which words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from mission_control.core.json import JsonObject
from mission_control.mcp.operations import fields_of
from mission_control.operations.openapi_schemas import plain
from mission_control.operations.registry import operation_named

SAME: Any = object()
REQUIRED: Any = ...
# What says nothing to who writes a call, or is met so seldom that the refusal is enough: the form of an id, lengths.
SILENT = ("format", "pattern", "minLength", "maxLength", "maxItems", "exclusiveMaximum")
LARGE = 1_000_000  # a maximum that nobody meets
EMPTY: tuple[Any, ...] = (None, [], "", 0, "0", False)


@dataclass(frozen=True, slots=True)
class Shown:
    """An argument: its words, and where it differs from the operation's field, in name, type or default.

    One that is the tool's `own` is not sent.
    """

    text: str = ""
    sends: str = ""
    kind: Any = SAME
    default: Any = SAME
    is_own: bool = False


def shown(text: str = "", sends: str = "", *, kind: object = SAME, default: object = SAME) -> Shown:
    """Return an argument that is a field of the operation, of the same name or of the one that it `sends`."""
    return Shown(text, sends, kind, default)


def own(kind: object, default: object = REQUIRED, text: str = "") -> Shown:
    """Return an argument that the tool itself reads."""
    return Shown(text, "", kind, default, is_own=True)


class Arguments(BaseModel):
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
        fields: dict[str, Any] = {name: self._field(name, one) for name, one in self.shown.items()}
        return create_model("Arguments", __base__=Arguments, __module__=__name__, **fields)

    @cached_property
    def schema(self) -> JsonObject:
        """Their JSON schema, as short as a model can use it: it is read in every session of every client."""
        schema = plain(self.model.model_json_schema())
        defs = schema.pop("$defs", {})
        return {"type": "object", **_short(schema, defs, is_named=False), "additionalProperties": False}

    def sent(self, asked: Arguments) -> JsonObject:
        """Return what the operation is sent: what was given, and what the tool presumes otherwise."""
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
        """Return that field of the operation. What its path names is an id."""
        entry = operation_named(self.operation, for_agents=self.for_agents)
        return FieldInfo(annotation=UUID) if name in entry.path_names else fields_of(entry)[name]


def takes(operation: str = "", **fields: str | Shown) -> Takes:
    """Return what a tool takes of an operation: its fields, each with its words for models."""
    return Takes(operation, {name: shown(one) if isinstance(one, str) else one for name, one in fields.items()})


def _short(node: JsonObject, defs: JsonObject, *, is_named: bool = True) -> JsonObject:
    """Return one schema without references, titles and what is silent; `is_named`: its description is the field's.

    Null counts as not given, so it is no alternative.
    """
    if "$ref" in node:
        node = _as_object(defs[node["$ref"].rpartition("/")[2]]) | {k: v for k, v in node.items() if k != "$ref"}
    alternatives = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    if alternatives:  # a number that may be written as a text is shown as a number
        node = _as_object(alternatives[0]) | {key: part for key, part in node.items() if key != "anyOf"}
        if "$ref" in node:
            return _short(node, defs)
    kept = {key: part for key, part in node.items() if key not in SILENT and not _is_empty(key, part)}
    if not is_named:
        kept.pop("description", None)
    if "properties" in kept:
        kept["properties"] = {name: _short(one, defs) for name, one in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _short(kept["items"], defs, is_named=False)
    if kept.get("additionalProperties") is True or "properties" in kept:
        kept.pop("additionalProperties", None)
    return kept


def _as_object(node: JsonObject) -> JsonObject:
    return {key: part for key, part in node.items() if key != "description"}


def _is_empty(key: str, part: Any) -> bool:
    if key == "maximum":
        return bool(part >= LARGE)
    return (key == "default" and part in EMPTY) or (key == "minimum" and part in (0, 1))
