"""Raw SQL in one spelling for both databases."""

import sqlite3
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, cast
from uuid import UUID

import asyncpg
import orjson
from asyncpg.pgproto import pgproto
from pydantic import BaseModel, JsonValue
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from mission_control.core.times import naive_utc, wire, wire_texts

# Turns the values of one column into those of an annotation.
type Column = Callable[[Sequence[Any]], Sequence[Any]]
type Make = Callable[[Sequence[Sequence[Any]]], list[Any]]


def instances[Row](row: type[Row], columns: tuple[str, ...], records: Sequence[Sequence[object]]) -> list[Row]:
    """Return rows of these columns as instances of a dataclass or a schema, converted by its annotations.

    A column without a field, or a field without a column or default: TypeError.
    """
    return _maker(cast(Any, row), columns)(records) if records else []


def wire_columns(
    kinds: Mapping[str, object], columns: tuple[str, ...], records: Sequence[Sequence[object]]
) -> dict[str, Sequence[Any]]:
    """Return rows of these columns column by column, as answers have them; `kinds` has the annotation of each."""
    if not records:
        return dict.fromkeys(kinds, ())
    if columns != tuple(kinds):
        raise TypeError(f"{', '.join(kinds)} do not fit the columns {', '.join(columns)}")
    by_name = zip(kinds.items(), zip(*records, strict=True), strict=True)
    return {
        name: convert(values) if (convert := WIRE.get(_plain(kind))) else values for (name, kind), values in by_name
    }


def converted(
    records: Sequence[Sequence[object]], conversions: Sequence[tuple[int, Column]]
) -> Iterable[Sequence[Any]]:
    """Return rows with some columns, by their index, converted: whole columns are faster than value by value."""
    if not records or not conversions:
        return records
    columns: list[Sequence[Any]] = list(zip(*records, strict=True))
    for index, convert in conversions:
        columns[index] = convert(columns[index])
    return zip(*columns, strict=True)


@lru_cache(maxsize=1024)
def _maker(row: type[Any], columns: tuple[str, ...]) -> Make:
    _refuse_other_names(row, columns)
    kinds = typing.get_type_hints(row)
    conversions = [
        (index, convert) for index, name in enumerate(columns) if (convert := COLUMNS.get(_plain(kinds[name])))
    ]
    if issubclass(row, BaseModel):
        make = _schema_maker(row, columns)
        return lambda records: [make(values) for values in converted(records, conversions)]
    if columns == tuple(attribute.name for attribute in fields(row))[: len(columns)]:
        return lambda records: [row(*values) for values in converted(records, conversions)]
    return lambda records: [
        row(**dict(zip(columns, values, strict=True))) for values in converted(records, conversions)
    ]


