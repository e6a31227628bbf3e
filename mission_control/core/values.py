"""Values as they are stored and sent: ids, JSON, field types, pages of lists, what no column takes."""

import asyncio
import hashlib
import math
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import chain, islice
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import to_jsonable_python
from uuid_utils.compat import uuid7

from mission_control.core.errors import ErrorCode, Invalid, SchemaError, schema_error
from mission_control.core.times import naive_utc, with_plus

JsonObject = dict[str, Any]  # no type of its own: schemas and documents show it as the object that it is

UNKNOWN = "Extra inputs are not permitted"
MOST_NAMES, LONGEST_NAME = 20, 64


# The names that a shape knows, for errors about one that it does not know.
def unknown_name(name: object, candidates: Iterable[str]) -> str:
    names, text = list(candidates), str(name)[:LONGEST_NAME].lower()
    near = get_close_matches(text, names, 1) or [
        candidate for candidate in names if len(text) > 2 and candidate.startswith(text)
    ]
    if near:
        return f"{UNKNOWN}; did you mean `{near[0]}`?"
    return f"{UNKNOWN}; known here: {', '.join(names)}" if 0 < len(names) <= MOST_NAMES else UNKNOWN


def sibling_names(schema: Mapping[str, object], path: Sequence[str | int]) -> list[str]:
    """Return the fields of the object that holds what `path` names, by the JSON schema of the whole.

    Parts of the path that only choose between alternatives are passed over.
    """
    objects = list(_objects(schema, schema))
    for part in path[:-1]:
        parts = [
            node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part) for node in objects
        ]
        objects = [inner for node in parts for inner in _objects(node, schema)] or objects
    return list(dict.fromkeys(name for node in objects for name in node.get("properties", ())))


def _objects(node: object, whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(node, Mapping):
        return
    if "$ref" in node:
        yield from _objects(whole["$defs"][node["$ref"].rpartition("/")[2]], whole)
    elif alternatives := node.get("anyOf") or node.get("oneOf"):
        for alternative in alternatives:
            yield from _objects(alternative, whole)
    else:
        yield node


INT64 = 2**63
DEEPEST = 100
MOST_VALUES = 20_000  # of one body
MOST_PROBLEMS = 100  # reported per request: each is longer than what causes it


def exceeds_values(value: object, most: int) -> bool:
    """Return whether lists and objects have more than `most` members in all; cheap, for it looks at nothing else."""
    count, left = 0, [value]
    while left:
        node = left.pop()
        if isinstance(node, dict | list):
            count += len(node)
            if count > most:
                return True
            left.extend(node.values() if isinstance(node, dict) else node)
    return False


def refuse_unstorable(value: object, place: str) -> None:
    """Refuse a value that cannot be stored (Invalid), naming each place; `place` begins them, such as `body`."""
    if not is_storable(value):
        raise Invalid([*islice(_unstorable(value, [place]), MOST_PROBLEMS)])


def is_storable(value: object, depth: int = 1) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and (value.isascii() or _is_unicode(value))
    if isinstance(value, dict | list):
        items = chain(value, value.values()) if isinstance(value, dict) else value
        return depth <= DEEPEST and all(is_storable(item, depth + 1) for item in items)
    if isinstance(value, int):
        return -INT64 <= value < INT64
    return not isinstance(value, float) or math.isfinite(value)


def _unstorable(value: object, loc: list[str | int]) -> Iterator[SchemaError]:
    """Yield an error for each place; keys of an object come before its values."""
    if isinstance(value, dict | list):
        yield from _unstorable_items(value, loc)
    elif isinstance(value, str) and ("\x00" in value or not _is_unicode(value)):
        yield schema_error("string_unicode", loc, "Text must be Unicode without NUL characters", _safe(value))
    elif isinstance(value, int) and not -INT64 <= value < INT64:
        yield schema_error("int_parsing_size", loc, "Integers must fit 64 bits", str(value)[:40])
    elif isinstance(value, float) and not math.isfinite(value):
        yield schema_error("finite_number", loc, "Input should be a finite number", str(value))


def _unstorable_items(value: JsonObject | list[Any], loc: list[str | int]) -> Iterator[SchemaError]:
    if len(loc) > DEEPEST:
        yield schema_error("nested_too_deeply", loc[:2], f"Values are nested at most {DEEPEST} deep")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, [*loc, index])
    else:
        for name, item in chain(zip(value, value, strict=True), value.items()):
            yield from _unstorable(item, [*loc, _safe(name)])


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