def _schema_maker(row: type[BaseModel], columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Return a function from values of these columns to a schema, unchecked.

    It does what `model_construct` does, which takes three times as long; a page has hundreds.
    """
    others = {name: info for name, info in row.model_fields.items() if name not in columns}
    own = {name: info for name, info in others.items() if info.default_factory or isinstance(info.default, list | dict)}
    put, field_names = object.__setattr__, set(columns)
    state: dict[str, object] = dict.fromkeys(row.model_fields)  # in the order of answers
    state |= {name: info.default for name, info in others.items()}

    def make(values: Sequence[object]) -> Any:
        schema = row.__new__(row)
        values_by_name = state | dict(zip(columns, values, strict=True))
        for name, info in own.items():
            values_by_name[name] = info.get_default(call_default_factory=True)
        put(schema, "__dict__", values_by_name)
        put(schema, "__pydantic_fields_set__", field_names.copy())
        put(schema, "__pydantic_extra__", None)
        put(schema, "__pydantic_private__", None)
        return schema

    return make


def _refuse_other_names(row: type[Any], columns: tuple[str, ...]) -> None:
    if issubclass(row, BaseModel):
        required = {name: info.is_required() for name, info in row.model_fields.items()}
    else:
        required = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(row)}
    names = set(columns)
    if len(names) < len(columns) or not {name for name in required if required[name]} <= names <= required.keys():
        raise TypeError(f"{row.__name__} does not fit the columns {', '.join(columns)}")


def _plain(kind: object) -> Any:
    """Return an annotation without `| None` and parameters, as the tables below have it.

    What they do not have, both databases give as it is. JSON that is no object is read as `JsonValue`.
    """
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind, *_ = [argument for argument in typing.get_args(kind) if argument is not types.NoneType]
    return typing.get_origin(kind) or kind


def each(convert: Callable[[Any], Any]) -> Column:
    return lambda values: [None if value is None else convert(value) for value in values]


def _from_text(convert: Callable[[Any], Any]) -> Column:
    """Convert a column that SQLite keeps as text; what PostgreSQL's driver gives is right already."""
    from_text = each(convert)
    return lambda values: from_text(values) if isinstance(_sample(values), str | bytes) else values


def _unless(kind: type, convert: Column) -> Column:
    """Convert a column unless its values have the type already."""
    return lambda values: values if type(_sample(values)) is kind else convert(values)


def _sample(values: Sequence[object]) -> object:
    for value in values:
        if value is not None:
            return value
    return None


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is None else naive_utc(moment)


COLUMNS: dict[object, Column] = {
    # asyncpg's UUID, which PostgreSQL's rows hold anyway, reads a text seven times as fast as Python's.
    UUID: _from_text(pgproto.UUID),
    datetime: _from_text(_moment),
    dict: _from_text(orjson.loads),
    list: _from_text(orjson.loads),
    JsonValue: lambda values: [as_json(value) for value in values],  # SQLite keeps a number as one
    bool: _unless(bool, each(bool)),
    int: _unless(int, each(int)),  # a SUM of PostgreSQL is a Decimal
    str: _unless(str, each(str)),  # an id of PostgreSQL is a UUID
    float: each(float),  # SQLite returns whole numbers in such columns as integers
}

# The same for answers: an id as text, and a moment as what `to_json` writes as RFC 3339 or as that text already.
WIRE: dict[object, Column] = COLUMNS | {
    UUID: COLUMNS[str],
    datetime: lambda values: wire_texts(values) if isinstance(_sample(values), str) else values,
}


# A row by the names of its columns, as the database gives it; values of placeholders; and a condition with its own.
type Row = dict[str, Any]
type Values = list[Any]
type Condition = tuple[str, Values]
SEARCHED = 20_000  # characters of a text
MOST_DOUBLED = 1024  # values of an IN list
# Begins a statement that counts or sums up few rows however old the installation is: on SQLite it may run on the loop's
# thread, where it is cut like others when it takes long.
FEW_ROWS = "/* few rows */ "


def connection() -> BaseDBAsyncClient:
    return get_connection("default")


class _Client(Protocol):
    async def fetch(self, sql: str, values: Sequence[object]) -> tuple[tuple[str, ...], Sequence[Sequence[Any]]]:
        """The names of a statement's columns and its rows."""


def is_postgres() -> bool:
    return connection().capabilities.dialect == "postgres"


async def fetch(sql: str, values: Sequence[object]) -> tuple[tuple[str, ...], Sequence[Sequence[Any]]]:
    return await cast(_Client, connection()).fetch(sql, values)


async def rows(sql: str, *values: object) -> list[Row]:
    """Run a statement with `?` placeholders; UUIDs and datetimes may be passed as they are."""
    columns, records = await fetch(sql, values)
    return [dict(zip(columns, row, strict=True)) for row in records]


async def held(table: str, where: str, *values: object) -> set[UUID]:
    """Return the ids of a table's rows, none of which can be deleted until the transaction ends."""
    hold = " ORDER BY id FOR KEY SHARE" if is_postgres() else ""
    locked = await rows(f"SELECT id FROM {table} WHERE {where}{hold}", *values)
    return {UUID(str(row["id"])) for row in locked}


async def select[T](row: type[T], sql: str, *values: object) -> list[T]:
    """Run a statement like `rows` and return instances of a dataclass or a schema, with fields named like its columns.

    Annotations say what values become on both databases: `UUID`, `datetime` (naive UTC), `bool`, `int`, `float`,
    `dict`, `list` and `JsonValue`, `str` (an id as text too), each `| None`; a value of any other type stays as it
    is. A column without a field, or a field without a column or default, is a TypeError.
    """
    columns, records = await fetch(sql, values)
    return instances(row, columns, records)


async def select_columns(kinds: Mapping[str, object], sql: str, *values: object) -> dict[str, Sequence[Any]]:
    """Run a statement like `rows` and return its columns by name, for answers.

    `kinds` has its columns, in their order, with the annotations of `select`: a `UUID` becomes text, a `datetime`
    what `to_json` writes as it has to be, others the same as there. Columns are faster to make than instances.
    """
    columns, records = await fetch(sql, values)
    return wire_columns(kinds, columns, records)


async def select_one[T](row: type[T], sql: str, *values: object) -> T | None:
    matches = await select(row, sql, *values)
    return matches[0] if matches else None


def lowered(text: str) -> str:
    """SQL for a text in small letters, those beyond ASCII among them; compare it with what Python's `lower` made.

    For conditions only: indexes and constraints have LOWER, which does the same for ASCII.
    """
    return f"LOWER({text})" if is_postgres() else f"unicode_lower({text})"


def searched(column: str) -> str:
    """Return SQL for the part of a text that is compared with words: its first 20,000 characters."""
    return f"substr({column}, 1, {SEARCHED})"


def contains(column: str) -> str:
    """Return SQL for "the column contains a text, whatever the case". Its parameter is `text.lower()`."""
    return f"{place_in(lowered(searched(column)))} > 0"


def seconds_from(column: str) -> str:
    if is_postgres():
        return f"EXTRACT(EPOCH FROM CAST(? AS TIMESTAMP) - {column})"
    return f"(julianday(?) - julianday({column})) * 86400"


def place_in(text: str) -> str:
    """Return SQL for where in a text the parameter begins, from 1 on; 0 when nowhere.

    Not LIKE, which takes the product of both lengths.
    """
    return f"{'strpos' if is_postgres() else 'instr'}({text}, ?)"


def first_of_all(
    each: str, values: Sequence[Sequence[object]], order: str, limit: int, offset: int
) -> tuple[str, list[object]]:
    """Return a page of what several statements find together, and its values.

    `each` is the statement, with `values` for each time; an index must hold what it finds in the `order` of its
    columns, so that a page costs as much as its length, however much there is.
    """
    some = f"SELECT * FROM ({each} ORDER BY {order} LIMIT {limit + offset}) one"
    every = " UNION ALL ".join([some] * len(values))
    return f"SELECT * FROM ({every}) every ORDER BY {order} LIMIT ? OFFSET ?", [
        *(v for own in values for v in own),
        limit,
        offset,
    ]


def placeholders(count: int) -> str:
    return ", ".join("?" * count)


def in_list[T](values: Collection[T]) -> tuple[str, list[T]]:
    """Return `?, ?, ?` for an IN list whose length differs from call to call, and its values.

    The last value is repeated up to a power of two, above 1024 a multiple of it: databases keep prepared statements by
    their text, and one of 500 values takes 110 KiB of memory on each connection of SQLite.
    """
    padded, length = list(values), len(values)
    most = -(-length // MOST_DOUBLED) * MOST_DOUBLED if length > MOST_DOUBLED else 1 << max(0, length - 1).bit_length()
    padded += padded[-1:] * (most - length)
    return placeholders(len(padded)), padded


def as_id(value: object) -> UUID | None:
    return value if value is None or isinstance(value, UUID) else pgproto.UUID(str(value))


def as_moment(value: Any) -> datetime | None:
    """A timestamp column's value as a naive UTC datetime on both databases."""
    moment = datetime.fromisoformat(value) if type(value) is str else value
    return moment if moment is None or moment.tzinfo is None else naive_utc(moment)


def as_json(value: object) -> Any:
    """A JSON column's value on both databases."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def wire_moment(value: object) -> Any:
    """Return a timestamp column's value as it is answered in JSON, which is RFC 3339 in UTC, on both databases."""
    if value is None:
        return None
    if type(value) is str:
        return wire_texts((value,))[0]
    return wire(value) if isinstance(value, datetime) else value


def is_missing_reference(error: Exception) -> bool:
    reason = error.args[0] if error.args else None
    if isinstance(reason, sqlite3.IntegrityError):
        return reason.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY"
    return isinstance(reason, asyncpg.ForeignKeyViolationError)