# The pattern refuses what `str.strip` takes away and pydantic does not: separators such as U+001F.
NonEmptyStr = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"[^\s\x1c-\x1f]")]

Moment = Annotated[
    datetime,
    BeforeValidator(lambda value: with_plus(value) if isinstance(value, str) else value),
    AfterValidator(naive_utc),
]


def _reject_null(value: object) -> object:
    if value is None:
        raise ValueError("null is not allowed here; leave the field out to keep its value")
    return value


# Needs and deadlines say `send_back` for the decision that the contract calls `changes_requested`.
SentBack = BeforeValidator(lambda value: "changes_requested" if value == "send_back" else value)
NotNull = AfterValidator(_reject_null)
BlankToNone = BeforeValidator(lambda value: None if isinstance(value, str) and not value.strip() else value)
OptionalText = Annotated[str | None, BlankToNone]


def example(**body: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]})


class Schema(BaseModel):
    """The shape of a request or an answer. Its validator is made at its first use, and most never are: answers are only
    documented. `tests/contract/test_blanks.py` uses every one.
    """

    model_config = ConfigDict(defer_build=True)


class Body(Schema):
    """What an operation takes that the predecessor does not have: a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class FromRow(Schema):
    """A schema with the fields of a row, and others that are given."""

    @classmethod
    def of(cls, row: object, **others: object) -> Self:
        own = {name: getattr(row, name) for name in cls.model_fields if name not in others}
        return cls.model_construct(None, **own, **others)


class Change(Schema):
    """What to change of something; fields that were not sent stay as they are."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        return self


class OkResponse(Schema):
    """It worked."""

    ok: Literal[True] = True


class ActorRef(Schema):
    """Who did something: a person, an agent, or the system."""

    kind: Literal["user", "agent", "system"]
    id: UUID | None
    name: str


class ErrorResponse(Schema):
    """What every error answers."""

    detail: str | JsonObject | list[Any]
    request_id: str | None = None
    code: ErrorCode | None = None


class LLMErrorResponse(Schema):
    """What errors of agent operations answer."""

    detail: str | JsonObject | list[Any]
    request_id: str | None = None
    code: str | None = None
    retryable: bool | None = None


class ValidationItem(Schema):
    """One thing that is wrong with the request."""

    loc: list[str | int]
    msg: str
    type: str
    input: Any = None
    ctx: JsonObject | None = None


class HTTPValidationError(Schema):
    """The request does not fit: a list for schema errors, a sentence or an object for business rules."""

    detail: list[ValidationItem] | str | JsonObject
    request_id: str | None = None
    code: ErrorCode | None = None


OK = OkResponse()


class Paging(Schema):
    """Which part of a list."""

    limit: int = Field(200, ge=1, le=200)
    offset: int = Field(0, ge=0)


class Page[T](Schema):
    """A part of a list, and how long the whole list is."""

    items: list[T]
    total: int
    limit: int
    offset: int


class Wait(Schema):
    """How long to wait."""

    wait_seconds: Annotated[int, Field(ge=0, le=50)] = 0


class WaitForNews(Wait):
    """How long to wait for another list than the caller knows."""

    known: Annotated[
        str, Field(max_length=64, description="The `version` that you have; another list is answered at once")
    ] = ""


class NewsPaging(WaitForNews, Paging):
    """Which part of a list, and how long to wait for another one."""


class Versioned[T](Page[T]):
    """A part of a list, with a mark of what is in it."""

    version: Annotated[
        str, Field(description="Another one when something came, went or was settled; send it as `known` to wait")
    ]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name by which generated clients know such pages."""
        return Page.model_parametrized_name(params)


def version_of(total: int, marks: Iterable[object]) -> str:
    """Return the mark of a list by what tells that one of its things is another."""
    return hashlib.sha256(repr((total, list(marks))).encode()).hexdigest()[:16]


def page(items: list[Any], total: int, paging: Paging) -> JsonObject:
    return {"items": items, "total": total, "limit": paging.limit, "offset": paging.offset}


def page_of(whole: Sequence[Any], paging: Paging | None = None) -> JsonObject:
    part = paging or Paging.model_construct(limit=len(whole), offset=0)
    return page([*whole[part.offset : part.offset + part.limit]], len(whole), part)


ENTRIES_AT_ONCE = 4
TURN_SECONDS = 0.005
MOMENTS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def to_json(value: object) -> bytes:
    """Return a value as compact JSON; a naive datetime counts as UTC. TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_plain, option=MOMENTS)


async def json_in_turns(value: object) -> list[bytes]:
    """Return the same as `to_json`, in pieces; between the entries of long lists everybody else has a turn."""
    if not (isinstance(value, dict) and any(_is_long(member) for member in value.values())):
        return await _member(value)
    pieces = [b"{"]
    for name, member in value.items():
        pieces += [to_json(name) + b":", *await _member(member), b","]
    return [*pieces[:-1], b"}"]


def _is_long(value: object) -> bool:
    return isinstance(value, list) and len(value) > ENTRIES_AT_ONCE


async def _member(value: Any) -> list[bytes]:
    if not _is_long(value):
        return [to_json(value)]
    pieces, began = [b"["], time.perf_counter()
    for start in range(0, len(value), ENTRIES_AT_ONCE):
        pieces += [to_json(value[start : start + ENTRIES_AT_ONCE])[1:-1], b","]
        if time.perf_counter() - began > TURN_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return [*pieces[:-1], b"]"]


def json_values(value: object) -> Any:
    return orjson.loads(to_json(value))


def _plain(value: object) -> Any:
    if isinstance(value, UUID):  # asyncpg's own subclass, which orjson does not know
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump()  # not in its JSON mode, which writes naive moments without `Z`
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise TypeError(f"{type(value).__name__} is no JSON value") from error


def new_id() -> UUID:
    return uuid7()


def parse_id(text: object) -> UUID | None:
    try:
        return text if isinstance(text, UUID) else UUID(str(text))
    except ValueError:
        return None


NO_ID = ("uuid_parsing", "uuid_type", "uuid_version")  # what the validator calls a value that is no id


def wanted_id(place: Sequence[object], *, takes_numbers: bool = False) -> str:
    """Return a sentence for a value that is no id, by the names that lead to it; some take the numbers of tasks."""
    name = next((part for part in reversed(place) if isinstance(part, str)), "")
    if not name.endswith(("task_id", "task_ids", "parent_id")):
        return "An id is wanted, as another answer gave it: a UUID"
    if takes_numbers:
        return "The number of a task is wanted, such as 12 or #12, or its id"
    return "The id of a task is wanted, not its number; the list of tasks with q=12 finds #12"


def whole_number(text: str | None, digits: int = 15) -> int | None:
    """Return the number that a text from outside writes in at most so many digits, None when it writes none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= digits else None


def new_secret(prefix: str) -> str:
    """Return `prefix_` and 48 characters with 288 random bits; clients expect 50 characters or more."""
    return f"{prefix}_{secrets.token_urlsafe(36)}"


def fingerprint(secret: str) -> str:
    """Return the hex SHA-256 by which a secret is stored and looked up; its full entropy makes a salt needless."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def parts_of(address: str) -> SplitResult:
    """Return the parts of an address; all are empty when it cannot be parsed."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
